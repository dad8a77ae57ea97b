import Components
import Execution
import Files
import Kernels

/// A model being trained: its parameters, what the optimizer keeps of them, and the step it is at. It touches no file.
///
/// Everything random follows from the seeds and the number of the step, so parameters, moments and that number are all
/// there is to go on from, and going on gives the same bits as never having stopped, on the same number of threads.
public final class Trainer {
  /// The plan.
  public let plan: Plan
  /// The settings.
  public let settings: TrainingSettings
  /// The parameters.
  public let parameters: Parameters
  /// Steps done.
  public internal(set) var step = 0

  let moments: [[Moment]]
  private let optimizer: any Optimizer
  private let rates: LearningRate
  /// What computes its gradients.
  public let executor: GradientExecutor
  private let pool: ThreadPool
  /// Batch `index` of the run.
  let batch: (_ index: Int) throws -> Batch
  private let validation: HeldOut?
  private let dropout: DropoutClock?

  /// What an optimizer keeps of a tensor, under the name that it is saved by.
  struct Moment {
    let name: String
    let memory: Floats
  }

  /// What a step was.
  public struct Report: Sendable {
    /// Its number, from 1.
    public let step: Int
    /// The mean loss of its tokens before it, in nats.
    public let loss: Double
    /// The learning rate.
    public let rate: Double
    /// The length of the gradient before it was cut.
    public let gradientNorm: Double

    package init(step: Int, loss: Double, rate: Double, gradientNorm: Double) {
      (self.step, self.loss, self.rate, self.gradientNorm) = (step, loss, rate, gradientNorm)
    }
  }

  /// A trainer of `plan` from `parameters`, which must lie in memory of their own, on `training`, whose vocabulary has `marks`.
  /// Where the settings ask for an adapter, `parameters` are those of the plan with one.
  ///
  /// Throws when there are fewer tokens than a window takes, when memory is short, and what is wrong with the settings.
  public convenience init(
    _ composed: Plan, _ parameters: Parameters, _ settings: TrainingSettings, training: TokenText,
    validation: TokenText?, marks: TextMarks? = nil, pool: ThreadPool
  ) throws {
    let maker = BatchMaker(try settings.makeObjective(), marks)
    try maker.check(composed, context: settings.context, among: settings.registry)
    let window = maker.window(of: settings.context)
    for (text, what) in [(training, "training"), (validation, "validation")] {
      guard let text else { continue }
      if text.count < window.tokens {
        throw TrainingProblem.tooFewTokens(found: text.count, needed: window.tokens, what: what)
      }
    }
    let order = WindowOrder(
      tokens: training.count - window.tokens + window.stride + 1, length: window.stride, seed: settings.seed)
    try self.init(
      composed, parameters, settings, given: [],
      heldOut: validation.map { HeldOut($0, context: settings.context, maker) }, pool: pool
    ) { index in
      maker.batch(
        (0..<settings.batch).map { row in
          let number = index * settings.batch + row
          return (TrainedSequence(training[window, at: order.start(of: number)]), number: number)
        }, seed: settings.seed)
    }
  }

  /// A trainer of `plan` from `parameters`, which must lie in memory of their own, on questions about pictures: every epoch each
  /// once, shuffled anew.
  ///
  /// Throws when there are none, when one is longer than `settings.context`, when memory is short, and what is wrong with the settings.
  public convenience init(
    _ composed: Plan, _ parameters: Parameters, _ settings: TrainingSettings, training: TrainingExamples,
    validation: TrainingExamples?, marks: TextMarks? = nil, pool: ThreadPool
  ) throws {
    let maker = BatchMaker(try settings.makeObjective(), marks)
    try maker.check(composed, context: settings.context, among: settings.registry)
    for (examples, what) in [(training, "training"), (validation, "validation")] {
      guard let examples else { continue }
      if examples.count == 0 { throw TrainingProblem.noExamples(what: what) }
      if examples.longest > settings.context {
        throw TrainingProblem.longExample(tokens: examples.longest, context: settings.context)
      }
    }
    let order = WindowOrder(items: training.count, seed: settings.seed)
    try self.init(
      composed, parameters, settings, given: [training.axis], heldOut: validation.map { HeldOut($0, maker) }, pool: pool
    ) { index in
      let numbers = (0..<settings.batch).map { index * settings.batch + $0 }
      return try training.batch(
        numbers.map { order.start(of: $0) }, numbers: numbers, seed: settings.seed, maker)
    }
  }

  /// A trainer of `plan` from `parameters`, which must lie in memory of their own (those of the plan with an adapter, where
  /// the settings ask for one), on what `batch` gives: of the same index
  /// the same, of at most `settings.batch` sequences of `settings.context` tokens.
  ///
  /// Throws when memory is short, and what is wrong with the settings.
  public convenience init(
    _ composed: Plan, _ parameters: Parameters, _ settings: TrainingSettings, validation: TokenText?, pool: ThreadPool,
    batch: @escaping (_ index: Int) throws -> Batch
  ) throws {
    let maker = BatchMaker(try settings.makeObjective(), nil)
    try maker.check(composed, context: settings.context, among: settings.registry)
    try self.init(
      composed, parameters, settings, given: [],
      heldOut: validation.map { HeldOut($0, context: settings.context, maker) }, pool: pool, batch: batch)
  }

