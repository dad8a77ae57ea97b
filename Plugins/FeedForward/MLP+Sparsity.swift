import Components
import Essentials
import Kernels

/// What of a row lies above a limit, less the limit, which a share of the row lies below if it is distributed normally.
///
///     y = max(x − c, 0),   c = mean(x) + z·√(mean((x − mean(x))²)),   z = Φ⁻¹(share)
///
/// Gemma Team, 2025 (Gemma 3n), after You et al., 2025 (Spark Transformer), https://arxiv.org/abs/2506.06644: the largest of a row without
/// sorting it. Gradients reach the limit too, through the row's mean and spread.
struct NormalThreshold: Kernel {
  let name = "normal threshold"
  /// The share that becomes zero.
  let share: Double
  /// z.
  private let quantile: Float

  init(below share: Double) {
    self.share = share
    quantile = Float(Self.quantile(of: share))
  }

  var attributes: [Attribute] { [Attribute("share", share)] }
  var traits: OperatorTraits { OperatorTraits(isRowwise: true) }

  /// Φ⁻¹(p), by halving what it may lie in.
  static func quantile(of p: Double) -> Double {
    var (low, high) = (-40.0, 40.0)
    for _ in 0..<100 {
      let middle = (low + high) / 2
      if erfc(-middle / 2.0.squareRoot()) / 2 < p { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  private func statistics(_ x: UnsafePointer<Float>, _ count: Int) -> (mean: Float, spread: Float) {
    let mean = sum(x, count: count) / Float(count)
    // Of the differences, not of the squares: a row far from zero keeps its digits.
    var squares = 0.0
    for i in 0..<count {
      let difference = Double(x[i] - mean)
      squares += difference * difference
    }
    return (mean, Float((squares / Double(count)).squareRoot()))
  }

  func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    context.parallel(y.count, grain: elementwiseGrain(4 * y.width)) { rows, _ in
      for row in rows {
        let (mean, spread) = statistics(x[row], x.width)
        let (limit, xs, ys) = (mean + spread * quantile, x[row], y[row])
        for i in 0..<x.width { ys[i] = max(xs[i] - limit, 0) }
      }
    }
  }

  /// With g = dy where x > c and G = Σ g: `dx += g − G·(1 + z·(x − mean)/spread) / n`.
  func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let (x, dy) = (context.input(), context.outputGradient())
    context.parallel(dy.count, grain: elementwiseGrain(8 * dy.width)) { rows, _ in
      for row in rows {
        let (mean, spread) = statistics(x[row], x.width)
        let (limit, xs, dys, dxs) = (mean + spread * quantile, x[row], dy[row], dx[row])
        var total: Float = 0
        for i in 0..<x.width where xs[i] > limit {
          dxs[i] += dys[i]
          total += dys[i]
        }
        let (common, slope) = (total / Float(x.width), spread > 0 ? quantile / spread : 0)
        for i in 0..<x.width { dxs[i] -= common * (1 + slope * (xs[i] - mean)) }
      }
    }
  }

  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.define(
      "above_normal",
      """
      def above_normal(x, quantile):
          \"""max(x − c, 0), c so far above the row's mean as `quantile` of its standard deviations.\"""
          limit = x.mean(-1, keepdim=True) + quantile * x.std(-1, keepdim=True, unbiased=False)
          return F.relu(x - limit)
      """)
    return .call("above_normal", [call.input(), PyTorchExpression(quantile)])
  }

  func flops(step: Step, context: Int) -> Int { 7 * step.outputs[0].width }
}
