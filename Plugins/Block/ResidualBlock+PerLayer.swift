import Components
import Kernels

/// Vectors of a token for each layer, of which a gate lets some into the residual stream.
///
///     e = (norm(x₀·Wpᵀ / √hidden_size) + √width·E[token]) / √2, a part for each layer i;   x ← x + norm(act(x·Wgᵀ) ⊙ e_i)·Woᵀ)
///
/// E: [vocab_size, layers·width], x₀ the embedding. Gemma Team, 2025 (Gemma 3n); also Gemma 4.
struct PerLayerEmbedding {
  let width: Int
  let activation: (any Activation)?

  /// The vectors of all layers.
  private struct Parts: Sendable {
    let values: [Value]
  }

  init(_ options: Options) {
    width = options.requiredInteger("width", in: 1...65536, "the width of a layer's vectors")
    activation = options.component(
      "activation", default: "gelu_tanh", slot: .activation, "the nonlinearity of the gate")
  }

  func write(_ x: Value, norm: any Normalization, into plan: inout PlanBuilder) -> Value {
    let parts = plan.left(Parts.self) ?? parts(norm, into: &plan)
    guard let layer = plan.scope.layer, parts.values.indices.contains(layer) else { return x }
    let result = plan.sublayer { plan in
      plan.within("per_layer") { plan in
        let gate = plan.linear(x, to: width, named: "gate")
        let opened = activation?.write(gate, into: &plan) ?? gate
        return plan.linear(plan.multiply(opened, parts.values[layer]), to: x.width, named: "o")
      }
    }
    let y = norm.write(result, named: "per_layer_out_norm", over: .row, into: &plan)
    return plan.joining(y) { plan in plan.add(x, y, alpha: 1, beta: 1) }
  }

  private func parts(_ norm: any Normalization, into plan: inout PlanBuilder) -> Parts {
    let (shape, rows, count) = (plan.shape, plan.rows, plan.shape.layerCount)
    let embedded = plan.left(EmbeddedRows.self)
    let parts = plan.outsideLayers { plan in
      let table = plan.parameter(
        "embed.per_layer.weight", shape: [shape.vocabSize, count * width], starts: .normal(0.02))
      let found = plan.apply(EmbeddingLookup(axis: rows), to: [], parameters: [table])[0]
      let looked = plan.scale(found, by: Double(width).squareRoot())
      guard let embedded else { return plan.split(looked, into: Array(repeating: width, count: count)) }
      let projected = plan.linear(embedded.stream, to: count * width, named: "embed.per_layer_proj")
      let scaled = plan.scale(projected, by: 1 / Double(shape.hiddenSize).squareRoot())
      let normed = norm.write(
        scaled, named: "embed.per_layer_norm", over: .heads(count, sharedWeight: true), into: &plan)
      let sum = plan.add(normed, looked, alpha: 0.5.squareRoot(), beta: 0.5.squareRoot())
      return plan.split(sum, into: Array(repeating: width, count: count))
    }
    plan.leave(Parts(values: parts))
    return Parts(values: parts)
  }
}

/// A value times one learned number.
///
///     y = w·x        w: [1]
struct LearnedFactor: Kernel {
  let name = "learned factor"

  var traits: OperatorTraits { OperatorTraits(isRowwise: true, overwritableInput: 0) }

  func forward(_ context: ForwardContext) {
    let (x, y, w) = (context.input(), context.output(), context.parameter().vector[0])
    context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
      for row in rows {
        for i in 0..<y.width { y[row][i] = w * x[row][i] }
      }
    }
  }

  /// `dx += w·dy`, `dw += Σ dy ⊙ x`.
  func backward(_ context: BackwardContext) {
    let (x, dy, w) = (context.input(), context.outputGradient(), context.parameter().vector[0])
    var slope = 0.0
    for row in 0..<dy.count {
      if let dx = context.inputGradient() { add(dy[row], scaledBy: w, to: dx[row], count: dy.width) }
      slope += Double(dot(dy[row], x[row], count: dy.width))
    }
    context.parameterGradient()?[0] += Float(slope)
  }

  func flops(step: Step, context: Int) -> Int { step.outputs[0].width }

  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? { call.parameter() * call.input() }
}
