import Components

/// Softmax attention: multi-head, grouped-query and multi-query are one component, chosen by `num_kv_heads`.
///
///     q = x·Wqᵀ, k = x·Wkᵀ, v = x·Wvᵀ;   y = norm(gate(x) ⊙ softmax(cap(scale·t·q·kᵀ) + bias)·v)·Woᵀ, over the tokens before
///     cap(s) = softcap·tanh(s / softcap), before the bias of the positions is added;  without `softcap`, s itself
///     t = 1 + c·log(1 + ⌊(p + offset) / floor⌋), or `logn`: max(1, log(p + offset) / log(floor)), for the query at position p
///
/// Vaswani et al., 2017, https://arxiv.org/abs/1706.03762; grouped queries: Ainslie et al., 2023,
/// https://arxiv.org/abs/2305.13245; the gate: Qiu et al., 2025, https://arxiv.org/abs/2505.06708.
/// A `window` of w sees w keys, the token's own included. It slides, unless `window_step` moves its edge several tokens at
/// once: w itself makes chunks (Llama 4), less makes bands of blocks (sparse transformers). Under a `full` mask, as encoders
/// have it, a token sees those after it too, and a window of w is w keys on either side of its own. Under a `prefix` mask the tokens of a
/// prompt that is given to `chimera run` see each other (PaliGemma; elsewhere no prompt is told from its text), under an `image` mask those of one picture (Gemma 3); all else is causal. A sink
/// is no key, and every window has it. `qk_norm`, `v_norm` and `sub_norm` are the layer's norm with the options given there. Queries,
/// keys and values are clipped (`clip_qkv`) after a norm and before the rotation; `position_temperature` multiplies
/// queries by t last, after the rotation: c is its `scale`, positions count from 0, and without it t is 1 (Nakanishi, 2025,
/// https://arxiv.org/abs/2501.19399). With an `indexer` a token sees the keys alone that it chooses among those. `values: keys` takes a token's
/// projected keys for its values too, before their norm and rotation (Gemma 4), whose encoder has each matrix `bounded`; layers with one `keys_as` share keys and
/// values: one that says `take_keys` reads those of the last before that has its own, and caches none (Brandon et al., 2024,
/// https://arxiv.org/abs/2405.12981).
///
/// Examples: `{num_heads: 4}` `{num_heads: 4, num_kv_heads: 2, window: 3}` `{num_heads: 2, num_kv_heads: 1, softcap: 5}`
/// `{num_heads: 4, head_dim: 6, scale: inverse_head_dim, bias: {q: true, k: true, v: true}}`
/// `{num_heads: 4, bias: true, qk_norm: {scope: head}}` `{num_heads: 4, num_kv_heads: 2, qk_norm: {scope: full}}`
/// `{num_heads: 4, qk_norm: {scope: per_head, when: after_rope, type: rmsnorm, eps: 0.001}}`
/// `{num_heads: 4, num_kv_heads: 2, v_head_dim: 6, v_norm: {weight: false, bias: false}, clip_qkv: 0.4}`
/// `{num_heads: 4, num_kv_heads: 2, kv_grouping: tile, output_gate: {per: head, activation: softplus}, sub_norm: {}}`
/// `{num_heads: 4, window: 3, window_step: 3, output_gate: {}}` `{num_heads: 4, window: 4, window_step: 2}`
/// `{num_heads: 4, position_temperature: {scale: 0.5, floor: 3}}`
/// `{num_heads: 4, position_temperature: {type: logn, floor: 4}}`
/// `{num_heads: 4, num_kv_heads: 2, window: 3, sinks: true}` `{num_heads: 2, value_scale: 0.7}`
/// `{num_heads: 4, num_kv_heads: 2, key_bias: {}, scale: 0.4}` `{num_heads: 4, mask: full}`
/// `{num_heads: 4, num_kv_heads: 2, mask: full, window: 2}` `{num_heads: 4, num_kv_heads: 2, mask: full, patch_window: {size: 5}}`
/// `{num_heads: 4, num_kv_heads: 2, indexer: {num_heads: 2, head_dim: 4, top_k: 2, per: head, block: 2, local_blocks: 1, q_norm: {}, k_norm: {}}}`
/// `{num_heads: 4, num_kv_heads: 2, values: keys, v_norm: {}, keys_as: far}` `{num_heads: 4, bounded: true, mask: full}`
///
/// Known as: gqa, grouped_query, grouped_query_attention `attention: {num_kv_heads: 4}  # fewer than num_heads, which it divides`,
/// mqa, multi_query, multi_query_attention `attention: {num_kv_heads: 1}`,
/// mha, multi_head, multi_head_attention, self_attention `attention: {num_kv_heads: 12}  # as many as num_heads`,
/// window, sliding, sliding_window, sliding_attention, swa, local, local_attention `attention: {window: 512}`,
/// chunked, chunked_attention `attention: {window: 512, window_step: 512}`, qk_norm, qknorm, query_key_norm `attention: {qk_norm: {}}`,
/// sinks, attention_sink, attention_sinks `attention: {sinks: true}`, qkv_bias `attention: {bias: {q: true, k: true, v: true}}`,
/// bidirectional, bidirectional_attention `attention: {mask: full}`, attn_softcap, attn_logit_softcapping `attention: {softcap: 50}`, gated_attention `attention: {output_gate: {}}`,
/// num_attention_heads `attention: {num_heads: 12}`,
/// num_key_value_heads `attention: {num_kv_heads: 4}`
public struct Attention: Mixer {
  public static let name = "attention"

