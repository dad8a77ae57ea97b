import CKernels

extension AttentionKernel {
  /// Consecutive queries, and the keys and values of one sequence.
  ///
  /// In self-attention the keys are those of positions `firstKey` to `start + count`; in cross-attention they are counted for
  /// themselves, `firstKey` is 0 and the mask full.
  public struct Span {
    /// [count, heads · keyWidth], rows `queryStride` apart.
    public var queries: UnsafePointer<Float>
    /// Numbers from one row of queries to the next.
    public var queryStride: Int
    /// Rows of queries.
    public var count: Int
    /// The position of the first query.
    public var start: Int
    /// Which of the keys a query sees.
    public var mask: AttentionMask
    /// [keyCount, keyHeads · keyWidth].
    public var keys: StoredRows
    /// [keyCount, keyHeads · valueWidth].
    public var values: StoredRows
    /// The position of the first key.
    public var firstKey: Int
    /// Rows of keys and of values.
    public var keyCount: Int
    /// What is computed: [count, heads · valueWidth], rows `outputStride` apart.
    public var outputs: UnsafeMutablePointer<Float>
    /// Numbers from one row of outputs to the next.
    public var outputStride: Int
    /// The natural logarithm of the softmax's denominator for each query, [count, heads]; nil when not wanted. −∞ where a
    /// query sees no key and there is no sink.
    public var logSumExp: UnsafeMutablePointer<Float>?

    /// `count` queries at positions from `start`, over `keyCount` keys at positions from `firstKey`.
    public init(
      queries: UnsafePointer<Float>, queryStride: Int, count: Int, start: Int, mask: AttentionMask, keys: StoredRows,
      values: StoredRows, firstKey: Int, keyCount: Int, outputs: UnsafeMutablePointer<Float>, outputStride: Int,
      logSumExp: UnsafeMutablePointer<Float>? = nil
    ) {
      precondition(
        count >= 0 && start >= 0 && firstKey >= 0 && keyCount >= 0,
        "\(count) queries from \(start), \(keyCount) keys from \(firstKey)")
      self.queries = queries
      self.queryStride = queryStride
      self.count = count
      self.start = start
      self.mask = mask
      self.keys = keys
      self.values = values
      self.firstKey = firstKey
      self.keyCount = keyCount
      self.outputs = outputs
      self.outputStride = outputStride
      self.logSumExp = logSumExp
    }

    var stored: ck_attention_span {
      let mask = mask.stored
      return ck_attention_span(
        queries: queries, query_stride: queryStride, count: count, start: start, keys: keys.stored,
        values: values.stored, first: firstKey, key_count: keyCount, behind: mask.behind, ahead: mask.ahead,
        prefix: mask.prefix, outputs: outputs, output_stride: outputStride, log_sum_exp: logSumExp)
    }
  }
}
