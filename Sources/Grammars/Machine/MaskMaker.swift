/// Makes token masks of configurations, and remembers them.
///
/// What a place allows hardly depends on its context: most tokens end in the rule that they begin in. So for each state the
/// vocabulary is walked once with unknown callers, which gives a **local mask** and the nodes of the trie at which the rule has
/// ended; a configuration's mask is the union of its places' local masks and of what its callers make of those nodes' rests
/// (as XGrammar tells tokens apart, Dong et al., 2024, https://arxiv.org/abs/2411.15100).
struct MaskMaker {
  var machine: Machine
  let vocabulary: TokenVocabulary
  private var masks: [Int32: TokenMask] = [:]
  private var locals: [LocalKey: LocalMask] = [:]

  private struct LocalKey: Hashable {
    var state: Int32
    var count: Int32
  }

  /// What a place allows whose callers are not known.
  private struct LocalMask {
    var few: [Int32] = []
    var words: [UInt64] = []
    /// Nodes of the trie at which the rule has ended and that begin other tokens.
    var escapes: [Int32] = []
  }

  /// A mask that needs more steps than this is given up.
  private static let workLimit = 6_000_000
  private static let maskLimit = 1_500
  private static let localLimit = 2_500

  init(_ automaton: Automaton, _ vocabulary: TokenVocabulary) {
    machine = Machine(automaton)
    self.vocabulary = vocabulary
  }

  /// Forgets what depends on numbers of configurations.
  mutating func forget(but kept: Set<Int32>) -> [Int32: Int32] {
    masks = [:]
    return machine.forget(but: kept)
  }

  /// The tokens that continue a text in `configuration`.
  mutating func mask(of configuration: Int32) throws(Machine.TooAmbiguous) -> TokenMask {
    if let known = masks[configuration] { return known }
    machine.work = 0
    var mask = TokenMask(count: vocabulary.count)
    let places = machine.configurations[Int(configuration)].places
    if vocabulary.hasWordEnds || places.count > 48 {
      try walk(vocabulary.short, 0..<vocabulary.short.count, from: configuration) { _, node, trie in
        for token in trie.tokens(of: node) { mask.allow(token) }
      }
    } else {
      for place in places {
        let local = try local(of: place)
        for token in local.few { mask.allow(token) }
        if !local.words.isEmpty { mask.formUnion(local.words) }
        if local.escapes.isEmpty { continue }
        let callers = try machine.returning(to: place.context)
        guard callers != Machine.dead else { continue }
        for node in local.escapes {
          try walk(
            vocabulary.short, Int(node) + 1..<Int(vocabulary.short.ends[Int(node)]), from: callers
          ) { _, node, trie in
            for token in trie.tokens(of: node) { mask.allow(token) }
          }
        }
      }
    }
    try walk(vocabulary.long, 0..<vocabulary.long.count, from: configuration) { _, node, trie in
      for token in trie.tokens(of: node) { mask.allow(token) }
    }
    if vocabulary.hasWordEnds { try dropUnspaced(&mask, from: configuration) }
    if masks.count >= Self.maskLimit { masks = [:] }
    masks[configuration] = mask
    return mask
  }

  /// The tokens that begin a text.
  mutating func firstMask(of configuration: Int32) throws(Machine.TooAmbiguous) -> TokenMask {
    guard let first = vocabulary.first else { return try mask(of: configuration) }
    machine.work = 0
    var mask = TokenMask(count: vocabulary.count)
    try walk(first, 0..<first.count, from: configuration) { _, node, trie in
      for token in trie.tokens(of: node) { mask.allow(token) }
    }
    return mask
  }

  /// Takes out tokens behind which a space is owed that the grammar does not have, where the text does not end either.
  private mutating func dropUnspaced(_ mask: inout TokenMask, from configuration: Int32) throws(Machine.TooAmbiguous) {
    for id in 0..<vocabulary.count where vocabulary.wordEnds[id] && mask[id] {
      var next = configuration
      for byte in vocabulary.bytes[id] {
        next = try machine.step(next, machine.automaton.classes[Int(byte)])
        if next == Machine.dead { break }
      }
      guard next != Machine.dead else { continue }
      if machine.configurations[Int(next)].mayEnd { continue }
      if try machine.step(next, machine.automaton.classes[0x20]) == Machine.dead { mask[id] = false }
    }
  }

  /// Walks nodes of a trie whose parent was reached in `configuration`, and hands out those that can be reached.
  @inline(__always)
  private mutating func walk(
    _ trie: TokenTrie, _ nodes: Range<Int>, from configuration: Int32, found: (Int32, Int, TokenTrie) -> Void
  ) throws(Machine.TooAmbiguous) {
    guard let first = nodes.first else { return }
    let base = Int(trie.depths[first]) - 1
    var reached = Array(repeating: configuration, count: trie.largestDepth - base + 1)
    var node = nodes.lowerBound
    while node < nodes.upperBound {
      let depth = Int(trie.depths[node]) - base
      let next = try machine.step(reached[depth - 1], machine.automaton.classes[Int(trie.bytes[node])])
      if next == Machine.dead {
        node = Int(trie.ends[node])
        continue
      }
      if machine.work > Self.workLimit { throw Machine.TooAmbiguous() }
      reached[depth] = next
      found(next, node, trie)
      node += 1
    }
  }

  private mutating func local(of place: Machine.Place) throws(Machine.TooAmbiguous) -> LocalMask {
    let key = LocalKey(state: place.state, count: canonicalCount(place))
    if let known = locals[key] { return known }
    let start = machine.number(
      of: Machine.Configuration(places: [
        Machine.Place(state: key.state, count: key.count, context: Machine.unknown)
      ]))
    var local = LocalMask()
    var ends: [(configuration: Int32, node: Int)] = []
    try walk(vocabulary.short, 0..<vocabulary.short.count, from: start) { configuration, node, trie in
      local.few += trie.tokens(of: node)
      if Int(trie.ends[node]) > node + 1 { ends.append((configuration, node)) }
    }
    local.escapes = ends.filter { machine.configurations[Int($0.configuration)].escapes }.map { Int32($0.node) }
    if local.few.count > vocabulary.count / 64 {
      var mask = TokenMask(count: vocabulary.count)
      for token in local.few { mask.allow(token) }
      (local.few, local.words) = ([], mask.words)
    }
    if locals.count >= Self.localLimit { locals = [:] }
    locals[key] = local
    return local
  }

  /// A count that allows the same tokens: a token has at most so many bytes, and a loop runs at most once a byte.
  private func canonicalCount(_ place: Machine.Place) -> Int32 {
    let number = machine.automaton.counting[Int(place.state)]
    guard number >= 0 else { return 0 }
    let loop = machine.automaton.loops[Int(number)]
    let reach = Int32(TokenVocabulary.longToken) + 1
    guard loop.maximum == .max || place.count <= loop.maximum - reach else { return place.count }
    if place.count >= loop.minimum { return loop.minimum }
    return place.count <= loop.minimum - reach ? 0 : place.count
  }

  /// Makes the masks that most tokens of the vocabulary are in, before they are wanted.
  mutating func prepare() {
    var prepared = 0
    for state in 0..<Int32(machine.automaton.stateCount) where prepared < 24 {
      let width = machine.automaton.bytes[state].reduce(0) { $0 + Int($1.last) - Int($1.first) + 1 }
      guard width >= 64 else { continue }
      machine.work = 0
      _ = try? local(of: Machine.Place(state: state, count: 0, context: Machine.unknown))
      prepared += 1
    }
  }
}