  enum NormScope: String, CaseIterable {
    case head, full
    case perHead = "per_head"
  }
  enum NormTime: String, CaseIterable {
    case beforeRope = "before_rope"
    case afterRope = "after_rope"
  }
  enum Grouping: String, CaseIterable { case `repeat`, tile }
  enum Mask: String, CaseIterable { case causal, full, prefix, image }

  /// The norm of queries and keys, or of values.
  struct HeadNorm {
    let scope: NormScope
    let when: NormTime
    let norm: (any Normalization)?

    /// Writes the norm of `x`, which holds `heads` vectors a row.
    func write(_ x: Value, named name: String, heads: Int, into plan: inout PlanBuilder) -> Value {
      guard let norm else { return x }
      let span: NormSpan =
        switch scope {
        case .full: .row
        case .head: .heads(heads, sharedWeight: true)
        case .perHead: .heads(heads, sharedWeight: false)
        }
      return norm.write(x, named: name, over: span, into: &plan)
    }
  }

  let heads: Int
  let keyHeads: Int
  let headDim: Int
  let valueDim: Int
  let bias: [String: Bool]
  let bounded: Bool
  let scale: Double
  let scaleByLayer: Bool
  let mask: Mask
  let attentionWindow: AttentionWindow
  let patchWindows: PatchWindows?
  let softcap: Double?
  let sinks: Bool
  let norm: HeadNorm?
  let valueNorm: HeadNorm?
  let subNorm: (any Normalization)?
  let clip: Double?
  let valueScale: Double
  let keyBias: KeyBias?
  let gate: OutputGate?
  let temperature: PositionTemperature?
  let grouping: Grouping
  let indexer: KeyIndexer?
  let sharing: KeySharing
  let place: Place?

