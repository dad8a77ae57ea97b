import Components

/// What an image encoder gives through a convolution that joins blocks of patches, and a gated MLP of the text's width.
///
///     s[i] = C·(the rows of block i, element by element) + c;   h = act(norm(W·s));   y = (act(h·Wgateᵀ) ⊙ h·Wupᵀ)·Wdownᵀ
///
/// V Team, 2025 (GLM-4.1V), https://arxiv.org/abs/2507.01006. Rows stand block by block, of pictures of any size. The stack's norm stands before
/// it, unless the last block ends in one. The careful reader's mistake: a convolution takes the first number of all patches of a block,
/// then the second, where `output` takes one patch after the other.
///
/// Examples: `{window: 1, intermediate_size: 6}` `{window: 2, intermediate_size: 6, activation: silu, norm: layernorm}`
///
/// Known as: patch_merger `output: {type: gated_merger, window: 2, intermediate_size: 13696}`
public struct GatedMerger: Output {
  public static let name = "gated_merger"

  let window: Int
  let width: Int
  let first: (any Activation)?
  let activation: (any Activation)?
  let norm: (any Normalization)?

  public init(_ options: Options) {
    window = options.requiredInteger("window", in: 1...64, "the patches along a side of a block")
    width = options.requiredInteger("intermediate_size", in: 1...(1 << 24), "the inner width of the MLP")
    norm = options.component("norm", default: "none", slot: .norm, "the norm behind the first matrix")
    first = options.component(
      "first_activation", default: "gelu", slot: .activation, "the nonlinearity behind that norm")
    activation = options.component("activation", default: "silu", slot: .activation, "the nonlinearity of the gate")
  }

  public func write(
    _ hidden: [Value], norm component: any Normalization, normIsDue: Bool, into plan: inout PlanBuilder
  ) -> Value {
    var x = hidden[hidden.count - 1]
    if normIsDue { x = component.write(x, named: "final_norm", over: .row, into: &plan) }
    let axis = plan.axis(from: x.axis, dropping: 0, joining: window * window)
    let rows = plan.apply(
      ReduceRows(axis: axis, dropping: 0, window: window, joins: true, isInBlocks: true, byChannel: true), to: x)
    return plan.within("merger") { plan in
      let text = plan.textShape.hiddenSize
      let joined = plan.linear(rows, to: text, named: "join", bias: true)
      let projected = plan.linear(joined, to: text, named: "in")
      let normed = norm?.write(projected, named: "norm", over: .row, into: &plan) ?? projected
      let h = first?.write(normed, into: &plan) ?? normed
      let gate = plan.linear(h, to: width, named: "gate")
      let opened = activation?.write(gate, into: &plan) ?? gate
      let up = plan.linear(h, to: width, named: "up")
      return plan.linear(plan.multiply(opened, up), to: text, named: "down")
    }
  }
}
