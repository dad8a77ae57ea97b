import Components

/// A mixture of experts: a router gives every token to `top_k` of many feed-forwards, whose results it weighs.
///
///     y = Σ_j w_j·E_j(x)  (+ σ(x·Wsgᵀ)·S(x));   E(x) = (act(x·Wgateᵀ) ⊙ x·Wupᵀ)·Wdownᵀ,  (w, j) = router(softcap(x·Wrᵀ + b))
///
/// Shazeer et al., 2017, https://arxiv.org/abs/1701.06538; shared experts S: Dai et al., 2024,
/// https://arxiv.org/abs/2401.06066; with a gate of their own as Qwen2-MoE; clamped: Agarwal et al., 2025 (gpt-oss),
/// https://arxiv.org/abs/2508.10925; weighing the input instead of the result: Llama 4.
/// All experts of a layer are one planned tensor, `experts.*.gate.weight [experts, expert_size, hidden_size]`, so that a
/// model of thousands is composed at once; only a checkpoint map knows each by its own name. A token reads the matrices
/// of its own experts alone. `clamp` acts before the activation, on the gate from above only and on `up` from both sides.
///
/// Examples: `{num_experts: 4, top_k: 2, expert_size: 12, gated: true, activation: silu}`
/// `{num_experts: 3, top_k: 1, expert_size: 8, bias: true, router: {bias: true, softcap: 2}}`
/// `{num_experts: 4, top_k: 2, expert_size: 8, gated: true, clamp: 0.5, up_offset: 1, activation: quick_gelu, router: {order: select_first}}`
/// `{num_experts: 6, top_k: 3, expert_size: 6, gated: true, shared_size: 10, router: {score: sigmoid, normalize: sum, scale: 2.5, groups: 3, top_groups: 2, selection_bias: true}}`
/// `{num_experts: 4, top_k: 2, expert_size: 8, shared_size: 6, shared_gate: true, router: {normalize: clamped, eps: 0.9, groups: 2, top_groups: 1, group_score: max}}`
/// `{num_experts: 5, top_k: 2, expert_size: 8, gated: true, router: {score: sigmoid, order: select_first, apply_to: input}}`
/// `{num_experts: 4, top_k: 2, expert_size: 8, gated: true, router: {score: sigmoid, normalize: sum, apply_to: input}}`
/// `{num_experts: 3, top_k: 1, expert_size: 8, gated: true, shared_size: 6, shared_sum: average}`
/// `{num_experts: 2, top_k: 3, expert_size: 6, gated: true, zero_experts: 1, spare_experts: true, output_bias: true}`
/// `{num_experts: 4, top_k: 2, expert_size: 8, router: {score: sparsemixer, jitter: 0.4, scale: 1.5}}`
///
/// Sizes, those of Mixtral 8x7B: `{num_experts: 8, top_k: 2, expert_size: 14336, gated: true, activation: silu, router: {normalize: sum}}`;
/// those of Qwen3-30B-A3B: `{num_experts: 128, top_k: 8, expert_size: 768, gated: true, activation: silu, router: {normalize: sum}}`
///
/// Known as: mixture_of_experts, experts, sparse_moe, switch, moe_mlp `mlp: {type: moe, num_experts: 8, top_k: 2, expert_size: 1024, gated: true, activation: silu, router: {normalize: sum}}`,
/// shared_experts, shared_expert `mlp: {type: moe, num_experts: 8, top_k: 2, expert_size: 1024, gated: true, activation: silu, shared_size: 1024}`
public struct MoE: FeedForward {
  public static let name = "moe"
  public let scope = "moe"

  let experts: Int
  let chosen: Int
  let width: Int
  let gated: Bool
  let bias: [String: Bool]
  let activation: (any Activation)?
  let clamp: Double?
  let upOffset: Double
  let router: Router
  let sharedWidth: Int?
  let sharedGate: Bool
  let sharedSum: SharedSum
  let outputBias: Bool
  let zeroExperts: Int
  let spareExperts: Bool

  private var matrices: Experts { Experts(count: experts, chosen: chosen, mayBeNone: zeroExperts > 0) }

  /// How what the shared expert gives meets what the token's own give.
  enum SharedSum: String, CaseIterable { case sum, average }

