import Formats
import Components
import Kernels

/// The cached states of one sequence: its keys and values, or whatever its mixers declare.
///
/// Memory is asked for whole and taken page by page as rows are written, so that a sequence opened for many tokens costs
/// no more than those it has.
public final class SequenceState {
  /// How many tokens have been computed.
  public internal(set) var position = 0
  /// How many tokens its text has with those that a call computes: never fewer than `position`.
  var textLength = 0
  /// The tokens of the text, held where a plan may have to compute them again.
  var history: [Int] = []
  /// How many tokens it is opened for.
  public let length: Int
  /// How many first tokens see each other, where a mask of the plan lets them; they are computed in one pass.
  public let prefix: Int
  /// Where the second of two texts begins that are read together; `Int.max` where there is one text alone.
  public let second: Int
  /// Ranges of positions whose tokens see each other, where a mask of the plan lets them; in order.
  public let together: [Range<Int>]
  /// Where the first tokens stand in time, down and across, three numbers each, and what later ones add to their position.
  public let places: TextPlaces
  /// How many rows of each axis beside the text's have been computed, by index of axis.
  var rowCounts: [Int]

  /// The sequence that this one has its first rows of, and how many tokens they are.
  var lender: SequenceState?
  var lent = 0
  /// How many bytes are the lender's.
  public internal(set) var lentBytes = 0
  /// How many sequences begin with rows of this one.
  public internal(set) var borrowers = 0
  /// Whether the first rows are no longer the lender's.
  var hasOverwritten = false

  let planned: [PlannedState]
  let pages: StatePages
  let capacities: [Int]
  let states: UnsafeMutablePointer<BoundState>

  /// Room for `length` tokens, computed at most `rows` at a time, in `format` where a state allows it; with `lending`, others
  /// can begin with its rows.
  init(
    _ plan: Plan, length: Int, prefix: Int, second: Int, together: [Range<Int>], places: TextPlaces, rows: Int,
    format: StorageFormat, lending: Bool
  ) throws(ExecutionProblem) {
    self.together = together
    self.places = places
    self.length = length
    self.prefix = prefix
    self.second = second
    rowCounts = Array(repeating: 0, count: plan.axes.count)
    planned = plan.states
    var capacities: [Int] = []
    var offsets: [Int] = []
    var sum = 0
    for state in plan.states {
      // A window needs room for the pass that is added before the oldest rows may go.
      let capacity =
        switch state.extent {
        // Rows of another axis come all in one pass.
        case .perToken: state.axis == .tokens ? length : plan.rows(on: state.axis, of: rows)
        case .window(let window): min(length, window - 1 + max(rows, Self.slack(window)))
        case .fixed: 1
        }
      capacities.append(capacity)
      let (bytes, overflow) = capacity.multipliedReportingOverflow(by: state.rowBytes(wanted: format))
      offsets.append(sum)
      // Every state begins at a page.
      let (more, isTooMuch) = sum.addingReportingOverflow(bytes)
      if overflow || isTooMuch || more > Int.max / 2 { throw .memory(bytes: Int.max) }
      sum = StatePages.wholePages(more + StatePages.pageBytes - 1)
    }
    // Pages are taken as they are written, and a sequence is refused before it is begun.
    if sum >= FloatBuffer.largeBytes { try AvailableMemory.require(sum) }
    pages = try StatePages(bytes: sum, lending: lending)
    self.capacities = capacities
    states = .allocate(capacity: max(1, planned.count))
    for (index, state) in planned.enumerated() {
      (states + index).initialize(
        to: BoundState(
          pages.base + offsets[index], format: state.format(wanted: format), rowBytes: state.rowBytes(wanted: format)))
    }
  }

  deinit {
    lender?.borrowers -= 1
    states.deallocate()
  }

  /// Where the positions end that see each other with `position`; 0 where it is among none.
  func end(of position: Int) -> Int { together.first { $0.contains(position) }?.upperBound ?? 0 }

  /// Rows that a window may hold beyond those it reads, before it moves on: few, for its memory should be what it reads;
  /// but a part of the window, for every move copies it.
  private static func slack(_ window: Int) -> Int { max(16, window / 4) }

  /// Makes room for `count` more tokens: windows move on when what they may hold is full.
  func makeRoom(for count: Int) {
    for (index, state) in planned.enumerated() {
      guard case .window(let window) = state.extent else { continue }
      let bound = states[index]
      let held = position - bound.firstPosition
      guard held + count > min(capacities[index], window - 1 + max(count, Self.slack(window))) else { continue }
      let rows = min(held, window - 1)
      bound.base.copyMemory(from: bound.base + (held - rows) * bound.rowBytes, byteCount: rows * bound.rowBytes)
      states[index].firstPosition = position - rows
    }
  }