  public init(_ options: Options) {
    let width = options.shape.hiddenSize
    place = options.place
    let heads = options.requiredInteger("num_heads", in: 1...65536, "the number of query heads")
    let keyHeads = options.integer(
      "num_kv_heads", default: heads, in: 1...65536,
      "the number of key/value heads; fewer than num_heads is GQA, 1 is MQA")
    let headDim = options.integer(
      "head_dim", default: max(1, width / heads), in: 1...65536,
      "the width of a head; hidden_size / num_heads by default")
    if !options.isSet("head_dim"), width % heads != 0 {
      options.fail("num_heads", "hidden_size \(width) does not divide into \(heads) heads", hint: "or say 'head_dim'")
    }
    valueDim =
      options.optionalInteger("v_head_dim", in: 1...65536, "the width of a value head, if not head_dim") ?? headDim
    if heads % keyHeads != 0 {
      let fitting = (1...heads).filter { heads % $0 == 0 }.map(String.init)
      options.fail(
        "num_kv_heads", "\(heads) query heads cannot share \(keyHeads) key heads evenly",
        hint: "it can be \(fitting.dropLast().joined(separator: ", ")) or \(heads)")
    }
    let auto = 1 / Double(headDim).squareRoot()
    self.heads = heads
    self.keyHeads = keyHeads
    self.headDim = headDim
    bias = options.flags("bias", ["q", "k", "v", "o"], default: false, "which projections have a bias")
    bounded = options.flag(
      "bounded", default: false, "whether learned limits hold the input and the result of each matrix")
    scale = options.number(
      "scale", default: auto, words: ["auto": auto, "inverse_head_dim": 1 / Double(headDim)],
      "the factor of the scores; auto is 1/√head_dim")
    scaleByLayer = options.flag("scale_by_layer", default: false, "whether layer i divides its scores by i + 1")
    mask = options.choice(
      "mask", default: Mask.causal,
      "which tokens a token sees: those up to its own, all of its text, all of the prompt too, or all of its own picture too"
    )
    attentionWindow = AttentionWindow(options, isCausal: mask != .full)
    patchWindows =
      mask == .full
      ? options.group("patch_window", "squares of a picture, of which the patches of each see each other alone") {
        group in
        let size = group.requiredInteger("size", in: 1...4096, "patches along a side of a square")
        let merge = group.integer(
          "merge", default: 1, in: 1...64, "patches along a side of the blocks in which they stand")
        if size % merge != 0 { group.fail("size", "squares of \(size) patches are not whole blocks of \(merge)") }
        return PatchWindows(size: max(1, size / merge) * merge, merge: merge)
      } : nil
    if patchWindows != nil, attentionWindow.window != nil {
      options.fail("patch_window", "squares of a picture have no 'window' of neighbours beside")
    }
    softcap = options.optionalNumber("softcap", in: 1e-6...1e6, "soft cap of the scores: cap·tanh(x/cap)")
    sinks = options.flag(
      "sinks", default: false, "attention sinks: a learned score per head that takes weight and adds no value")
    norm = options.group("qk_norm", "the norm of queries and keys") { group in
      HeadNorm(
        scope: group.choice(
          "scope", default: NormScope.head, "each head with shared weights, all heads at once, or each with its own"),
        when: group.choice("when", default: NormTime.beforeRope, "before or after the rotation"),
        norm: group.inheritedComponent(slot: .norm, ignoring: ["scope", "when"]))
    }
    valueNorm = options.group("v_norm", "the norm of values") { group in
      HeadNorm(
        scope: group.choice(
          "scope", default: NormScope.head, "each head with shared weights, all heads at once, or each with its own"),
        when: .beforeRope, norm: group.inheritedComponent(slot: .norm, ignoring: ["scope"]))
    }
    subNorm =
      options.group("sub_norm", "a norm before the last projection") { group in
        group.inheritedComponent(as: (any Normalization).self, slot: .norm, ignoring: [])
      } ?? nil
    clip = options.optionalNumber("clip_qkv", in: 1e-6...1e6, "clamp of queries, keys and values")
    keyBias = options.group("key_bias", "a bias of scores that each key brings along, made of its values", KeyBias.init)
    valueScale = options.number("value_scale", default: 1, in: -1e6...1e6, "what values are multiplied by")
    gate = options.group(
      "output_gate", "a gate on the heads' output, computed from the sublayer's input", OutputGate.init)
    temperature = options.group(
      "position_temperature", "a factor of queries that grows with their position", PositionTemperature.init)
    grouping = options.choice(
      "kv_grouping", default: Grouping.repeat,
      "whether query heads share a key head in groups of neighbours, or interleaved"
    )
    if mask == .prefix, attentionWindow.window != nil {
      options.fail("mask", "tokens of a prompt that see each other have no window")
    }
    indexer =
      mask == .causal
      ? options.group("indexer", "an indexer that chooses the keys a token sees") { KeyIndexer($0, heads: heads) } : nil
    sharing = KeySharing(options, isCausal: mask == .causal || mask == .image)
    if sharing.valuesAreKeys, valueDim != headDim {
      options.fail("values", "values of \(valueDim) elements cannot be keys of \(headDim)")
    }
    if sharing.isUsed, keyBias != nil { options.fail("key_bias", "keys that layers share bring no bias along") }
    if indexer != nil, grouping == .tile {
      options.fail("indexer", "heads that share keys interleaved have no indexer")
    }
    if keyBias != nil, softcap != nil { options.fail("key_bias", "the bias of a key would be capped with its score") }
    if sinks, grouping == .tile { options.fail("sinks", "heads that share keys interleaved have no sinks") }
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    var q = projected(linear(x, "q", heads, into: &plan), "q", .query, heads, layer, into: &plan)
    let taken = sharing.taken(width: (keyHeads * headDim, keyHeads * valueDim), into: &plan)
    var (k, v) = taken.map { ($0.k, $0.v) } ?? keysAndValues(x, layer, into: &plan)
    if let temperature { q = plan.apply(temperature, to: q) }
    let scale = Float((scaleByLayer ? scale / Double(layer.index + 1) : scale) * layer.position.scoreFactor)
    if let keyBias {
      (q, k) = keyBias.write(q, k, values: v, heads: heads, keyHeads: keyHeads, scale: scale, into: &plan)
    }
    var states: [StateReference] = []
    // Where all tokens see each other no text is continued, and nothing is cached.
    if let taken {
      states = taken.states
    } else if mask != .full {
      let extent: PlannedState.Extent = attentionWindow.window.map { .window($0) } ?? .perToken
      states.append(plan.state("k", width: k.width, extent: extent, precision: .any))
      states.append(plan.state("v", width: v.width, extent: extent, precision: .any))
    }
    sharing.leave(k, v, states, into: &plan)
    // Tiled, query head h shares key head h mod keyHeads: heads are brought together for attention and back after it.
    let order = grouping == .tile && keyHeads < heads ? PermuteHeads(heads: heads, groups: keyHeads) : nil
    if let order { q = plan.apply(order, to: q) }
    let relative = layer.position.scoreTable(heads: heads, seesLater: mask == .full, into: &plan)
    if relative != nil, order != nil {
      plan.fail("heads that share keys interleaved have no learned table of distances", at: place)
    }
    if let patchWindows {
      if relative != nil || layer.position.scoreBias(heads: heads, scale: scale) != nil {
        plan.fail("squares of a picture have no bias by distances", at: place)
      }
      if order != nil { plan.fail("heads that share keys interleaved see no squares of a picture", at: place) }
      q = plan.apply(ArrangeWindows(patchWindows, isBack: false), to: q)
      k = plan.apply(ArrangeWindows(patchWindows, isBack: false), to: k)
      v = plan.apply(ArrangeWindows(patchWindows, isBack: false), to: v)
    }
    if mask == .full, attentionWindow.window != nil, plan.patches?.tiles != nil {
      plan.fail("the tiles of a picture on a canvas see each other whole, and have no window", at: place)
    }
    let scores = relative == nil && patchWindows == nil ? layer.position.scoreBias(heads: heads, scale: scale) : nil
    let chosen = indexer?.write(x, queries: x, into: &plan)
    let attend = Attend(
      mask: Attend.Mask(rawValue: mask.rawValue) ?? .causal, heads: heads, keyHeads: keyHeads, scale: scale,
      window: attentionWindow.window, windowAfter: mask == .full ? attentionWindow.window : nil,
      softcap: softcap.map { Float($0) },
      bias: attentionWindow.bias(with: scores, order: order), table: relative?.table, sinks: sinks,
      choice: chosen?.choice, windows: patchWindows,
      canvas: mask == .full && patchWindows == nil ? plan.patches?.tiles : nil)
    var tensors = sinks ? [plan.parameter("sinks", shape: [heads], starts: .zeros)] : []
    if let relative { tensors.append(relative.tensor) }
    var mixed = plan.apply(
      attend, to: [q, k, v] + (chosen.map { [$0.keys] } ?? []), parameters: tensors, states: states)[0]
    if let patchWindows { mixed = plan.apply(ArrangeWindows(patchWindows, isBack: true), to: mixed) }
    if let order { mixed = plan.apply(order.inverse, to: mixed) }
    if let gate { mixed = gate.write(mixed, from: x, heads: heads, into: &plan) }
    mixed = subNorm?.write(mixed, named: "sub_norm", over: .row, into: &plan) ?? mixed
    return plan.linear(mixed, to: plan.shape.hiddenSize, named: "o", bias: bias["o"] ?? false, bounded: bounded)
  }

