import Components

/// What is kept of one sequence between passes: its keys and values, or whatever its mixers declare.
public final class SequenceState {
  /// How many tokens have been computed.
  public internal(set) var position = 0
  /// How many tokens it is opened for.
  public let length: Int

  private let planned: [PlannedState]
  private let buffers: [FloatBuffer]
  private let capacities: [Int]
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
  let firstPositions: UnsafeMutablePointer<Int>

  /// Room for `length` tokens, computed at most `rows` at a time.
  init(_ plan: Plan, length: Int, rows: Int) throws(ExecutionProblem) {
    self.length = length
    planned = plan.states
    var buffers: [FloatBuffer] = []
    var capacities: [Int] = []
    for state in plan.states {
      // A window needs room for the pass that is added before the oldest rows may go.
      let capacity =
        switch state.extent {
        case .perToken: length
        case .window(let window): min(length, window + rows)
        case .fixed: 1
        }
      capacities.append(capacity)
      buffers.append(try FloatBuffer(count: capacity * state.width))
    }
    self.buffers = buffers
    self.capacities = capacities
    pointers = .allocate(capacity: max(1, buffers.count))
    firstPositions = .allocate(capacity: max(1, buffers.count))
    for (index, buffer) in buffers.enumerated() {
      (pointers + index).initialize(to: buffer.base)
      (firstPositions + index).initialize(to: 0)
    }
  }

  deinit {
    pointers.deallocate()
    firstPositions.deallocate()
  }

  /// Makes room for `count` more tokens: windows move on when their memory is full.
  func makeRoom(for count: Int) {
    for (index, state) in planned.enumerated() {
      guard case .window(let window) = state.extent else { continue }
      let held = position - firstPositions[index]
      guard held + count > capacities[index] else { continue }
      let kept = min(held, window - 1)
      let from = pointers[index] + (held - kept) * state.width
      pointers[index].update(from: from, count: kept * state.width)
      firstPositions[index] = position - kept
    }
  }

  /// Forgets every token, for another sequence of the same length.
  public func reset() {
    position = 0
    for (index, state) in planned.enumerated() {
      firstPositions[index] = 0
      if state.extent == .fixed { pointers[index].update(repeating: 0, count: state.width) }
    }
  }
}
