import CKernels

/// Scaled dot-product attention: sums of value rows weighted by the softmax of scores between queries and keys.
///
///     s = scale·q·k,  s ← cap·tanh(s / cap),  s ← s + bias;   y = Σ exp(s − m)·v / (Σ exp(s − m) + exp(sink − m))
///
/// Queries and keys have positions, from which a span's mask says which keys a query sees. A row holds `heads` queries
/// and `keyHeads` keys and values: query head h reads key head h / (heads / keyHeads). Keys and values are met in blocks,
/// so no row of scores is ever whole. A query gives the same bits for any number of threads; among many queries also in
/// whatever company it is computed. A query that sees no key gives zeros.
/// Dao, Fu, Ermon, Rudra, Ré, 2022, https://arxiv.org/abs/2205.14135.
public struct AttentionKernel: Sendable {
  /// Adds to scores of the query at position `query` of `head` with the `count` keys from position `firstKey` on. The careful
  /// reader's mistake: where a mask lets a query look ahead, keys come after it.
  public typealias Bias =
    @Sendable (
      _ scores: UnsafeMutablePointer<Float>, _ count: Int, _ head: Int, _ query: Int, _ firstKey: Int
    ) -> Void

  /// Queries a row.
  public var heads: Int
  /// Keys and values a row.
  public var keyHeads: Int
  /// Numbers in a query and in a key.
  public var keyWidth: Int
  /// Numbers in a value.
  public var valueWidth: Int
  /// The factor of the scores.
  public var scale: Float
  /// The soft cap of the scores, before the bias.
  public var cap: Float?
  /// What is added to the scores.
  public var bias: Bias?

  /// Attention with these settings.
  public init(
    heads: Int, keyHeads: Int, keyWidth: Int, valueWidth: Int, scale: Float, cap: Float? = nil, bias: Bias? = nil
  ) {
    precondition(
      keyHeads > 0 && heads % keyHeads == 0, "\(heads) query heads cannot share \(keyHeads) key heads evenly")
    precondition(keyWidth > 0 && valueWidth > 0, "keys of \(keyWidth) and values of \(valueWidth) numbers")
    self.heads = heads
    self.keyHeads = keyHeads
    self.keyWidth = keyWidth
    self.valueWidth = valueWidth
    self.scale = scale
    self.cap = cap
    self.bias = bias
  }

  /// Computes the outputs of all spans, which must not overlap anything.
  ///
  /// - Parameter sinks: for each head a score that takes weight but adds no value.
  public func compute(_ spans: UnsafeBufferPointer<Span>, sinks: UnsafePointer<Float>? = nil, pool: ThreadPool) {
    withStored(sinks: sinks) { attention in
      pool.exclusively { session in
        AttentionWork(attention, spans, session: session).run()
      }
    }
  }

  /// The settings as CKernels takes them, for the time of `body`.
  func withStored(sinks: UnsafePointer<Float>?, _ body: (UnsafePointer<ck_attention>) -> Void) {
    var stored = ck_attention(
      heads: heads, key_heads: keyHeads, key_width: keyWidth, value_width: valueWidth, scale: scale, cap: cap ?? 0,
      sinks: sinks, bias: nil, bias_context: nil)
    guard let bias else {
      withUnsafePointer(to: &stored) { body($0) }
      return
    }
    withUnsafePointer(to: StoredBias(add: bias)) { context in
      stored.bias_context = UnsafeRawPointer(context)
      stored.bias = { context, scores, count, head, query, firstKey in
        context.assumingMemoryBound(to: StoredBias.self).pointee.add(scores, count, head, query, firstKey)
      }
      withUnsafePointer(to: &stored) { body($0) }
    }
  }

  /// A bias in memory: as a value of a function's type alone it would be an object for each pass.
  private struct StoredBias {
    let add: Bias
  }
}
