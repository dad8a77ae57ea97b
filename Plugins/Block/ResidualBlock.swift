import Components

/// The residual block: sublayers added to the residual stream one after the other or in parallel, with norms where `placement` says.
///
///     serial:    x ← post(α·x + β·c⊙out(f(pre(x)))) for each sublayer f
///     parallel:  x ← α·x + β·Σ c⊙out(f(pre(x)))
///
/// He et al., 2015, https://arxiv.org/abs/1512.03385; placements: `post` Vaswani et al., 2017, `pre` Xiong et al., 2020,
/// https://arxiv.org/abs/2002.04745, `sandwich` as Gemma 2, `output` as OLMo 2; parallel: Wang and Komatsuzaki, 2021 (GPT-J).
/// In `output` the residual stream itself is never normalized; in `post` it always is, so no final norm follows. β is
/// `residual_scale`, α is `line_scale`, and c the learned vector of `layer_scale` (Touvron et al., 2021,
/// https://arxiv.org/abs/2103.17239). `residual_from: norm` adds to pre(x) in place of x, as BLOOM can.
/// `laurel` adds what a sublayer read, with a low-rank change, beside what it gives, as in Gemma 3n; after the sublayers come
/// `per_layer_embedding` and `stream_scale`, as in Gemma 4.
///
/// Examples: `{placement: sandwich}` `{placement: output, residual_scale: 0.5}` `{parallel: true}`
/// `{parallel: true, shared_norm: true}` `{parallel: true, placement: sandwich}` `{layer_scale: 0.1, line_scale: 0.9}`
/// `{skip_norm: {attn: true}}` `{placement: sandwich, skip_out_norm: {attn: true}}` `{residual: rezero, placement: sandwich}` `{residual: {type: gated}, line_scale: 0.9}`
/// `{twice: true}` `{placement: sandwich, per_layer_embedding: {width: 3, activation: gelu_tanh}, stream_scale: true}`
/// `{placement: sandwich, per_layer_embedding: {width: 3, pictures: {token: 5, as: 2}}}`
/// `{placement: sandwich, laurel: {rank: 3}}` `{laurel: {rank: 2, at: {attn: true}}, residual_scale: 0.5}`
///
/// Known as: prenorm, pre_norm, pre_ln `block: {placement: pre}`, postnorm, post_norm, post_ln `block: {placement: post}`,
/// sandwich, sandwich_norm `block: {placement: sandwich}`, parallel, parallel_block, parallel_residual `block: {parallel: true}`,
/// layer_scale, layerscale `block: {layer_scale: 0.1}`, low_rank_residual `block: {laurel: {rank: 64}}`
public struct ResidualBlock: Block {
  public static let name = "block"

  /// What the names of a layer's tensors begin with where it has its sublayers twice.
  static let places = (first: "first", second: "second")

  enum Placement: String, CaseIterable { case pre, post, sandwich, output }
  enum Source: String, CaseIterable { case input, norm }

  let placement: Placement
  let parallel: Bool
  let sharedNorm: Bool
  let residualScale: Double
  let lineScale: Double
  let source: Source
  let layerScale: Double?
  let skipped: [String: Bool]
  let skippedAfter: [String: Bool]
  let residual: (any Residual)?
  let perLayer: PerLayerEmbedding?
  let streamScale: Bool
  let laurel: Laurel?
  let twice: Bool

