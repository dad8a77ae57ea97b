import Formats
import Components
import Kernels

/// Runs a plan: forwards over new tokens of sequences, whose states it updates.
///
/// It knows steps, memory and threads, and nothing of what the steps compute. Everything is bound when it is made: after the
/// first of its size a pass allocates nothing, however many threads it has (`Tests/Allocations` counts). What does: opening
/// a sequence, a profile, the array in which a caller hands over the tokens, and attention over more than six sequences at
/// once, whose table no longer fits on the stack: once a step. One executor is used by one thread at a
/// time.
public final class PlanExecutor {
  /// The plan as it is run: with fewer steps than were composed, unless that was not wanted.
  public let plan: Plan
  /// How many rows one pass takes at most; longer prompts are computed in parts.
  public let maximumRows: Int
  /// The storage format of cached states, where a state allows it.
  public let stateFormat: StorageFormat
  private let maximumOutputs: Int
  /// The compute type of matrix multiplications by weights in less than `Float`.
  public let computeType: ComputeType
  private let parameters: Parameters
  private let pool: ThreadPool
  private let memory: FloatBuffer
  private let binding: StepBinding
  private let kernels: [any Kernel]
  private var passMemory: PassMemory
  private var pass: PassPlan
  private let otherAxes: [RowAxis]
  private let axesBesideText: [RowAxis]
  private let takesRows: Bool
  private var longest = 0
  /// Lengths at which a text is computed again.
  private let borders: [Int]
  /// Whether a text is computed at once and cannot be continued.
  private let takesWholeTexts: Bool
  /// What runs the steps instead, a profile or one who watches; nil, and nothing is measured or shown, when nobody asked.
  private var runner: (any StepRunner)?

  /// An executor of `plan` with `parameters`, whose passes take up to `maximumRows` rows.
  ///
  /// States are stored in `states`, one of `PlannedState.formats`, and matrices multiplied in `computeType`. With `fusing`,
  /// the plan's passes run first; without, every step runs as it was composed. None of these has a default: each changes
  /// results, if only in their last bits.
  public init(
    _ composed: Plan, _ parameters: Parameters, pool: ThreadPool, maximumRows: Int = 256,
    states: StorageFormat, fusing: Bool, computeType: ComputeType
  ) throws(ExecutionProblem) {
    precondition(PlannedState.formats.contains(states), "no state is stored in \(states.rawValue)")
    stateFormat = states
    let plan = fusing ? composed.fused() : composed
    self.plan = plan
    borders = composed.recomputationLengths
    takesWholeTexts = composed.seesWholeTexts
    self.computeType = computeType
    self.parameters = parameters
    self.pool = pool
    // A multiple of 16, so that every value starts at a cache line.
    let rows = (min(max(1, maximumRows), plan.longestSequence ?? maximumRows) + 15) / 16 * 16
    self.maximumRows = rows
    // Logits are wide: when all are asked for, passes are shorter instead, where texts may be divided.
    maximumOutputs = takesWholeTexts ? rows : min(rows, 64)
    let layout = MemoryPlan(sharingIn: plan)
    memory = try FloatBuffer(count: layout.width * rows)
    binding = StepBinding(plan, parameters, values: memory.base, layout: layout, rows: rows, computeType: computeType)
    kernels = try plan.kernels()
    passMemory = try PassMemory(plan, rows: rows)
    pass = PassPlan(rows: rows, outputs: maximumOutputs)
    otherAxes = plan.otherAxes
    axesBesideText = plan.axesBesideText.filter { plan.axes[$0.index].kind != .unused }
    takesRows = plan.axes[RowAxis.tokens.index].inputWidth != nil
  }

