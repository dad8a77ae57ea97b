import Components
import Kernels

/// Vectors of a token for each layer, of which a gate lets some into the residual stream.
///
///     e = (norm(x₀·Wpᵀ / √hidden_size) + √width·E[token]) / √2, a part for each layer i;   x ← x + norm(act(x·Wgᵀ) ⊙ e_i)·Woᵀ)
///
/// E: [vocab_size, layers·width], x₀ the embedding. Gemma Team, 2025 (Gemma 3n); also Gemma 4. With a `vocab_size` of its own E may have
/// fewer rows than there are tokens, and the others have those of token 0. Where rows of a picture stand in places of
/// `pictures: {token: …}`, those places have the vectors of the token `as`.
struct PerLayerEmbedding {
  let width: Int
  let activation: (any Activation)?
  let pictures: (token: Int, stand: Int)?
  let vocabSize: Int?

  /// The vectors of all layers.
  private struct Parts: Sendable {
    let values: [Value]
  }

  /// What the option `per_layer_embedding` says; nil where there are no such vectors.
  static func option(of options: Options) -> PerLayerEmbedding? {
    let found = options.group(
      "per_layer_embedding", "vectors of the tokens for each layer, which a gate lets into the residual stream",
      PerLayerEmbedding.init)
    return found.flatMap { $0.width > 0 ? $0 : nil }
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
    vocabSize =
      pictures == nil
      ? options.optionalInteger(
        "vocab_size", in: 1...(1 << 31), "how many tokens have vectors of their own, where not all of the model's")
      : nil
  }

  /// The residual stream with what the gate lets in.
  func write(_ x: Value, norm: any Normalization, into plan: inout PlanBuilder) -> Value {
    guard let y = gated(x, norm: norm, into: &plan) else { return x }
    return plan.joining(y) { plan in plan.add(x, y, alpha: 1, beta: 1) }
  }

  /// What the gate, computed from `x`, lets in; nil where the layer has no vectors.
  func gated(_ x: Value, norm: any Normalization, into plan: inout PlanBuilder) -> Value? {
    let parts = plan.left(Parts.self) ?? parts(norm, into: &plan)
    guard let layer = plan.scope.layer, parts.values.indices.contains(layer) else { return nil }
    let result = plan.sublayer { plan in
      plan.within("per_layer") { plan in
        let gate = plan.linear(x, to: width, named: "gate")
        let opened = activation?.write(gate, into: &plan) ?? gate
        return plan.linear(plan.multiply(opened, parts.values[layer]), to: x.width, named: "o")
      }
    }
    return norm.write(result, named: "per_layer_out_norm", over: .row, into: &plan)
  }

  private func parts(_ norm: any Normalization, into plan: inout PlanBuilder) -> Parts {
    let (shape, rows, count) = (plan.shape, plan.rows, plan.shape.layerCount)
    let embedded = plan.left(EmbeddedRows.self)
    let parts = plan.outsideLayers { plan in
      let table = plan.parameter(
        "embed.per_layer.weight", shape: [vocabSize ?? shape.vocabSize, count * width], starts: .normal(0.02))
      let lookup: any Kernel =
        if let pictures {
          LookupAs(axis: rows, token: pictures.token, stand: pictures.stand)
        } else if let vocabSize, vocabSize < shape.vocabSize {
          LookupWithin(axis: rows, count: vocabSize)
        } else {
          EmbeddingLookup(axis: rows)
        }
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

/// The rows of a table that the tokens name, of which those beyond its end have the first.
///
///     y[t] = W[token[t]], or W[0] where token[t] ≥ count        W: [count, width]
struct LookupWithin: Kernel {
  let name = "lookup within"
  let axis: RowAxis
  let count: Int

  var attributes: [Attribute] {
    [Attribute("axis", axis.index, plain: RowAxis.tokens.index), Attribute("count", count)]
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

  /// `dW[token[t]] += dy[t]`, or `dW[0] += dy[t]`.
  func backward(_ context: BackwardContext) {
    guard let gradient = context.parameterGradient() else { return }
    let dy = context.outputGradient()
    for row in 0..<dy.count {
      add(dy[row], scaledBy: 1, to: gradient + place(of: context.tokens[row]) * dy.width, count: dy.width)
    }
  }

  private func place(of id: Int32) -> Int { Int(id) < count ? Int(id) : 0 }

  func flops(step: Step, context: Int) -> Int { 0 }

  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    guard axis == .tokens else { return nil }
    let tokens: PyTorchExpression = "torch.where(tokens < \(count), tokens, 0)"
    let table = call.module("nn.Embedding(\(count), \(call.outputWidths[0]))")
    return table.map { .call($0.text, [tokens]) } ?? .call("F.embedding", [tokens, call.parameter()])
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
