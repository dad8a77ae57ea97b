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
  let batch: (_ index: Int) -> Batch
  private let validation: TokenText?
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

  /// A trainer of `plan` from `parameters`, which must lie in memory of their own, on `training`. Where the settings ask for
  /// an adapter, `parameters` are those of the plan with one.
  ///
  /// Throws when there are fewer tokens than a window takes, when memory is short, and what is wrong with the settings.
  public convenience init(
    _ composed: Plan, _ parameters: Parameters, _ settings: TrainingSettings, training: TokenText,
    validation: TokenText?, pool: ThreadPool
  ) throws {
    let window = settings.context + 1
    for (text, what) in [(training, "training"), (validation, "validation")] {
      guard let text else { continue }
      if text.count < window { throw TrainingProblem.tooFewTokens(found: text.count, needed: window, what: what) }
    }
    let order = WindowOrder(tokens: training.count, length: settings.context, seed: settings.seed)
    try self.init(composed, parameters, settings, validation: validation, pool: pool) { index in
      Batch(
        windows: (0..<settings.batch).map { row in
          let start = order.start(of: index * settings.batch + row)
          return training[start..<start + settings.context + 1]
        })
    }
  }

  /// A trainer of `plan` from `parameters`, which must lie in memory of their own (those of the plan with an adapter, where
  /// the settings ask for one), on what `batch` gives: of the same index
  /// the same, of at most `settings.batch` sequences of `settings.context` tokens.
  ///
  /// Throws when memory is short, and what is wrong with the settings.
  public init(
    _ composed: Plan, _ parameters: Parameters, _ settings: TrainingSettings, validation: TokenText?, pool: ThreadPool,
    batch: @escaping (_ index: Int) -> Batch
  ) throws {
    self.settings = settings
    self.parameters = parameters
    self.pool = pool
    optimizer = try settings.makeOptimizer()
    rates = try settings.learningRate()
    let clock = DropoutClock(seed: settings.seed)
    dropout = settings.dropout > 0 || settings.lora.map { $0.dropout > 0 } ?? false ? clock : nil
    if composed.seesWholeTexts || composed.prediction != .tokens { throw TrainingProblem.noNextToken(composed.name) }
    if !composed.otherAxes.isEmpty { throw TrainingProblem.severalStacks(composed.name) }
    try optimizer.checkRules(of: composed)
    let whole = try settings.lora.map { try composed.adapted(by: $0, clock) } ?? composed
    plan = settings.dropout > 0 ? whole.droppingOut(settings.dropout, clock) : whole
    self.batch = batch
    self.validation = validation
    executor = try GradientExecutor(
      plan, parameters, pool: pool, rows: settings.batch * settings.context, options: settings.options)
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
      let batch = batch(step * settings.accumulate + part)
      total += try executor.trainingLoss(
        batch.inputs, targets: batch.targets, gradientScale: 1 / Float(settings.accumulate))
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
    }
    step = number
    return Report(step: number, loss: mean, rate: rate, gradientNorm: norm)
  }

  /// The mean loss over windows of the validation data, spread evenly; nil when there is none.
  public func validate() throws -> Double? {
    guard let validation else { return nil }
    let starts = validationStarts(validation)
    var total = 0.0
    var count = 0
    for first in stride(from: 0, to: starts.count, by: settings.batch) {
      let batch = Batch(
        windows: starts[first..<min(starts.count, first + settings.batch)].map {
          validation[$0..<$0 + settings.context + 1]
        })
      total += try executor.loss(batch.inputs, targets: batch.targets) * Double(batch.count)
      count += batch.count
    }
    return total / Double(count)
  }

  /// The loss of each of those windows by itself, in the order of the text; nil when there is no validation data.
  public func validationLosses() throws -> [Double]? {
    guard let validation else { return nil }
    return try validationStarts(validation).map { start in
      let batch = Batch(windows: [validation[start..<start + settings.context + 1]])
      return try executor.loss(batch.inputs, targets: batch.targets)
    }
  }

  /// At most `count` windows of the validation data, spread evenly; none where there is none.
  func validationWindows(atMost count: Int) -> [[Int]] {
    guard let validation else { return [] }
    let windows = (validation.count - 1) / settings.context
    let wanted = min(windows, count)
    return (0..<wanted).map { place in
      let start = place * windows / wanted * settings.context
      return validation[start..<start + settings.context + 1]
    }
  }

  /// Where the windows of a validation begin.
  private func validationStarts(_ validation: TokenText) -> [Int] {
    let windows = (validation.count - 1) / settings.context
    let limit = settings.validationBatches == 0 ? windows : settings.validationBatches.multiplied(upTo: settings.batch)
    let wanted = min(windows, limit)
    return (0..<wanted).map { $0 * windows / wanted * settings.context }
  }
}
