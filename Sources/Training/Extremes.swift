import Components
import Essentials
import Execution

/// The largest numbers of a model's forward pass: what grows before training becomes unstable.
///
/// Attention logits: Dehghani et al., 2023, https://arxiv.org/abs/2302.05442; activations: Sun et al., 2024,
/// https://arxiv.org/abs/2402.17762.
public struct Extremes: Sendable, Hashable {
  /// The largest attention logit, before a cap and before what positions add; nil where nothing attends.
  public let score: Double?
  /// The largest absolute value of what any step of the text's tokens gives.
  public let activation: Double
}

extension Trainer {
  /// Windows that extremes are looked for in.
  private static let extremeWindows = 32

  /// The extremes of the model as it is, over some windows of the validation data, spread evenly; nil where there is none, or
  /// where a number is not finite. It is slower than a validation by far.
  public func extremes() throws -> Extremes? {
    let batches = try validationBatches(atMost: Self.extremeWindows)
    if batches.isEmpty { return nil }
    var score: Float?
    var activation: Float = 0
    var isFinite = true
    executor.observer = { step, kernel, context in
      if let own = kernel.largestScore(context) { score = max(score ?? -.infinity, own) }
      guard context.bound.axis == .tokens else { return }
      for index in step.outputs.indices {
        let output = context.output(index)
        for row in 0..<output.count {
          let numbers = output[row]
          for place in 0..<output.width {
            let size = abs(numbers[place])
            if size > activation { activation = size }
            if !size.isFinite { isFinite = false }
          }
        }
      }
    }
    defer { executor.observer = nil }
    for batch in batches { _ = try executor.loss(batch) }
    guard isFinite, score?.isFinite ?? true else { return nil }
    return Extremes(score: score.map { Double($0) }, activation: Double(activation))
  }
}