  private func linear(_ x: Value, _ name: String, _ heads: Int, into plan: inout PlanBuilder) -> Value {
    plan.linear(x, to: heads * headDim, named: name, bias: bias[name] ?? false, bounded: bounded)
  }

  /// Keys and values of the layer's own.
  private func keysAndValues(_ x: Value, _ layer: Layer, into plan: inout PlanBuilder) -> (k: Value, v: Value) {
    let raw = linear(x, "k", keyHeads, into: &plan)
    let k = projected(raw, "k", .key, keyHeads, layer, into: &plan)
    var v =
      sharing.valuesAreKeys
      ? raw : plan.linear(x, to: keyHeads * valueDim, named: "v", bias: bias["v"] ?? false, bounded: bounded)
    if let valueNorm { v = valueNorm.write(v, named: "v_norm", heads: keyHeads, into: &plan) }
    return (k, plan.scale(clipped(v, into: &plan), by: valueScale))
  }

  /// Queries or keys from their projection: normalized, clipped and rotated.
  private func projected(
    _ x: Value, _ name: String, _ role: AttentionRole, _ heads: Int, _ layer: Layer, into plan: inout PlanBuilder
  ) -> Value {
    var y = x
    if let norm, norm.when == .beforeRope { y = norm.write(y, named: "\(name)_norm", heads: heads, into: &plan) }
    y = clipped(y, into: &plan)
    y = layer.position.rotate(y, role, heads: heads, into: &plan)
    if let norm, norm.when == .afterRope { y = norm.write(y, named: "\(name)_norm", heads: heads, into: &plan) }
    return y
  }

  private func clipped(_ x: Value, into plan: inout PlanBuilder) -> Value {
    clip.map { plan.clamp(x, to: -Float($0)...Float($0)) } ?? x
  }
}
