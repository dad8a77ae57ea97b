import Components
import Execution
import Kernels

/// An objective with options, tried on made-up texts, and on outputs that are rows of a table.
struct ObjectiveTrial: Trial {
  let setting: String
  let checks: [Check] = [.rows, .gradients, .threads]
  let place = "the objective"
  private let objective: any Objective

  /// A look at the objective of `sample`; throws what is wrong with its options.
  init(_ sample: ConformanceCase, of registry: Registry) throws {
    setting = sample.description
    objective = try registry.make(.objective, sample.setting)
  }

  /// Tokens of the vocabulary, and numbers of an output: an even number, for outputs of two halves.
  private static let width = 14
  /// Tokens that a sequence reads.
  private static let context = 12
  private static let marks = TextMarks(vocabulary: width, before: [1], behind: [2], mask: 3, special: [0, 1, 2, 3])

  func sentences(_ check: Check) throws -> [String] {
    switch check {
    case .rows: rows()
    case .gradients: try gradients()
    case .threads: try threads()
    default: []
    }
  }

  /// A sequence of `count` tokens, none of them a mark.
  private static func sequence(_ number: Int, count: Int) -> TrainedSequence {
    var noise = Noise(seed: UInt64(number))
    return TrainedSequence((0..<count).map { _ in 4 + noise.roll(width - 4) })
  }

  private func made(_ number: Int, count: Int) -> TrainedRows {
    objective.rows(of: Self.sequence(number, count: count), Self.marks, CounterRandom(seed: 1, stream: UInt64(number)))
  }

  private func rows() -> [String] {
    let window = objective.window(of: Self.context, Self.marks)
    if window.stride < 1 || window.tokens < window.stride {
      return ["its windows have \(window.tokens) tokens and begin \(window.stride) apart: some of a text is never read"]
    }
    var sentences: [String] = []
    func note(_ sentence: String) { if !sentences.contains(sentence) { sentences.append(sentence) } }
    for number in 0..<20 {
      let rows = made(number, count: window.tokens)
      if rows.inputs.isEmpty || rows.inputs.count > Self.context {
        note("of a window for \(Self.context) tokens \(rows.inputs.count) are read")
      }
      if let token = rows.inputs.first(where: { !(0..<Self.width).contains($0) }) {
        note("the token \(token) is read, of a vocabulary of \(Self.width)")
      }
      if let target = rows.targets.first(where: { !(-1..<Self.width).contains($0) }) {
        note("the target \(target) is none of \(Self.width) outputs, and not −1")
      }
      if rows.targets.allSatisfy({ $0 < 0 }) { note("nothing is predicted of a sequence of \(window.tokens) tokens") }
      if made(number, count: window.tokens) != rows { note("the same random numbers do not give the same rows") }
    }
    return sentences
  }

  /// Gradients of the table are those that finite differences along a random direction give, to some roundings of `Float`.
  private func gradients() throws -> [String] {
    let shape = ValueShape(width: Self.width, axis: .outputs)
    guard objective.loss.outputs([shape], parameters: []) == [shape.with(width: 1)] else {
      return ["its loss is not one number for each row of outputs"]
    }
    let course = try Course(self)
    let found = try course.gradientLoss()
    guard found.isFinite else { return ["its loss of random outputs is \(found)"] }
    var noise = Noise(seed: 5)
    guard let numbers = course.parameters.mutable(0) else { return [] }
    let (original, gradient) = (Array(numbers), course.gradient)
    let direction = original.map { _ in noise.next() }
    func loss(at step: Float) throws -> Double {
      for i in numbers.indices { numbers[i] = original[i] + step * direction[i] }
      defer { for i in numbers.indices { numbers[i] = original[i] } }
      return try course.loss()
    }
    let computed = zip(gradient, direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    let size = zip(gradient, direction).reduce(0) { $0 + abs(Double($1.0) * Double($1.1)) }
    let step: Float = 2e-3
    let measured = try (loss(at: step) - loss(at: -step)) / Double(2 * step)
    if size == 0 { return ["its loss has no gradient"] }
    // ½ ulp of a loss near 3 over 2·step is 6e-5.
    if abs(measured - computed) <= 0.01 * size + 3e-4 { return [] }
    return ["the gradient of its loss is \(computed) along a random direction, and finite differences give \(measured)"]
  }

  /// The same bits on one thread and on three.
  private func threads() throws -> [String] {
    let found = try [1, 3].map { threads in
      let course = try Course(self, threads: threads)
      return (loss: try course.gradientLoss(), gradient: course.gradient)
    }
    if found[0].loss == found[1].loss, found[0].gradient == found[1].gradient { return [] }
    return ["1 and 3 threads give the loss other bits"]
  }

  /// A batch of sequences read by a model whose outputs are rows of its table.
  private struct Course {
    let parameters: Parameters
    private let executor: GradientExecutor
    private let batch: [TrainedRows]

    init(_ trial: ObjectiveTrial, threads: Int = 2) throws {
      let count = trial.objective.window(of: ObjectiveTrial.context, ObjectiveTrial.marks).tokens
      batch = (0..<4).map { trial.made($0, count: count) }
      let width = ObjectiveTrial.width
      var builder = PlanBuilder(
        shape: ModelShape(vocabSize: width, contextLength: ObjectiveTrial.context, hiddenSize: width, layerCount: 1))
      let table = builder.parameter("embed.tokens.weight", shape: [width, width], starts: .zeros)
      let rows = builder.apply(EmbeddingLookup(), to: [], parameters: [table])[0]
      let outputs = builder.selectRows(rows)
      let plan = try builder.finish(name: "table", logits: outputs)
      parameters = try Parameters(plan, seed: 1)
      var noise = Noise(seed: 3)
      if let numbers = parameters.mutable(0) { for i in numbers.indices { numbers[i] = noise.next() } }
      executor = try GradientExecutor(
        plan, parameters, pool: ThreadPool(threads: threads), rows: batch.reduce(0) { $0 + $1.inputs.count },
        loss: trial.objective.loss, options: TrainingOptions(precision: .f32))
    }

    func loss() throws -> Double { try executor.loss(batch.map(\.inputs), targets: batch.map(\.targets)) }

    /// The loss, of which the gradient is computed too.
    func gradientLoss() throws -> Double {
      executor.clearGradients()
      return try executor.trainingLoss(batch.map(\.inputs), targets: batch.map(\.targets))
    }

    var gradient: [Float] { Array(executor.gradient(0)) }
  }
}