  public init(_ options: Options) {
    let experts = options.requiredInteger("num_experts", in: 1...65536, "the number of experts")
    let chosen = options.requiredInteger("top_k", in: 1...1024, "the number of experts per token")
    self.experts = experts
    width = options.requiredInteger("expert_size", "the inner width of an expert")
    gated = options.flag("gated", default: false, "whether a gate multiplies the inner activations (SwiGLU, GEGLU)")
    bias = options.flags("bias", ["gate", "up", "down"], default: false, "which matrices have a bias")
    activation = options.component("activation", default: "gelu", slot: .activation, "the nonlinearity")
    clamp = options.optionalNumber("clamp", in: 1e-6...1e6, "clamp of the inner activations before the nonlinearity")
    upOffset =
      gated ? options.number("up_offset", default: 0, in: -1e6...1e6, "what is added to 'up' before the gate") : 0
    sharedWidth = options.optionalInteger("shared_size", "the inner width of the shared expert, which every token uses")
    sharedGate =
      sharedWidth == nil
      ? false : options.flag("shared_gate", default: false, "whether a learned sigmoid gate weights the shared expert")
    sharedSum =
      sharedWidth == nil
      ? .sum
      : options.choice(
        "shared_sum", default: SharedSum.sum, "whether the shared expert is added, or the mean of both is taken")
    outputBias = options.flag(
      "output_bias", default: false, "whether a learned vector is added to the sum of a token's own experts")
    zeroExperts = options.integer(
      "zero_experts", default: 0, in: 0...65536, "how many experts more give back what they read, and compute nothing")
    spareExperts =
      zeroExperts == 0
      ? false
      : options.flag(
        "spare_experts", default: false, "whether gate and up have matrices for those too, which nothing reads")
    let all = experts + zeroExperts
    if chosen > all { options.fail("top_k", "a token cannot be sent to \(chosen) of \(all) experts") }
    self.chosen = min(chosen, all)
    let counts = (experts: all, chosen: self.chosen)
    router =
      options.group("router", "how experts are chosen and weighted") {
        Router($0, experts: counts.experts, chosen: counts.chosen)
      }
      ?? Router(experts: counts.experts, chosen: counts.chosen)
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    var route = plan.part("router") { plan in router.write(x, into: &plan) }
    var share: Value?
    if zeroExperts > 0 {
      let parts = plan.apply(ZeroExperts(experts: experts), to: [route.weights, route.choice])
      share = parts[0]
      route = (route.weights, parts[1])
    }
    var y = plan.part("experts") { plan in expertSum(x, route, into: &plan) }
    if let share {
      let passed = plan.apply(ScaleHeads(heads: 1), to: x, share)
      y = plan.add(y, passed)
    }
    if outputBias { y = plan.shift(y, byLearned: "bias") }
    guard let sharedWidth else { return y }
    let shared = plan.part("shared expert") { plan in sharedExpert(x, width: sharedWidth, into: &plan) }
    let part = sharedSum == .average ? 0.5 : 1.0
    return plan.add(y, shared, alpha: part, beta: part)
  }

  /// What a token's own experts give, weighed and added.
  private func expertSum(_ x: Value, _ route: (weights: Value, choice: Value), into plan: inout PlanBuilder) -> Value {
    let input = router.weighsInput ? plan.apply(OuterProduct(), to: x, route.weights) : x
    let inner = hidden(into: &plan) { name, plan in
      matrices.linear(
        input, route.choice, to: width, named: name, each: router.weighsInput, bias: bias[name] ?? false,
        spare: spareExperts ? zeroExperts : 0, into: &plan)
    }
    let results = matrices.linear(
      inner, route.choice, to: x.width, named: "down", each: true, bias: bias["down"] ?? false, into: &plan)
    return router.weighsInput
      ? plan.apply(WeightedSum(count: chosen, weighted: false), to: results)
      : plan.apply(WeightedSum(count: chosen, weighted: true), to: results, route.weights)
  }

  /// What the expert gives that every token meets.
  private func sharedExpert(_ x: Value, width: Int, into plan: inout PlanBuilder) -> Value {
    let shared = plan.within("shared") { plan in
      let inner = hidden(into: &plan) { name, plan in plan.linear(x, to: width, named: name, bias: bias[name] ?? false)
      }
      return plan.linear(inner, to: x.width, named: "down", bias: bias["down"] ?? false)
    }
    guard sharedGate else { return shared }
    let gate = plan.linear(x, to: 1, named: "shared_gate")
    return plan.apply(SigmoidGate(), to: shared, gate)
  }

  /// What goes into `down`: `linear` writes the matrices that read the token.
  private func hidden(into plan: inout PlanBuilder, _ linear: (String, inout PlanBuilder) -> Value) -> Value {
    guard gated else {
      let up = clamped(linear("up", &plan), bothSides: true, into: &plan)
      return activation?.write(up, into: &plan) ?? up
    }
    let gate = linear("gate", &plan)
    let up = linear("up", &plan)
    let limited = clamped(gate, bothSides: false, into: &plan)
    let opened = activation?.write(limited, into: &plan) ?? limited
    let within = clamped(up, bothSides: true, into: &plan)
    let lifted = plan.shift(within, by: upOffset)
    return plan.multiply(opened, lifted)
  }

  private func clamped(_ x: Value, bothSides: Bool, into plan: inout PlanBuilder) -> Value {
    guard let limit = clamp.map({ Float($0) }) else { return x }
    return plan.clamp(x, to: (bothSides ? -limit : -.infinity)...limit)
  }
}
