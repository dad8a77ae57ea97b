import Components

/// A norm with a gate made of its own result: two narrow matrices say how much of each element passes.
///
///     y = norm(x),   y ← y ⊙ σ(silu(y·Waᵀ)·Wbᵀ)        Wa: [rank, width], Wb: [width, rank]
///
/// Source: SK Telecom, 2026 (A.X K2, `AXK2GatedRMSNorm` of transformers). `of` is the norm, and `skip` names sublayers before which it
/// stands without a gate. The careful reader's mistake: only norms before sublayers are gated; what stands inside a mixer, after
/// a sublayer or before the head is the norm alone.
///
/// Examples: `{rank: 3}` `{rank: 2, of: {type: rmsnorm, eps: 0.001}, skip: {mlp: true}}`
///
/// Known as: gated_rmsnorm `norm: {type: gated, rank: 16, of: rmsnorm}`
public struct GatedNorm: Normalization {
  public static let name = "gated"

  let rank: Int
  let norm: (any Normalization)?
  let activation: (any Activation)?
  let gate: (any Activation)?
  let skipped: [String: Bool]

  public init(_ options: Options) {
    rank = options.requiredInteger("rank", in: 1...65536, "the width between the gate's matrices")
    norm = options.component("of", default: "rmsnorm", slot: .norm, "the norm")
    activation = options.component(
      "activation", default: "silu", slot: .activation, "the nonlinearity between the gate's matrices")
    gate = options.component("gate", default: "sigmoid", slot: .activation, "what becomes of the gate's result")
    skipped = options.flags(
      "skip", Slot.ofSublayers.compactMap(\.scope), default: false, "before which sublayers there is no gate")
  }

  public func write(_ x: Value, named name: String, over span: NormSpan, into plan: inout PlanBuilder) -> Value {
    let y = norm?.write(x, named: name, over: span, into: &plan) ?? x
    guard
      Slot.ofSublayers.contains(where: { slot in
        slot.scope.map { "\($0)_norm" == name && skipped[$0] != true } ?? false
      })
    else { return y }
    let narrow = plan.linear(y, to: rank, named: "\(name)_gate.down")
    let inner = activation?.write(narrow, into: &plan) ?? narrow
    let wide = plan.linear(inner, to: x.width, named: "\(name)_gate.up")
    return plan.multiply(gate?.write(wide, into: &plan) ?? wide, y)
  }
}