  /// Opens a sequence of at most `length` tokens; throws when the model cannot take so many, or memory cannot. Its first
  /// `prefix` tokens see each other where a mask of the plan lets them, and so do those of each range of `together`; `places`
  /// tells where they stand in time, down and across. Of two texts that are
  /// read together the second begins at `second`. With `lending`, other sequences can begin with its rows.
  public func openSequence(
    length: Int, prefix: Int = 0, second: Int = Int.max, together: [Range<Int>] = [],
    places: TextPlaces = TextPlaces(), lending: Bool = false
  ) throws(ExecutionProblem) -> SequenceState {
    let prefix = max(prefix, together.last?.upperBound ?? 0)
    if prefix > min(length, maximumRows) { throw .tooLong(tokens: prefix, limit: min(length, maximumRows)) }
    if takesWholeTexts, length > maximumRows { throw .tooLong(tokens: length, limit: maximumRows) }
    if let limit = plan.longestSequence, length > limit { throw .tooLong(tokens: length, limit: limit) }
    if length > longest {
      try passMemory.reserveScratch(plan.scratchNeed(rows: maximumRows, context: length), workers: pool.threads)
      longest = length
    }
    return try SequenceState(
      plan, length: length, prefix: prefix, second: second, together: together, places: places, rows: maximumRows,
      format: stateFormat, lending: lending)
  }

  /// Forgets what `sequence` has behind its first `count` tokens; false, and nothing is changed, where that cannot be.
  public func rewind(_ sequence: SequenceState, to count: Int) -> Bool { sequence.rewind(to: count, borders: borders) }

  /// Goes back to `place`, where `sequence` was before; false, and nothing is changed, where that cannot be.
  public func rewind(_ sequence: SequenceState, to place: SequencePlace) -> Bool {
    sequence.rewind(to: place, borders: borders)
  }

  /// Whether a sequence goes back only to a place that was kept: it has states with one row for all its tokens.
  public var hasOneWay: Bool { plan.states.contains { $0.extent == .fixed } }

  /// How many tokens can be computed behind the next one of `sequence`, in the same pass, and be taken back: so many that they
  /// change nothing of what is computed of those before them, whose numbers may go by the length of the text.
  public func mostTentative(behind sequence: SequenceState) -> Int {
    let next = sequence.position + 1
    var end = min(sequence.length, next + maximumOutputs - 1)
    // A pass that begins a text anew is left alone.
    for border in borders where border >= sequence.position { end = min(end, border) }
    if let border = plan.longestTextInParts { end = min(end, border) }
    return takesWholeTexts ? 0 : max(0, end - next)
  }

  /// Whether another sequence could begin with the first `count` tokens of `sequence`.
  public func holds(_ sequence: SequenceState, first count: Int) -> Bool {
    sequence.holds(first: count, borders: borders)
  }

  /// Lets `sequence`, of which nothing is computed, begin with the first `count` tokens of `other`, whose rows are not copied
  /// where they can be lent; false, and nothing is changed, where a state of `other` is no longer what it was behind them.
  ///
  /// The careful reader's mistake: the rows are those of `other`, in their last bits too, which hang on the calls that
  /// computed them.
  public func begin(_ sequence: SequenceState, with count: Int, of other: SequenceState) -> Bool {
    sequence.begin(with: count, of: other, borders: borders)
  }

  /// Which logits a pass computes.
  public enum Wanted: Sendable {
    /// Those of each sequence's last new token.
    case last
    /// Those of every new token.
    case all
    /// Those of each sequence's first token.
    case first
  }

