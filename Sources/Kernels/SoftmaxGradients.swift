import CKernels

extension SoftmaxSums {
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

  /// A span that was computed, its logarithms included, and the gradients that follow from that of its sums.
  public struct GradientSpan {
    /// What forward computed; keys and values are f32.
    public var span: Span
    /// The gradient of the sums, [count, heads · valueWidth], rows `outputStride` apart.
    public var outputs: UnsafePointer<Float>
    /// Numbers from one row of `outputs` to the next.
    public var outputStride: Int
    /// The gradients of the queries, of the keys from `firstKey` on and of their values; nil where none is wanted.
    public var queries, keys, values: Gradient?

    /// The gradients of `span`.
    public init(
      _ span: Span, outputs: UnsafePointer<Float>, outputStride: Int, queries: Gradient?, keys: Gradient?,
      values: Gradient?
    ) {
      precondition(span.logarithms != nil, "a gradient needs the logarithms of forward")
      precondition(span.keys.format == .f32 && span.values.format == .f32, "a gradient needs keys and values in f32")
      self.span = span
      self.outputs = outputs
      self.outputStride = outputStride
      self.queries = queries
      self.keys = keys
      self.values = values
    }

    fileprivate var stored: ck_softmax_gradient {
      ck_softmax_gradient(
        outputs: outputs, output_stride: outputStride, queries: queries?.base, keys: keys?.base, values: values?.base,
        query_stride: queries?.stride ?? 0, key_stride: keys?.stride ?? 0, value_stride: values?.stride ?? 0,
        adds_queries: queries?.accumulates ?? false, adds_keys: keys?.accumulates ?? false,
        adds_values: values?.accumulates ?? false)
    }
  }

  /// Computes the gradients of all spans.
  ///
  ///     p = exp(s − L),  ds = p ⊙ (dy·vᵀ − Σ dy ⊙ y) ⊙ (1 − (s / cap)²);   dq = scale·ds·k, dk = scale·dsᵀ·q, dv = pᵀ·dy
  ///
  /// L are the spans' logarithms. Threads take whole key heads of a span, so a sum has one order whatever their number.
  public func computeGradients(
    _ spans: UnsafeBufferPointer<GradientSpan>, sinks: UnsafePointer<Float>? = nil, pool: ThreadPool
  ) {
    withStored(sinks: sinks) { softmax in
      let kernels = ck_current()
      let pieces = spans.count * keyHeads
      pool.exclusively { session in
        let parts = min(session.threads, pieces)
        let next = UnsafeMutableRawPointer(session.sharedFloats(16)).bindMemory(to: Int.self, capacity: 1)
        next.initialize(to: 0)
        session.run(parts: parts) { _, thread in
          let scratch = session.floats(ck_gradient_scratch(softmax), thread: thread)
          while true {
            let piece = ck_add_to_counter(next, 1)
            if piece >= pieces { break }
            let span = spans[piece / keyHeads]
            if span.span.count == 0 { continue }
            var stored = span.span.stored, gradient = span.stored
            ck_gradients_of_sums(kernels, softmax, &stored, &gradient, piece % keyHeads, scratch)
          }
        }
      }
    }
  }
}
