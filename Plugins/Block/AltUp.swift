import Components

/// Several residual streams, of which a layer computes one: the others are predicted, and corrected by what it gives.
///
///     m = act(norm(x_a)·Wrᵀ / hidden_size);   p_i = x_i + Σ_j (m·Wpᵀ)_ij·x_j;   y = inner(p_a)
///     m = act(norm(y)·Wrᵀ / hidden_size);     x_i ← p_i + (1 + (m·Wcᵀ)_i)·(y − p_a)
///
/// Baykal et al., 2023 (alternating updates), https://arxiv.org/abs/2301.13310; in this form Gemma Team, 2025 (Gemma 3n). a is the `active`
/// stream. At first x_0 is the embedding and x_i a matrix of it, as long as x_0 is; behind the last layer stands the mean of x_0
/// and a matrix of each other, as long as x_0 again. What a gate lets in of `per_layer_embedding` is added to every stream but
/// x_0; with `gate_scale` the gate is computed from c ⊙ x_a, c learned. The careful reader's mistake: x_0 itself never
/// has the layer's vectors added, and reads them from the others by the next layer's prediction.
///
/// Examples: `{}` `{streams: 3, active: 1}` `{streams: 2, inner: {placement: sandwich, laurel: {rank: 3, at: {attn: true}}}}`
/// `{streams: 3, gate_scale: true, per_layer_embedding: {width: 3, vocab_size: 9}, inner: {placement: sandwich}}`
///
/// Known as: alternating_updates `block: altup`
public struct AltUp: Block {
  public static let name = "altup"

  /// The streams that the next layer reads.
  private struct Streams: Sendable {
    let values: [Value]
  }

  let streams: Int
  let active: Int
  let activation: (any Activation)?
  let inner: (any Block)?
  let perLayer: PerLayerEmbedding?
  let gateScale: Bool

  public init(_ options: Options) {
    streams = options.integer("streams", default: 4, in: 2...64, "the number of residual streams")
    active = options.integer("active", default: 0, in: 0...63, "the stream that layers compute, from 0")
    activation = options.component(
      "activation", default: "tanh", slot: .activation, "the nonlinearity of what the coefficients are computed from")
    inner = options.component("inner", default: "block", slot: .block, "how sublayers stand along the active stream")
    perLayer = PerLayerEmbedding.option(of: options)
    gateScale =
      perLayer != nil
      && options.flag(
        "gate_scale", default: false, "whether a learned vector multiplies what the gate of those is computed from")
    if active >= streams {
      options.fail("active", "of \(streams) streams none has the number \(active)", hint: "the first is 0")
    }
  }

  public var needsFinalNorm: Bool { inner?.needsFinalNorm ?? true }
  public var differsByLayer: Bool { true }

  public func write(_ x: Value, sublayers: [Sublayer], norm: any Normalization, into plan: inout PlanBuilder) -> Value {
    let before = plan.left(Streams.self)?.values ?? begin(x, into: &plan)
    let predicted = plan.within("altup") { plan in
      let routed = route(before[active], norm, into: &plan)
      let weights = plan.linear(routed, to: streams * streams, named: "predict")
      return plan.apply(BlendStreams(streams: streams), to: [weights] + before)
    }
    let guess = predicted[active]
    let computed = inner?.write(guess, sublayers: sublayers, norm: norm, into: &plan) ?? guess
    var after = plan.within("altup") { plan in
      let routed = route(computed, norm, into: &plan)
      let gains = plan.linear(routed, to: streams, named: "correct")
      let change = plan.add(computed, guess, alpha: 1, beta: -1)
      return plan.apply(CorrectStreams(streams: streams), to: [gains, change] + predicted)
    }
    if let perLayer {
      let read = gateScale ? scaled(after[active], into: &plan) : after[active]
      if let given = perLayer.gated(read, norm: norm, into: &plan) {
        for index in after.indices.dropFirst() {
          let stream = after[index]
          after[index] = plan.joining(given) { plan in plan.add(stream, given) }
        }
      }
    }
    plan.leave(Streams(values: after))
    guard plan.scope.layer == plan.shape.layerCount - 1 else { return after[active] }
    return end(after, into: &plan)
  }

  /// What the coefficients are computed from, a number for each stream.
  private func route(_ x: Value, _ norm: any Normalization, into plan: inout PlanBuilder) -> Value {
    let normed = norm.write(x, named: "router_norm", over: .row, into: &plan)
    let shrunk = plan.scale(normed, by: 1 / Double(plan.shape.hiddenSize))
    let routed = plan.linear(shrunk, to: streams, named: "router")
    return activation?.write(routed, into: &plan) ?? routed
  }

  private func scaled(_ x: Value, into plan: inout PlanBuilder) -> Value {
    plan.within("altup") { plan in
      let factor = plan.parameter("gate_scale.weight", shape: [x.width], starts: .zeros, use: .vector)
      return plan.apply(LearnedScale(), to: x, parameters: [factor])
    }
  }

  /// The streams before the first layer.
  private func begin(_ x: Value, into plan: inout PlanBuilder) -> [Value] {
    plan.outsideLayers { plan in
      var values = [x]
      for index in 1..<streams {
        let y = plan.linear(x, to: x.width, named: "streams.in.\(index - 1)")
        values.append(plan.apply(MatchMagnitude(), to: y, x))
      }
      return values
    }
  }

  /// The residual stream behind the last layer, whose own it is: one stream leaves it.
  private func end(_ values: [Value], into plan: inout PlanBuilder) -> Value {
    var sum = values[0]
    for index in values.indices.dropFirst() {
      let y = plan.withTensors(of: "streams.out") { plan in
        plan.linear(values[index], to: values[0].width, named: "\(index - 1)")
      }
      let matched = plan.apply(MatchMagnitude(), to: y, values[0])
      let before = sum
      sum = plan.add(before, matched)
    }
    return plan.scale(sum, by: 1 / Double(streams))
  }
}
