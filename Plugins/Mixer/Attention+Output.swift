import Components

/// A gate on what heads give: an activation of a projection of the sublayer's input, for each number or each head.
///
///     y = act(x·Wgᵀ) ⊙ heads
struct OutputGate {
  enum Width: String, CaseIterable { case channel, head }

  let per: Width
  let bias: Bool
  let activation: (any Activation)?

  init(_ options: Options) {
    per = options.choice("per", default: Width.channel, "a gate per element, or per head")
    bias = options.flag("bias", default: false, "whether its projection has a bias")
    activation = options.component("activation", default: "sigmoid", slot: .activation, "its nonlinearity")
  }

  func write(_ mixed: Value, from x: Value, heads: Int, into plan: inout PlanBuilder) -> Value {
    let gate = plan.linear(x, to: per == .head ? heads : mixed.width, named: "gate", bias: bias)
    let opened = activation?.write(gate, into: &plan) ?? gate
    if per == .channel { return plan.multiply(opened, mixed) }
    return plan.apply(ScaleHeads(heads: heads), to: mixed, opened)
  }
}
