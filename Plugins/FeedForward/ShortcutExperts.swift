import Components

/// A dense feed-forward beside experts whose result joins the residual stream later: shortcut-connected experts.
///
///     first:  y = dense(x), s = experts(x);   second, at the layer's end:  y = dense(x) + s
///
/// Cai et al., 2024 (ScMoE), https://arxiv.org/abs/2404.05019; LongCat-Flash, https://arxiv.org/abs/2509.01322. It is for a block that has its
/// sublayers `twice`: the experts read what the first dense feed-forward reads, and are added where the second one is, so that
/// machines may compute them meanwhile. In a layer that has its sublayers once, both are added at once.
///
/// Examples: `{dense: {intermediate_size: 20}, experts: {type: moe, num_experts: 2, top_k: 2, expert_size: 6}}`
///
/// Known as: scmoe, shortcut_connected_moe `mlp: {type: shortcut_moe, dense: {intermediate_size: 12288, gated: true}, experts: {type: moe, num_experts: 512, top_k: 12, expert_size: 2048}}`
public struct ShortcutExperts: FeedForward {
  public static let name = "shortcut_moe"

  /// What experts gave, until the layer's second feed-forward.
  private struct Late: Sendable {
    let layer: Int?
    let value: Value
  }

  let dense: (any FeedForward)?
  let experts: (any FeedForward)?

  public init(_ options: Options) {
    dense = options.component("dense", default: "mlp", slot: .mlp, "the feed-forward that every token meets")
    experts = options.component("experts", default: "none", slot: .mlp, "the experts")
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let place = plan.scope.path.first
    let y = plan.within("dense") { plan in dense?.write(x, layer: layer, into: &plan) ?? x }
    if place == ResidualBlock.places.second, let late = plan.left(Late.self), late.layer == layer.index {
      return plan.add(y, late.value)
    }
    guard let experts, !experts.isAbsent else { return y }
    let sum = plan.within("experts") { plan in experts.write(x, layer: layer, into: &plan) }
    guard place == ResidualBlock.places.first else { return plan.add(y, sum) }
    plan.leave(Late(layer: layer.index, value: sum))
    return y
  }
}