  /// Computes the new `tokens` of each sequence and hands out the logits that are wanted, in order: the index of the
  /// sequence among `inputs`, the position of the token, and its logits, which are valid until `each` returns.
  ///
  /// What goes by a text's length goes by that of the sequence with all of its `tokens`: not by how many it is opened for,
  /// nor by the other sequences. Where `Plan.recomputationLengths` says so, earlier tokens are computed again first.
  public func forward(
    _ inputs: [(sequence: SequenceState, tokens: [Int])], beside given: [[RowAxis: AxisInput]] = [],
    logits wanted: Wanted, _ each: (_ input: Int, _ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    if !given.isEmpty || !otherAxes.isEmpty || takesRows {
      let new = inputs.indices.filter { inputs[$0].sequence.position == 0 }
      try plan.check(given, new: new, counts: inputs.lazy.map(\.tokens.count), limit: maximumRows)
    }
    for input in inputs {
      if input.tokens.isEmpty { throw ExecutionProblem.noTokens }
      let total = input.sequence.position + input.tokens.count
      if total > input.sequence.length { throw ExecutionProblem.tooLong(tokens: total, limit: input.sequence.length) }
      if takesWholeTexts, input.sequence.position > 0 { throw ExecutionProblem.continued }
      if let id = input.tokens.first(where: { $0 < 0 || $0 >= plan.shape.vocabSize }) {
        throw ExecutionProblem.unknownToken(id, vocabulary: plan.shape.vocabSize)
      }
    }
    pass.begin(wanted)
    defer { pass.clear() }
    for (index, input) in inputs.enumerated() {
      let (tokens, known) = input.sequence.take(input.tokens, recomputingBeyond: borders)
      var done = 0
      // Tokens that see each other are computed together.
      let together = takesWholeTexts ? tokens.count : input.sequence.position == 0 ? input.sequence.prefix : 0
      if pass.room < together, !pass.isEmpty {
        try run(inputs, given, each)
        pass.clear()
      }
      let limit = min(maximumRows, tokens.count)
      if together > limit { throw ExecutionProblem.tooLong(tokens: together, limit: limit) }
      while done < tokens.count {
        let count = pass.add(
          input: index, tokens: tokens[done...], known: max(0, known - done), together: done == 0 ? together : 0)
        done += count
        if pass.isFull || (done < tokens.count) {
          try run(inputs, given, each)
          pass.clear()
        }
      }
    }
    if !pass.isEmpty { try run(inputs, given, each) }
  }

  private func run(
    _ inputs: [(sequence: SequenceState, tokens: [Int])], _ given: [[RowAxis: AxisInput]],
    _ each: (Int, Int, UnsafeBufferPointer<Float>) throws -> Void
  ) rethrows {
    for part in pass.parts { inputs[part.input].sequence.makeRoom(for: part.tokens.count) }
    let (bound, outputs) = passMemory.fill(pass, inputs, given: given, pool: pool)
    run(bound)
    for (index, part) in pass.parts.enumerated() {
      let sequence = inputs[part.input].sequence
      sequence.position += part.tokens.count
      for axis in axesBesideText {
        sequence.rowCounts[axis.index] += bound.batches[axis.index].sequences[index].rows.count
      }
    }
    let logits = binding.address(of: plan.logits)
    for (index, output) in outputs.enumerated() {
      let row = UnsafeBufferPointer(start: logits + index * plan.logits.width, count: plan.logits.width)
      try each(output.input, output.position, row)
    }
  }

  private func run(_ bound: Pass) {
    if let runner {
      runner.run(kernels, binding, in: bound)
      return
    }
    for step in binding.steps.indices where bound.batches[binding.steps[step].axis.index].count > 0 {
      kernels[step].forward(ForwardContext(binding.steps[step], in: bound))
    }
  }

  /// The rows of the plan's logits for what is `given` beside a text, of which nothing is computed: a stack by itself, as
  /// `Plan.encoder(of:)` has it.
  public func encode(_ given: [RowAxis: AxisInput]) throws(ExecutionProblem) -> [Float] {
    try plan.check([given], new: [0], counts: [], limit: maximumRows)
    let sequence = try openSequence(length: 1)
    pass.begin(.last)
    defer { pass.clear() }
    _ = pass.add(input: 0, tokens: [], known: 0)
    let (bound, _) = passMemory.fill(pass, [(sequence, [])], given: [given], pool: pool)
    run(bound)
    let count = bound.batches[plan.logits.axis.index].count * plan.logits.width
    return Array(UnsafeBufferPointer(start: binding.address(of: plan.logits), count: count))
  }

  /// Where the time goes since `startProfile`; nil when nobody asked.
  public var profile: Profile? { runner as? Profile }

  /// Measures the passes from here on, from zero; nobody watches them any more.
  public func startProfile() { runner = Profile(plan, stepWork) }

  /// Measures no longer.
  public func endProfile() { runner = nil }

  /// Shows `watcher` each step of the passes from here on, and measures none; nil ends it.
  public func watch(_ watcher: (any PassWatcher)?) { runner = watcher.map(WatchedSteps.init) }

  /// How much each step does.
  var stepWork: [StepWork] { plan.steps.map { StepWork($0, in: plan, parameters) } }

  /// Bytes of memory for values and sequences' scratch, without weights and states.
  public var workingBytes: Int { memory.count * MemoryLayout<Float>.stride + passMemory.byteCount }
}