  public init(_ options: Options) {
    placement = options.choice("placement", default: Placement.pre, "where norms stand on the residual stream")
    parallel = options.flag(
      "parallel", default: false, "whether the sublayers read the same input (parallel attention and MLP)")
    sharedNorm =
      parallel && options.flag("shared_norm", default: false, "whether parallel sublayers share their first norm")
    residualScale = options.number(
      "residual_scale", default: 1, words: [:], "what a sublayer's result is multiplied by")
    lineScale = options.number(
      "line_scale", default: 1, words: [:], "what the residual stream is multiplied by when a result is added")
    source =
      parallel || placement == .post || placement == .output
      ? .input
      : options.choice(
        "residual_from", default: Source.input, "what results are added to: the residual stream, or its first norm")
    layerScale = options.optionalNumber(
      "layer_scale", "layer scale: the initial value of a learned factor per element of a result")
    skipped =
      sharedNorm || placement == .post || placement == .output
      ? [:]
      : options.flags(
        "skip_norm", Slot.ofSublayers.compactMap(\.scope), default: false,
        "which sublayers read the residual stream without a norm")
    skippedAfter =
      placement == .sandwich || placement == .output
      ? options.flags(
        "skip_out_norm", Slot.ofSublayers.compactMap(\.scope), default: false,
        "which sublayers' results are added without a norm") : [:]
    residual = options.component(
      "residual", default: "plain", slot: .residual, "how a result is added to the residual stream")
    perLayer = PerLayerEmbedding.option(of: options)
    laurel =
      parallel || placement == .post
      ? nil
      : options.group("laurel", "what sublayers read, with a low-rank change, added beside what they give", Laurel.init)
    streamScale = options.flag(
      "stream_scale", default: false, "whether a learned number multiplies the residual stream at the layer's end")
    twice = options.flag(
      "twice", default: false,
      "whether a layer has its sublayers twice, one after the other, each with tensors of its own")
    if parallel, placement == .post {
      options.fail(
        "placement", "parallel sublayers have no norm after each, so 'post' has no place",
        hint: "use pre, sandwich or output")
    }
  }

  private var normsInput: Bool { placement == .pre || placement == .sandwich }
  private var normsResult: Bool { placement == .sandwich || placement == .output }

  public var needsFinalNorm: Bool { placement != .post }

  public func write(_ x: Value, sublayers: [Sublayer], norm: any Normalization, into plan: inout PlanBuilder) -> Value {
    let beta = residualScale * plan.takeResidualFactor()
    var stream: Value
    if twice {
      stream = plan.within(Self.places.first) { once(x, sublayers, norm, beta: beta, into: &$0) }
      let between = stream
      stream = plan.within(Self.places.second) { once(between, sublayers, norm, beta: beta, into: &$0) }
    } else {
      stream = once(x, sublayers, norm, beta: beta, into: &plan)
    }
    if let perLayer { stream = perLayer.write(stream, norm: norm, into: &plan) }
    guard streamScale else { return stream }
    let factor = plan.parameter("stream_scale", shape: [1], starts: .ones, use: .vector)
    return plan.apply(LearnedFactor(), to: stream, parameters: [factor])
  }

  /// The sublayers once.
  private func once(
    _ x: Value, _ sublayers: [Sublayer], _ norm: any Normalization, beta: Double, into plan: inout PlanBuilder
  ) -> Value {
    var stream = x
    let shared =
      sharedNorm && normsInput
      ? sublayers.first.map { norm.write(x, named: "\($0.name)_norm", over: .row, into: &plan) } : nil
    for sublayer in sublayers {
      var y = shared ?? (parallel ? x : stream)
      if normsInput, shared == nil, skipped[sublayer.name] != true {
        y = norm.write(y, named: "\(sublayer.name)_norm", over: .row, into: &plan)
        if source == .norm { stream = y }
      }
      let read = y
      y = plan.within(sublayer.scope) { plan in sublayer.write(read, &plan) }
      if normsResult, skippedAfter[sublayer.name] != true {
        y = norm.write(y, named: "\(sublayer.name)_out_norm", over: .row, into: &plan)
      }
      if let layerScale {
        let factor = plan.parameter(
          "\(sublayer.name)_scale.weight", shape: [y.width], starts: .constant(layerScale), use: .vector)
        y = plan.apply(LearnedScale(), to: y, parameters: [factor])
      }
      let alpha = parallel && sublayer.name != sublayers.first?.name ? 1 : lineScale
      let (before, result) = (stream, y)
      stream = plan.joining(result) { plan in
        residual?.join(
          before, result, alpha: alpha, beta: beta, named: "\(sublayer.name)_residual", into: &plan) ?? result
      }
      if let laurel {
        stream = laurel.write(stream, beside: sublayer.name, reading: read, norm: norm, into: &plan)
      }
      if placement == .post {
        stream = norm.write(stream, named: "\(sublayer.name)_post_norm", over: .row, into: &plan)
      }
    }
    return stream
  }
}
