import Components

/// Softmax attention of a text's tokens over the rows of another stack: an encoder's tokens, the patches of an image.
///
///     q = x·Wqᵀ, k = s·Wkᵀ, v = s·Wvᵀ;   y = softmax(cap(scale·q·kᵀ))·v·Woᵀ        s: what the stack gives, all its rows seen
///
/// Vaswani et al., 2017, https://arxiv.org/abs/1706.03762. Keys and values are computed once, with the stack, and cached. Positions
/// of one stack mean nothing in another, so nothing is rotated and nothing biased by distance. The careful reader's mistake:
/// s is the other stack's width, which need not be x's. `from` names the stack where there are several. With `pictures` the rows are those of
/// pictures, and a token reads those whose `token` stands last before it (Alayrac et al., 2022, https://arxiv.org/abs/2204.14198); one before any
/// reads all rows. Where pictures lie on a canvas in tiles, the stack's output marks these (`canvas: {marks: true}`), and absent ones are read only by a token
/// before any picture (Llama Team, 2024, https://arxiv.org/abs/2407.21783).
///
/// Examples: `{num_heads: 4}` `{num_heads: 4, num_kv_heads: 2, head_dim: 6, bias: true, scale: 0.3, softcap: 5}`
/// `{num_heads: 2, qk_norm: {scope: head}, bias: {q: true, o: true}, v_head_dim: 6}`
///
/// Known as: encoder_attention, encdec_attention, encoder_decoder_attention, crossattention, cross_attn
/// `cross_attention: {num_heads: 8}  # and 'stacks', with what it reads`
public struct CrossAttention: CrossMixer {
  public static let name = "cross_attention"

  let from: String?
  let heads: Int
  let keyHeads: Int
  let headDim: Int
  let valueDim: Int
  let bias: [String: Bool]
  let scale: Double
  let softcap: Double?
  let norm: Attention.HeadNorm?
  let token: Int?
  let place: Place?

  public init(_ options: Options) {
    let width = options.shape.hiddenSize
    place = options.place
    from = options.optionalText("from", "the stack that is read; the only one when left out")
    let heads = options.requiredInteger("num_heads", in: 1...65536, "the number of query heads")
    self.heads = heads
    keyHeads = options.integer(
      "num_kv_heads", default: heads, in: 1...65536, "the number of key/value heads, which divides num_heads")
    headDim = options.integer(
      "head_dim", default: max(1, width / heads), in: 1...65536,
      "the width of a head; hidden_size / num_heads by default")
    if !options.isSet("head_dim"), width % heads != 0 {
      options.fail("num_heads", "hidden_size \(width) does not divide into \(heads) heads", hint: "or say 'head_dim'")
    }
    if heads % keyHeads != 0 {
      options.fail("num_kv_heads", "\(heads) query heads cannot share \(keyHeads) key heads evenly")
    }
    valueDim =
      options.optionalInteger("v_head_dim", in: 1...65536, "the width of a value head, if not head_dim") ?? headDim
    bias = options.flags("bias", ["q", "k", "v", "o"], default: false, "which projections have a bias")
    let auto = 1 / Double(headDim).squareRoot()
    scale = options.number(
      "scale", default: auto, words: ["auto": auto], "the factor of the scores; auto is 1/√head_dim")
    softcap = options.optionalNumber("softcap", in: 1e-6...1e6, "soft cap of the scores: cap·tanh(x/cap)")
    norm = options.group("qk_norm", "the norm of queries and keys") { group in
      Attention.HeadNorm(
        scope: group.choice(
          "scope", default: Attention.NormScope.head,
          "each head with shared weights, all heads at once, or each with its own"),
        when: .beforeRope, norm: group.inheritedComponent(slot: .norm, ignoring: ["scope"]))
    }
    token = options.group(
      "pictures", "whether the rows are those of pictures, of which a token reads the last before it"
    ) {
      $0.requiredInteger("token", in: 0...(1 << 31), "the id of the token that stands for a picture")
    }
    if token != nil, softcap != nil { options.fail("softcap", "scores with rows of pictures have no soft cap") }
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    guard var memory = states(of: layer, into: &plan) else { return x }
    var marks: Value?
    let rows = plan.rowsOfPicture(on: memory.axis)
    if let token {
      guard rows != nil else {
        plan.fail(
          "the stack gives no rows of pictures that all have as many", at: place,
          hint: "give it the embedding 'patches' and a table of positions, or 'canvas_patches'")
        return x
      }
      if plan.patches(of: memory.axis)?.tiles != nil {
        guard memory.width > 1 else {
          plan.fail("the tiles of pictures are not marked", at: place, hint: "output: {canvas: {marks: true}}")
          return x
        }
        let parts = plan.split(memory, into: [memory.width - 1, 1])
        (memory, marks) = (parts[0], parts[1])
      }
      plan.mark(pictureOf: memory.axis, by: token)
    }
    var q = plan.linear(x, to: heads * headDim, named: "q", bias: bias["q"] ?? false)
    var k = plan.linear(memory, to: keyHeads * headDim, named: "k", bias: bias["k"] ?? false)
    let v = plan.linear(memory, to: keyHeads * valueDim, named: "v", bias: bias["v"] ?? false)
    if let norm {
      q = norm.write(q, named: "q_norm", heads: heads, into: &plan)
      k = norm.write(k, named: "k_norm", heads: keyHeads, into: &plan)
    }
    let states = [
      plan.state("k", width: k.width, extent: .perToken, precision: .any, axis: memory.axis),
      plan.state("v", width: v.width, extent: .perToken, precision: .any, axis: memory.axis),
    ]
    if let token, let rows {
      let pictures = PicturesOfTokens.write(token: token, into: &plan)
      let seen = marks.map { _ in plan.state("marks", width: 1, extent: .perToken, axis: memory.axis) }
      let mixed = plan.apply(
        PictureAttend(heads: heads, keyHeads: keyHeads, scale: Float(scale), rows: rows, isMarked: marks != nil),
        to: [q, k, v] + [marks, pictures].compactMap(\.self), states: states + [seen].compactMap(\.self))[0]
      return plan.linear(mixed, to: plan.shape.hiddenSize, named: "o", bias: bias["o"] ?? false)
    }
    let attend = Attend(
      mask: .full, heads: heads, keyHeads: keyHeads, scale: Float(scale), window: nil,
      softcap: softcap.map { Float($0) },
      bias: nil)
    let mixed = plan.apply(attend, to: q, k, v, states: states)
    return plan.linear(mixed, to: plan.shape.hiddenSize, named: "o", bias: bias["o"] ?? false)
  }

  /// What the stack that is meant gives; nil, and the plan fails, where there is none.
  private func states(of layer: Layer, into plan: inout PlanBuilder) -> Value? {
    let names = layer.stacks.map(\.name)
    if let from {
      if let stack = layer.stacks.first(where: { $0.name == from }) { return stack.states }
      plan.fail(
        "no stack that is written before is named '\(from)'", at: place,
        hint: names.isEmpty ? "describe it under 'stacks'" : "there are \(names.joined(separator: ", "))")
      return nil
    }
    if layer.stacks.count == 1 { return layer.stacks[0].states }
    plan.fail(
      names.isEmpty
        ? "there is no other stack whose rows could be read"
        : "there are several stacks to read: \(names.joined(separator: ", "))", at: place,
      hint: names.isEmpty ? "describe it under 'stacks'" : "say which: from: \(names[0])")
    return nil
  }
}
