import Components
import Essentials
import Execution
import Kernels

/// How well a model does what an objective asks of it, over the windows of a text side by side, or over pictures with their captions.
///
///     loss = mean over what is predicted of the objective's loss      perplexity = e^loss
///
/// It is what a run has for its loss on validation data of the same windows: what is random in a window follows from where it
/// stands.
public struct ObjectiveEvaluation: Sendable {
  /// The mean loss of a prediction, in nats.
  public let loss: Double
  /// How many predictions there were.
  public let predictions: Int

  /// e to the loss.
  public var perplexity: Double { exp(loss) }

  /// Holds the model of `plan` against `text`, whose vocabulary has `marks`, in windows of which it reads `context` tokens each.
  ///
  /// `progress` is told the part that is done. Throws `TrainingProblem` where the model is not for the objective, and at the first
  /// window whose loss is NaN.
  public init(
    _ plan: Plan, _ parameters: Parameters, _ objective: any Objective, on text: TokenText, marks: TextMarks?,
    context: Int, among registry: Registry, pool: ThreadPool, progress: (Double) -> Void = { _ in }
  ) throws {
    let maker = BatchMaker(objective, marks)
    try maker.check(plan, context: context, among: registry)
    let windows = HeldOut(text, context: context, maker)
    let window = maker.window(of: context)
    if windows.count == 0 {
      throw TrainingProblem.tooFewTokens(found: text.count, needed: window.tokens, what: "given")
    }
    try self.init(
      plan, parameters, maker, windows, together: 8, context: context, stride: window.stride, pool: pool,
      progress: progress)
  }

  /// Holds the model of `plan` against `examples`, `together` at a time: of an objective that compares those of a batch, the loss goes
  /// by how many there are.
  public init(
    _ plan: Plan, _ parameters: Parameters, _ objective: any Objective, on examples: TrainingExamples,
    together: Int, marks: TextMarks?, among registry: Registry, pool: ThreadPool,
    progress: (Double) -> Void = { _ in }
  ) throws {
    let maker = BatchMaker(objective, marks)
    if examples.count == 0 { throw TrainingProblem.noExamples(what: "given") }
    try maker.check(plan, context: examples.longest, among: registry)
    try self.init(
      plan, parameters, maker, HeldOut(examples, maker), together: together, context: examples.longest, stride: 1,
      pool: pool, progress: progress)
  }

  private init(
    _ plan: Plan, _ parameters: Parameters, _ maker: BatchMaker, _ items: HeldOut, together: Int, context: Int,
    stride: Int, pool: ThreadPool, progress: (Double) -> Void
  ) throws {
    // Of tensors that nobody learns no gradient is computed, and none takes memory.
    let executor = try GradientExecutor(
      plan.rewritten(steps: plan.steps, parameters: plan.parameters.map(\.frozen)), parameters, pool: pool,
      rows: together * plan.otherAxes.reduce(context) { max($0, plan.longestInput(on: $1)) },
      loss: maker.objective.loss, options: TrainingOptions(precision: .f32))
    var (sum, count) = (0.0, 0)
    for first in Swift.stride(from: 0, to: items.count, by: together) {
      let places = Array(first..<min(items.count, first + together))
      let batch = try items.batch(places)
      let loss = try executor.loss(batch)
      guard loss.isFinite else {
        throw TrainingProblem.evaluationNotANumber(token: first * stride, isInfinite: loss == .infinity)
      }
      sum += loss * Double(batch.predictions)
      count += batch.predictions
      progress(Double(places.count + first) / Double(items.count))
    }
    loss = sum / Double(max(1, count))
    predictions = count
  }
}
