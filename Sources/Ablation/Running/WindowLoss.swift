import Components
import Execution
import Kernels
import Training

/// The loss of a trained arm over windows of another length than it was trained at.
///
/// The windows lie side by side from the beginning of the validation text, so that every length reads the same tokens as
/// far as whole windows go; every token but the first of a window is predicted from those before it.
struct WindowLoss {
  private let trainer: Trainer
  private let text: TokenText
  private let pool: ThreadPool

  init(_ trainer: Trainer, text: TokenText, pool: ThreadPool) {
    self.trainer = trainer
    self.text = text
    self.pool = pool
  }

  /// The mean loss in nats over about `tokens` tokens in windows of `context`; nil when the model cannot take as many at
  /// once, or the text has no such window.
  func loss(context: Int, tokens: Int) throws -> Double? {
    if let limit = trainer.plan.longestSequence, context > limit { return nil }
    let windows = min((text.count - 1) / context, max(1, tokens / context))
    guard windows > 0 else { return nil }
    let together = max(1, trainer.settings.batch * trainer.settings.context / context)
    let executor = try GradientExecutor(
      trainer.plan, trainer.parameters, pool: pool, rows: together * context, options: TrainingOptions(precision: .f32))
    var sum = 0.0
    var count = 0
    for first in stride(from: 0, to: windows, by: together) {
      let batch = Batch(
        windows: (first..<min(windows, first + together)).map { text[$0 * context..<($0 + 1) * context + 1] })
      sum += try executor.loss(batch.inputs, targets: batch.targets) * Double(batch.count)
      count += batch.count
    }
    return sum / Double(count)
  }
}
