import Components
import Kernels

/// Vectors of a token for each layer, of which a gate lets some into the residual stream.
///
///     e = (norm(x₀·Wpᵀ / √hidden_size) + √width·E[token]) / √2, a part for each layer i;   x ← x + norm(act(x·Wgᵀ) ⊙ e_i)·Woᵀ)
///
/// E: [vocab_size, layers·width], x₀ the embedding. Gemma Team, 2025 (Gemma 3n); also Gemma 4. Where rows of a picture stand in places of
/// `pictures: {token: …}`, those places have the vectors of the token `as`.
struct PerLayerEmbedding {
  let width: Int
  let activation: (any Activation)?
  let pictures: (token: Int, stand: Int)?

  /// The vectors of all layers.
  private struct Parts: Sendable {
    let values: [Value]
  }

  init(_ options: Options) {
    width = options.requiredInteger("width", in: 0...65536, "the width of a layer's vectors; 0 is none")
    activation = options.component(
      "activation", default: "gelu_tanh", slot: .activation, "the nonlinearity of the gate")
    pictures = options.group("pictures", "a token that has the vectors of another, as where rows of pictures stand") {
      (
        $0.requiredInteger("token", in: 0...(1 << 31), "its id"),
        $0.requiredInteger("as", in: 0...(1 << 31), "the id of the other")
      )
    }
    if let pictures, pictures.stand >= options.shape.vocabSize {
      options.fail("pictures", "token \(pictures.stand) is outside the vocabulary of \(options.shape.vocabSize)")
    }
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
      let lookup: any Kernel =
        pictures.map { LookupAs(axis: rows, token: $0.token, stand: $0.stand) } ?? EmbeddingLookup(axis: rows)
      let found = plan.apply(lookup, to: [], parameters: [table])[0]
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

/// The rows of a table that the tokens name, of which one has another's.
///
///     y[t] = W[token[t]], or W[as] where token[t] = token        W: [vocabulary, width]
struct LookupAs: Kernel {
  let name = "lookup as"
  let axis: RowAxis
  let token: Int
  /// The token whose row it has.
  let stand: Int

  var attributes: [Attribute] {
    [
      Attribute("axis", axis.index, plain: RowAxis.tokens.index), Attribute("token", token), Attribute("as", stand),
    ]
  }
  var traits: OperatorTraits { OperatorTraits(backwardReadsInputs: .none) }
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    [ValueShape(width: parameters[0][1], axis: axis)]
  }

  func forward(_ context: ForwardContext) {
    let (table, tokens, y) = (context.parameter().matrix, context.tokens, context.output())
    context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
      for row in rows {
        widen(table.format, table.base + place(of: tokens[row]) * table.rowBytes, count: y.width, into: y[row])
      }
    }
  }

  /// `dW[token[t]] += dy[t]`, or `dW[as] += dy[t]`.
  func backward(_ context: BackwardContext) {
    guard let gradient = context.parameterGradient() else { return }
    let dy = context.outputGradient()
    for row in 0..<dy.count {
      add(dy[row], scaledBy: 1, to: gradient + place(of: context.tokens[row]) * dy.width, count: dy.width)
    }
  }

  private func place(of id: Int32) -> Int { Int(id) == token ? stand : Int(id) }

  func flops(step: Step, context: Int) -> Int { 0 }
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
