import Essentials
import Grammars

/// How likely the model found a token: before temperature, penalties and whatever else chooses.
public struct TokenProbability: Sendable, Hashable {
  /// A token and the logarithm of its probability.
  public struct Choice: Sendable, Hashable {
    public let id: Int
    /// log p, with p = softmax(logits)[id].
    public let logProbability: Double
  }

  /// The token that was generated.
  public let token: Choice
  /// The most likely tokens, the likeliest first; of equal ones the smaller id.
  public let mostLikely: [Choice]

  /// The probability of `id` among `logits`, and those of the `count` most likely tokens, of those in `allowed`.
  public init(of id: Int, among logits: UnsafeBufferPointer<Float>, mostLikely count: Int, allowed: TokenMask? = nil) {
    var top: Float = -.infinity
    for logit in logits { top = max(top, logit) }
    var sum = 0.0
    for logit in logits { sum += exp(Double(logit - top)) }
    let all = Double(top) + log(sum)
    token = Choice(id: id, logProbability: Double(logits[id]) - all)
    // Few are asked for: those that are kept stay in order.
    var best: [(id: Int, logit: Float)] = []
    for (id, logit) in logits.enumerated() where count > 0 {
      if best.count == count, logit <= best[count - 1].logit { continue }
      if let allowed, !allowed[id] { continue }
      let place = best.firstIndex { $0.logit < logit } ?? best.count
      best.insert((id, logit), at: place)
      if best.count > count { best.removeLast() }
    }
    mostLikely = best.map { Choice(id: $0.id, logProbability: Double($0.logit) - all) }
  }
}
