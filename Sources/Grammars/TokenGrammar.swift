import Synchronization

/// A grammar over the tokens of one vocabulary. What its matchers find out is shared by all of them, so one serves many texts
/// at once, and later ones are quicker.
public final class TokenGrammar: Sendable {
  /// The grammar.
  public let grammar: Grammar
  let vocabulary: TokenVocabulary
  private let shared: Mutex<Shared>
  private let sizeLimit: Int

  private struct Shared {
    var maker: MaskMaker
    /// By matcher: the configuration that its text has reached.
    var positions: [Int: Int32] = [:]
    var next = 0
    var sizeLimit: Int
  }

  /// About this many numbers are remembered before all but what is in use is forgotten.
  private static let sizeLimit = 24 << 20

  /// `grammar` over `vocabulary`; `preparing` makes the masks ahead that most tokens of the vocabulary are in.
  public convenience init(_ grammar: Grammar, _ vocabulary: TokenVocabulary, preparing: Bool = true) {
    self.init(grammar, vocabulary, preparing: preparing, remembering: Self.sizeLimit)
  }

  /// As above; with another limit for tests.
  package init(_ grammar: Grammar, _ vocabulary: TokenVocabulary, preparing: Bool, remembering limit: Int) {
    self.grammar = grammar
    sizeLimit = limit
    self.vocabulary = vocabulary
    var maker = MaskMaker(grammar.automaton, vocabulary)
    if preparing { maker.prepare() }
    shared = Mutex(Shared(maker: maker, sizeLimit: limit))
  }

  /// A matcher of a text that has not begun; `atStart` false means that other text stands before it.
  ///
  /// Throws `GrammarProblem.ambiguous`.
  public func matcher(atStart: Bool = true) throws(GrammarProblem) -> GrammarMatcher {
    let handle = shared.withLock { shared -> Int? in
      guard let start = try? shared.maker.machine.start() else { return nil }
      return Self.add(start, to: &shared)
    }
    guard let handle else { throw .ambiguous(after: "the beginning") }
    return GrammarMatcher(self, handle: handle, atStart: atStart)
  }

  private static func add(_ position: Int32, to shared: inout Shared) -> Int {
    shared.next += 1
    shared.positions[shared.next] = position
    return shared.next
  }

  func copy(_ handle: Int) -> Int {
    shared.withLock { Self.add($0.positions[handle] ?? Machine.dead, to: &$0) }
  }

  func release(_ handle: Int) {
    shared.withLock { _ = $0.positions.removeValue(forKey: handle) }
  }

  func state(_ handle: Int) -> (mayEnd: Bool, mayContinue: Bool) {
    shared.withLock { shared in
      guard let position = shared.positions[handle], position != Machine.dead else { return (false, false) }
      let configuration = shared.maker.machine.configurations[Int(position)]
      return (configuration.mayEnd, !configuration.places.isEmpty)
    }
  }

  /// The mask of a matcher's text, behind `bytes` and at the beginning; nil where it is too ambiguous.
  func mask(_ handle: Int, behind bytes: [UInt8], isFirst: Bool) -> TokenMask? {
    shared.withLock { shared in
      guard var position = shared.positions[handle] else { return nil }
      if shared.maker.machine.size > shared.sizeLimit {
        let moved = shared.maker.forget(but: Set(shared.positions.values.filter { $0 != Machine.dead }))
        for (handle, old) in shared.positions { shared.positions[handle] = moved[old] ?? Machine.dead }
        shared.sizeLimit = max(sizeLimit, 2 * shared.maker.machine.size)
        position = shared.positions[handle] ?? Machine.dead
      }
      do {
        position = try Self.step(&shared.maker.machine, position, bytes)
        if position == Machine.dead { return TokenMask(count: vocabulary.count) }
        return isFirst ? try shared.maker.firstMask(of: position) : try shared.maker.mask(of: position)
      } catch { return nil }
    }
  }

  /// Moves a matcher's text on by `bytes`, where the grammar has them and `isTrial` is false; nil where it is too ambiguous.
  func advance(_ handle: Int, by bytes: [UInt8], isTrial: Bool = false) -> Bool? {
    shared.withLock { shared in
      guard let position = shared.positions[handle] else { return nil }
      shared.maker.machine.work = 0
      guard let next = try? Self.step(&shared.maker.machine, position, bytes) else { return nil }
      if next == Machine.dead { return false }
      if !isTrial { shared.positions[handle] = next }
      return true
    }
  }

  /// The bytes that may come next.
  func nextBytes(_ handle: Int) -> [UInt8] {
    shared.withLock { shared in
      guard let position = shared.positions[handle], position != Machine.dead else { return [] }
      return (UInt8.min ... .max).filter {
        let byteClass = shared.maker.machine.automaton.classes[Int($0)]
        return (try? shared.maker.machine.step(position, byteClass)) ?? Machine.dead != Machine.dead
      }
    }
  }

  private static func step(_ machine: inout Machine, _ position: Int32, _ bytes: [UInt8]) throws(Machine.TooAmbiguous)
    -> Int32
  {
    var position = position
    for byte in bytes {
      if position == Machine.dead { return position }
      position = try machine.step(position, machine.automaton.classes[Int(byte)])
    }
    return position
  }
}
