import Components
import Foundation

/// Differential attention: the difference of two attentions, so that what both see in vain cancels.
///
///     y = norm(softmax(q1·k1ᵀ/√d)·v − λ·softmax(q2·k2ᵀ/√d)·v)·(1 − λ₀)·Woᵀ
///     λ = exp(λq1·λk1) − exp(λq2·λk2) + λ₀,   λ₀ = 0.8 − 0.6·exp(−0.3·layer)
///
/// Ye et al., 2024, https://arxiv.org/abs/2410.05258. The layer counts from 0.
/// A head's values are twice as wide as its queries, and its norm is the layer's, over each head by itself.
///
/// Examples: `{num_heads: 2}` `{num_heads: 4, head_dim: 4}`
public struct DifferentialAttention: Mixer {
  public static let name = "differential_attention"

  let heads: Int
  let headDim: Int
  let norm: (any Normalization)?

  public init(_ options: Options) {
    let width = options.shape.hiddenSize
    heads = options.requiredInteger("num_heads", in: 1...4096, "the number of differences")
    headDim = options.integer(
      "head_dim", default: max(1, width / (2 * max(1, heads))), "the width of a query and a key")
    norm = options.inheritedComponent("sub_norm", slot: .norm, "the norm of each head's difference")
    if heads * headDim > 1 << 24 { options.fail("head_dim", "\(heads) heads of \(headDim) numbers are too many") }
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let start = 0.8 - 0.6 * exp(-0.3 * Double(layer.index))
    let v = plan.linear(x, to: 2 * heads * headDim, named: "v", bias: false)
    let values = plan.state("v", width: v.width, extent: .perToken, precision: .any)
    var mixed: [Value] = []
    for half in ["1", "2"] {
      var q = plan.linear(x, to: heads * headDim, named: "q\(half)", bias: false)
      q = layer.position.rotate(q, .query, heads: heads, into: &plan)
      var k = plan.linear(x, to: heads * headDim, named: "k\(half)", bias: false)
      k = layer.position.rotate(k, .key, heads: heads, into: &plan)
      let keys = plan.state("k\(half)", width: k.width, extent: .perToken, precision: .any)
      let scale = Float(layer.position.scoreFactor / Double(headDim).squareRoot())
      let attend = Attend(
        heads: heads, keyHeads: heads, scale: scale, window: nil, softcap: nil,
        bias: layer.position.scoreBias(heads: heads, scale: scale))
      // Both keep the same values, in one state.
      mixed.append(plan.apply(attend, to: q, k, v, states: [keys, values]))
    }
    let tensors = ["q1", "k1", "q2", "k2"].map {
      plan.parameter("lambda_\($0)", shape: [headDim], starts: .normal(0.1), use: .vector)
    }
    var y = plan.apply(Difference(start: start), to: mixed[0], mixed[1], parameters: tensors)
    y = norm?.write(y, named: "sub_norm", over: .heads(heads, sharedWeight: true), into: &plan) ?? y
    y = plan.scale(y, by: 1 - start)
    return plan.linear(y, to: plan.shape.hiddenSize, named: "o", bias: false)
  }

  struct Difference: Kernel {
    let name = "difference"
    let start: Double

    /// λ and its two exponentials.
    private func lambda(_ vector: (Int) -> UnsafePointer<Float>, count: Int) -> (
      lambda: Float, first: Float, second: Float
    ) {
      var (first, second) = (0.0, 0.0)
      for i in 0..<count {
        first += Double(vector(0)[i]) * Double(vector(1)[i])
        second += Double(vector(2)[i]) * Double(vector(3)[i])
      }
      return (Float(exp(first) - exp(second) + start), Float(exp(first)), Float(exp(second)))
    }

    var attributes: [Attribute] { [Attribute("start", start)] }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true) }

    func forward(_ context: ForwardContext) {
      let (a, b, y) = (context.input(0), context.input(1), context.output())
      let lambda = lambda({ context.parameter($0).vector }, count: context.parameter().matrix.columns).lambda
      context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
        for row in rows {
          for i in 0..<y.width { y[row][i] = a[row][i] - lambda * b[row][i] }
        }
      }
    }

    /// `da += dy`, `db −= λ·dy`, `dλ = −Σ dy ⊙ b`; then `dλq1 += dλ·exp(λq1·λk1)·λk1`, and so on.
    func backward(_ context: BackwardContext) {
      let (b, dy) = (context.input(1), context.outputGradient())
      let (da, db) = (context.inputGradient(0), context.inputGradient(1))
      let count = context.parameter().matrix.columns
      let (lambda, first, second) = lambda({ context.parameter($0).vector }, count: count)
      var sum = 0.0
      for row in 0..<dy.count {
        for i in 0..<dy.width {
          if let da { da[row][i] += dy[row][i] }
          if let db { db[row][i] -= lambda * dy[row][i] }
          sum -= Double(dy[row][i] * b[row][i])
        }
      }
      for (own, other, factor) in [(0, 1, first), (1, 0, first), (2, 3, -second), (3, 2, -second)] {
        guard let gradient = context.parameterGradient(own) else { continue }
        for i in 0..<count { gradient[i] += Float(sum) * factor * context.parameter(other).vector[i] }
      }
    }

    func flops(step: Step, context: Int) -> Int { 2 * step.outputs[0].width }
  }
}
