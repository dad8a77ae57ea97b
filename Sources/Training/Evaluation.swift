import Essentials
import Execution
import Kernels

/// How well a model predicts a text.
///
///     loss = −1/n Σ log p(token | tokens before it in its window)      perplexity = e^loss
///     bits per byte = n·loss / (ln 2 · bytes)
///
/// Windows of `context` tokens begin `stride` apart, and each counts the tokens that no earlier one did, so all but the
/// first have at least `context − stride` tokens before them.
public struct Evaluation: Sendable {
  /// The mean loss of a token, in nats.
  public let loss: Double
  /// How many tokens were predicted.
  public let tokens: Int

  /// e to the loss.
  public var perplexity: Double { exp(loss) }

  /// Bits for each of `bytes` bytes of text.
  public func bitsPerByte(bytes: Int) -> Double { loss * Double(tokens) / (log(2) * Double(max(1, bytes))) }

  /// Holds the model of `executor` against `text`.
  ///
  /// Every window begins with `beginning`, when there is one: then the first token counts too, else it only goes before
  /// the others. `progress` is told the part that is done. Throws `TrainingProblem` at the first token whose loss is NaN.
  public init(
    _ executor: PlanExecutor, on text: TokenText, context: Int, stride: Int, beginning: Int?,
    progress: (Double) throws -> Void = { _ in }
  ) throws {
    precondition(context > 1 && stride > 0 && stride < context, "windows of \(context), \(stride) apart")
    let first = beginning == nil ? 1 : 0  // the first token that can be predicted
    guard text.count > first else {
      throw TrainingProblem.tooFewTokens(found: text.count, needed: first + 1, what: "given")
    }
    var (sum, count) = (0.0, 0)
    var scratch = [Float](repeating: 0, count: executor.plan.logits.width)
    let room = context - (beginning == nil ? 0 : 1)  // tokens of the text in a window
    var done = first
    while done < text.count {
      // The last token is predicted and not read.
      let end = min(text.count, done == first ? room + 1 : done + stride)
      let start = max(0, end - 1 - room)
      let tokens = text[start..<end]
      let inputs = (beginning.map { [$0] } ?? []) + tokens.dropLast()
      let shift = start + 1 - (beginning == nil ? 0 : 1)  // the token that row 0 predicts
      let sequence = try executor.openSequence(length: inputs.count)
      try executor.forward([(sequence, Array(inputs))], logits: .all) { _, position, logits in
        let target = shift + position
        guard target >= done, target < end else { return }
        let loss = Self.loss(logits, of: tokens[target - start], &scratch)
        guard loss.isFinite else {
          throw TrainingProblem.evaluationNotANumber(token: target, isInfinite: loss == .infinity)
        }
        sum += loss
        count += 1
      }
      done = end
      try progress(Double(done) / Double(text.count))
    }
    loss = sum / Double(count)
    tokens = count
  }

  /// −log softmax(logits)[token].
  private static func loss(_ logits: UnsafeBufferPointer<Float>, of token: Int, _ scratch: inout [Float]) -> Double {
    guard let x = logits.baseAddress, logits.indices.contains(token) else { return .nan }
    let most = maximum(x, count: logits.count)
    return scratch.withUnsafeMutableBufferPointer { scratch in
      guard let y = scratch.baseAddress else { return 0 }
      for i in 0..<logits.count { y[i] = x[i] - most }
      exponentials(of: y, into: y, count: logits.count)
      return Double(log(sum(y, count: logits.count))) - Double(x[token] - most)
    }
  }
}