  /// The same, whose batches give something on the axes `given` beside the text's.
  private init(
    _ composed: Plan, _ parameters: Parameters, _ settings: TrainingSettings, given: Set<RowAxis>, heldOut: HeldOut?,
    pool: ThreadPool, batch: @escaping (_ index: Int) throws -> Batch
  ) throws {
    self.settings = settings
    self.parameters = parameters
    self.pool = pool
    optimizer = try settings.makeOptimizer()
    rates = try settings.learningRate()
    let clock = DropoutClock(seed: settings.seed)
    dropout = settings.dropout > 0 || settings.lora.map { $0.dropout > 0 } ?? false ? clock : nil
    if !given.isSuperset(of: composed.otherAxes) { throw TrainingProblem.severalStacks(composed.name) }
    let learned = try composed.freezing(settings.frozen)
    try optimizer.checkRules(of: learned)
    let whole = try settings.lora.map { try learned.adapted(by: $0, clock) } ?? learned
    plan = settings.dropout > 0 ? whole.droppingOut(settings.dropout, clock) : whole
    self.batch = batch
    validation = heldOut
    executor = try GradientExecutor(
      plan, parameters, pool: pool, rows: plan.trainingRows(settings), loss: settings.makeObjective().loss,
      options: settings.options)
    var moments: [[Moment]] = []
    for tensor in plan.parameters {
      moments.append(
        try (tensor.isFrozen ? [] : optimizer.moments(of: tensor)).map { name in
          Moment(name: "\(tensor.name).\(name)", memory: try Floats(count: tensor.count))
        })
    }
    self.moments = moments
  }

  /// Does one step.
  public func advance() throws -> Report {
    let number = step + 1
    var total = 0.0
    executor.clearGradients()
    for part in 0..<settings.accumulate {
      dropout?.begin(step: number, part: part)
      let batch = try batch(step * settings.accumulate + part)
      total += try executor.trainingLoss(
        batch.inputs, targets: batch.targets, beside: batch.beside, prefixes: batch.prefixes,
        gradientScale: 1 / Float(settings.accumulate))
    }
    dropout?.end()
    let mean = total / Double(settings.accumulate)
    let gradients = executor.gradients
    let norm = gradientNorm(UnsafeBufferPointer(gradients), pool: pool)
    guard mean.isFinite, norm.isFinite else { throw TrainingProblem.notANumber(step: step) }
    let cut = settings.clip > 0 && norm > settings.clip ? settings.clip / norm : 1
    let rate = rates[number]
    for (index, tensor) in plan.parameters.enumerated() where !tensor.isFrozen {
      guard let numbers = parameters.mutable(index)?.baseAddress, let all = gradients.baseAddress else { continue }
      optimizer.update(
        TensorUpdate(
          tensor: tensor, parameters: numbers, gradients: all + executor.layout.ranges[index].lowerBound,
          moments: moments[index].map(\.memory.base), step: number, rate: rate * tensor.update.rate,
          gradientScale: cut, pool: pool))
      if let most = tensor.most {
        for i in 0..<tensor.count { numbers[i] = min(numbers[i], Float(most)) }
      }
    }
    step = number
    return Report(step: number, loss: mean, rate: rate, gradientNorm: norm)
  }

  /// The mean loss over the validation data, or over windows or examples of it, spread evenly; nil when there is none.
  public func validate() throws -> Double? {
    guard let validation else { return nil }
    let places = validationPlaces(validation)
    var total = 0.0
    var count = 0
    for first in stride(from: 0, to: places.count, by: settings.batch) {
      let batch = try validation.batch(Array(places[first..<min(places.count, first + settings.batch)]))
      total += try executor.loss(batch) * Double(batch.predictions)
      count += batch.predictions
    }
    return total / Double(count)
  }

  /// The loss of each of those by itself, in their order; nil when there is no validation data.
  public func validationLosses() throws -> [Double]? {
    guard let validation else { return nil }
    return try validationPlaces(validation).map { try executor.loss(validation.batch([$0])) }
  }

  /// Batches of at most `count` windows or examples of the validation data, spread evenly; none where there is none.
  func validationBatches(atMost count: Int) throws -> [Batch] {
    guard let validation else { return [] }
    let places = validation.places(atMost: count)
    return try stride(from: 0, to: places.count, by: settings.batch).map { first in
      try validation.batch(Array(places[first..<min(places.count, first + settings.batch)]))
    }
  }

  /// What a validation reads.
  private func validationPlaces(_ validation: HeldOut) -> [Int] {
    let limit = settings.validationBatches
    return validation.places(atMost: limit == 0 ? validation.count : limit.multiplied(upTo: settings.batch))
  }
}

extension Plan {
  /// Rows of a batch on the axis that has most of them.
  func trainingRows(_ settings: TrainingSettings) -> Int {
    let longest = otherAxes.reduce(settings.context) { max($0, longestInput(on: $1)) }
    return settings.batch.multiplied(upTo: longest)
  }
}
