import CKernels

extension AttentionKernel {
  /// A gradient to be computed: rows of f32, each `stride` numbers after the one before.
  public struct Gradient {
    /// The first number of the first row.
    public var base: UnsafeMutablePointer<Float>
    /// Numbers from one row to the next.
    public var stride: Int
    /// Whether it is added to what is there.
    public var accumulates: Bool

    /// Rows from `base`.
    public init(_ base: UnsafeMutablePointer<Float>, stride: Int, accumulates: Bool) {
      self.base = base
      self.stride = stride
      self.accumulates = accumulates
    }
  }

  /// A span that was computed, its log-sum-exp included, and the gradients that follow from that of its outputs.
  public struct GradientSpan {
    /// What forward computed; keys and values are f32.
    public var span: Span
    /// The gradient of the outputs, [count, heads · valueWidth], rows `outputGradientStride` apart.
    public var outputGradients: UnsafePointer<Float>
    /// Numbers from one row of `outputGradients` to the next.
    public var outputGradientStride: Int
    /// The gradients of the queries, of the keys and of the values, laid out like them; nil where none is wanted.
    public var queries, keys, values: Gradient?

    /// The gradients of `span`.
    public init(
      _ span: Span, outputGradients: UnsafePointer<Float>, outputGradientStride: Int, queries: Gradient?,
      keys: Gradient?, values: Gradient?
    ) {
      precondition(span.logSumExp != nil, "a gradient needs the log-sum-exp of forward")
      precondition(span.keys.format == .f32 && span.values.format == .f32, "a gradient needs keys and values in f32")
      self.span = span
      self.outputGradients = outputGradients
      self.outputGradientStride = outputGradientStride
      self.queries = queries
      self.keys = keys
      self.values = values
    }

    fileprivate var stored: ck_attention_gradient {
      ck_attention_gradient(
        output_gradients: outputGradients, output_gradient_stride: outputGradientStride, queries: queries?.base,
        keys: keys?.base, values: values?.base,
        query_stride: queries?.stride ?? 0, key_stride: keys?.stride ?? 0, value_stride: values?.stride ?? 0,
        adds_queries: queries?.accumulates ?? false, adds_keys: keys?.accumulates ?? false,
        adds_values: values?.accumulates ?? false)
    }
  }

  /// Computes the gradients of all spans.
  ///
  ///     p = exp(s − L),  ds = p ⊙ (dy·vᵀ − Σ dy ⊙ y) ⊙ (1 − (s / cap)²);   dq = scale·ds·k, dk = scale·dsᵀ·q, dv = pᵀ·dy
  ///
  /// L are the spans' log-sum-exps. Threads take whole key heads of a span, so a sum has one order whatever their number.
  public func computeGradients(
    _ spans: UnsafeBufferPointer<GradientSpan>, sinks: UnsafePointer<Float>? = nil, pool: ThreadPool
  ) {
    withStored(sinks: sinks) { attention in
      pool.exclusively { session in
        let next = UnsafeMutableRawPointer(session.sharedFloats(16)).bindMemory(to: Int.self, capacity: 1)
        next.initialize(to: 0)
        let work = GradientWork(
          attention: attention, kernels: ck_current(), spans: spans, keyHeads: keyHeads, next: next, session: session)
        session.run(parts: min(session.threads, work.pieces), work)
      }
    }
  }

  /// Takes key heads of spans as long as there are any.
  private struct GradientWork: PoolJob {
    let attention: UnsafePointer<ck_attention>
    let kernels: OpaquePointer
    let spans: UnsafeBufferPointer<GradientSpan>
    let keyHeads: Int
    let next: UnsafeMutablePointer<Int>
    let session: PoolSession
    var pieces: Int { spans.count * keyHeads }

    func run(part: Int, thread: Int) {
      let scratch = session.floats(ck_attention_gradients_scratch(attention), thread: thread)
      while true {
        let piece = ck_add_to_counter(next, 1)
        if piece >= pieces { break }
        let span = spans[piece / keyHeads]
        if span.span.count == 0 { continue }
        var stored = span.span.stored, gradient = span.stored
        ck_attention_gradients(kernels, attention, &stored, &gradient, piece % keyHeads, scratch)
      }
    }
  }
}
