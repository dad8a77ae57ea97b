import Formats
import CKernels

/// Rows of numbers as they are stored: row i begins `i · rowBytes` bytes after `base`.
///
/// It does not own its bytes. `@unchecked Sendable` because it only ever reads through `base`, and whoever makes one
/// keeps the bytes alive and unchanged while it is in use.
public struct StoredRows: @unchecked Sendable {
  /// The first byte of the first row; rows of f32 begin at multiples of 4 bytes.
  public let base: UnsafeRawPointer
  /// How the numbers are stored.
  public let format: StorageFormat
  /// The bytes from one row to the next.
  public let rowBytes: Int

  /// Rows in `format`, `rowBytes` apart.
  public init(base: UnsafeRawPointer, format: StorageFormat, rowBytes: Int) {
    precondition(format != .f32 || rowBytes % MemoryLayout<Float>.stride == 0, "f32 rows \(rowBytes) bytes apart")
    self.base = base
    self.format = format
    self.rowBytes = rowBytes
  }

  /// Rows of f32, `stride` numbers apart.
  public init(_ base: UnsafePointer<Float>, stride: Int) {
    self.init(base: base, format: .f32, rowBytes: stride * MemoryLayout<Float>.stride)
  }

  var stored: ck_rows { ck_rows(base: base, row_bytes: rowBytes, format: format.code) }
}

/// Sums of value rows weighted by the softmax of scores between queries and keys.
///
///     s = scale·q·k,  s ← cap·tanh(s / cap),  s ← s + bias;   y = Σ exp(s − m)·v / (Σ exp(s − m) + exp(sink − m))
///
/// Queries, keys and values are numbered; query n sees the keys from n + 1 − window up to n. A row holds `heads` queries
/// and `keyHeads` keys and values: query head h meets key head h / (heads / keyHeads). Keys and values are met in blocks,
/// so no row of scores is ever whole. A query gives the same bits for any number of threads; among many queries also in
/// whatever company it is computed.
public struct SoftmaxSums: Sendable {
  /// Adds to scores of query number `query` of `head` with the `count` keys from number `firstKey` on.
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
  /// How many keys a query sees; nil for all up to its own.
  public var window: Int?
  /// The smooth limit of the scores, before the bias.
  public var cap: Float?
  /// What is added to the scores.
  public var bias: Bias?

  /// Sums with these settings.
  public init(
    heads: Int, keyHeads: Int, keyWidth: Int, valueWidth: Int, scale: Float, window: Int? = nil, cap: Float? = nil,
    bias: Bias? = nil
  ) {
    precondition(
      keyHeads > 0 && heads % keyHeads == 0, "\(heads) query heads cannot share \(keyHeads) key heads evenly")
    precondition(keyWidth > 0 && valueWidth > 0, "keys of \(keyWidth) and values of \(valueWidth) numbers")
    precondition(window.map { $0 > 0 } ?? true, "a window of \(window ?? 0) keys")
    self.heads = heads
    self.keyHeads = keyHeads
    self.keyWidth = keyWidth
    self.valueWidth = valueWidth
    self.scale = scale
    self.window = window
    self.cap = cap
    self.bias = bias
  }

  /// Consecutive queries, and the keys and values they see.
  public struct Span {
    /// [count, heads · keyWidth], rows `queryStride` apart.
    public var queries: UnsafePointer<Float>
    /// Numbers from one row of queries to the next.
    public var queryStride: Int
    /// Rows of queries.
    public var count: Int
    /// The number of the first query.
    public var start: Int
    /// [start + count − firstKey, keyHeads · keyWidth].
    public var keys: StoredRows
    /// [start + count − firstKey, keyHeads · valueWidth].
    public var values: StoredRows
    /// The number of the first key.
    public var firstKey: Int
    /// What is computed: [count, heads · valueWidth], rows `sumStride` apart.
    public var sums: UnsafeMutablePointer<Float>
    /// Numbers from one row of sums to the next.
    public var sumStride: Int
    /// The natural logarithms of the softmax's denominators, [count, heads]; nil when they are not wanted.
    public var logarithms: UnsafeMutablePointer<Float>?

    /// `count` queries numbered from `start`, over keys numbered from `firstKey`.
    public init(
      queries: UnsafePointer<Float>, queryStride: Int, count: Int, start: Int, keys: StoredRows, values: StoredRows,
      firstKey: Int, sums: UnsafeMutablePointer<Float>, sumStride: Int,
      logarithms: UnsafeMutablePointer<Float>? = nil
    ) {
      precondition(
        count >= 0 && start >= firstKey && firstKey >= 0, "\(count) queries from \(start), keys from \(firstKey)")
      self.queries = queries
      self.queryStride = queryStride
      self.count = count
      self.start = start
      self.keys = keys
      self.values = values
      self.firstKey = firstKey
      self.sums = sums
      self.sumStride = sumStride
      self.logarithms = logarithms
    }

    var stored: ck_span {
      ck_span(
        queries: queries, query_stride: queryStride, count: count, start: start, keys: keys.stored,
        values: values.stored,
        first: firstKey, sums: sums, sum_stride: sumStride, logarithms: logarithms)
    }
  }

  /// Computes the sums of all spans; their outputs must not overlap anything.
  ///
  /// - Parameter sinks: for each head a score that takes weight but adds no value.
  public func compute(_ spans: UnsafeBufferPointer<Span>, sinks: UnsafePointer<Float>? = nil, pool: ThreadPool) {
    withStored(sinks: sinks) { softmax in
      pool.exclusively { session in
        SoftmaxWork(softmax, spans, session: session).run()
      }
    }
  }

  /// The settings as CKernels takes them, for the time of `body`.
  func withStored(sinks: UnsafePointer<Float>?, _ body: (UnsafePointer<ck_softmax>) -> Void) {
    var stored = ck_softmax(
      heads: heads, key_heads: keyHeads, key_width: keyWidth, value_width: valueWidth, scale: scale, cap: cap ?? 0,
      window: window ?? Int.max, sinks: sinks, bias: nil, bias_context: nil)
    guard let bias else {
      withUnsafePointer(to: &stored) { body($0) }
      return
    }
    withUnsafePointer(to: bias) { context in
      stored.bias_context = UnsafeRawPointer(context)
      stored.bias = { context, scores, count, head, query, firstKey in
        context.assumingMemoryBound(to: Bias.self).pointee(scores, count, head, query, firstKey)
      }
      withUnsafePointer(to: &stored) { body($0) }
    }
  }
}