  /// Takes up `tokens`, the text's next ones, and says which are to be computed and how many of those were before. A text
  /// that grows beyond one of `borders` begins anew.
  func take(_ tokens: [Int], recomputingBeyond borders: [Int]) -> (tokens: [Int], known: Int) {
    textLength = position + tokens.count
    if borders.isEmpty { return (tokens, 0) }
    // A call that was broken off may have left tokens that were never computed.
    history.removeLast(history.count - position)
    if history.capacity < length { history.reserveCapacity(length) }
    history += tokens
    guard position > 0, borders.contains(where: { position <= $0 && $0 < textLength }) else { return (tokens, 0) }
    let known = position
    clearStates()
    return (history, known)
  }

  /// Forgets what stands behind the first `count` tokens, so that another text with the same beginning can go on there;
  /// false, and nothing is changed, where a state has no way back: one row for all tokens, a window that has moved on.
  ///
  /// What was computed beyond one of `borders` was computed for a longer text, and is no beginning of a shorter one.
  func rewind(to count: Int, borders: [Int], restoring: Bool = false) -> Bool {
    // What is given beside the text comes with its first tokens, and stays while any of them does.
    guard (0...position).contains(count), prefix <= count, count > 0 || rowCounts.allSatisfy({ $0 == 0 }),
      !borders.contains(where: { count <= $0 && $0 < position })
    else { return false }
    for (index, state) in planned.enumerated() where count < position {
      switch state.extent {
      case .perToken: break
      case .window(let window):
        if states[index].firstPosition > max(0, count - (window - 1)) { return false }
      case .fixed: if !restoring { return false }
      }
    }
    if count < lent { hasOverwritten = true }
    if count < position { precondition(borrowers == 0, "\(borrowers) sequences have rows of one that goes back") }
    position = count
    textLength = count
    if history.count > count { history.removeLast(history.count - count) }
    return true
  }

  /// Where it is now, with the states that have no way back.
  public var place: SequencePlace {
    SequencePlace(
      position: position,
      states: planned.indices.filter { planned[$0].extent == .fixed }.map {
        Array(UnsafeRawBufferPointer(start: states[$0].base, count: states[$0].rowBytes))
      })
  }

  /// Goes back to `place`, where it was before; false, and nothing is changed, where a window has moved on too far or the text
  /// was computed again since.
  func rewind(to place: SequencePlace, borders: [Int]) -> Bool {
    let fixed = planned.indices.filter { planned[$0].extent == .fixed }
    precondition(fixed.count == place.states.count, "a place of another plan's sequence")
    guard rewind(to: place.position, borders: borders, restoring: true) else { return false }
    for (index, bytes) in zip(fixed, place.states) {
      bytes.withUnsafeBytes { kept in
        if let base = kept.baseAddress { states[index].base.copyMemory(from: base, byteCount: kept.count) }
      }
    }
    return true
  }

  /// Becomes a copy of `other`, a sequence of the same plan that was opened alike: its tokens go on here in another way.
  public func take(over other: SequenceState) {
    precondition(
      other !== self && other.planned == planned && other.capacities == capacities && other.prefix == prefix
        && other.together == together && other.places == places,
      "only a sequence that was opened alike can be copied")
    position = other.position
    textLength = other.textLength
    history = other.history
    rowCounts = other.rowCounts
    for (index, state) in planned.enumerated() {
      let (source, target) = (other.states[index], states[index])
      states[index].firstPosition = source.firstPosition
      let rows =
        switch state.extent {
        case .fixed: 1
        case .perToken, .window:
          state.axis == .tokens ? position - source.firstPosition : rowCounts[state.axis.index]
        }
      target.base.copyMemory(from: source.base, byteCount: min(rows, capacities[index]) * source.rowBytes)
    }
  }

  /// Forgets every token, for another sequence of the same length.
  public func reset() {
    clearStates()
    for index in rowCounts.indices { rowCounts[index] = 0 }
    textLength = 0
    history = []
  }

  private func clearStates() {
    precondition(borrowers == 0, "\(borrowers) sequences have rows of one that begins anew")
    if lent > 0 { hasOverwritten = true }
    // What came of other axes is the same for a text of any length.
    position = 0
    for (index, state) in planned.enumerated() {
      states[index].firstPosition = 0
      if state.extent == .fixed {
        states[index].base.initializeMemory(as: UInt8.self, repeating: 0, count: states[index].rowBytes)
      }
    }
  }

  /// Bytes of its states.
  public var byteCount: Int {
    planned.indices.reduce(0) { $0 + capacities[$1] * states[$1].rowBytes }
  }
}

/// Where a sequence was, to which it can go back: how many tokens it had, and the states that keep one row for all of them.
public struct SequencePlace: Sendable {
  /// How many tokens had been computed.
  public let position: Int
  /// The bytes of each state of one row.
  let states: [[UInt8]]
}
