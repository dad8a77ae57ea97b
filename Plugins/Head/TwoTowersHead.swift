import Components

/// A vector of the text and one of what another stack reads, in one space: how near they are is their product.
///
///     t = T·s / ‖T·s‖,   p = P·r / ‖P·r‖;   outputs  (e^a·t, p),   with a bias  (e^a·t, b, p, 1)        T, P: [dim, width]
///
/// Radford et al., 2021, https://arxiv.org/abs/2103.00020 (CLIP); the bias: Zhai et al., 2023, https://arxiv.org/abs/2303.15343 (SigLIP).
/// s is a row of the text's states behind the final norm, the last one in CLIP, which stands for the end of the text; r one of the rows that
/// the other stack gives, the first one for CLIP's pictures, or the mean of either. The product of the halves of an output is
/// e^a times the cosine of t and p, plus b: the number that training compares with those of other pairs. a and b are learned; CLIP's own
/// code keeps e^a below 100, and here nothing does.
///
/// Examples: `{dim: 6, from: source, scale: 0}` `{dim: 6, from: source, scale: 0, bias: -3, text: mean, other: mean}`
///
/// Known as: clip, dual_encoder, two_tower, contrastive `head: {type: two_towers, dim: 512}`, logit_scale_init_value `head: {type: two_towers, dim: 512, scale: 2.6592}`
public struct TwoTowersHead: Head {
  public static let name = "two_towers"

  let dim: Int
  let from: String?
  let text: PooledRows.Pool
  let other: PooledRows.Pool
  let scale: Double
  let bias: Double?
  let place: Place?

  public init(_ options: Options) {
    place = options.place
    dim = options.requiredInteger("dim", in: 1...(1 << 24), "the numbers of a vector")
    from = options.optionalText("from", "the stack beside the text's; the only one when left out")
    text = options.choice("text", default: PooledRows.Pool.last, "what stands for a text: a row of it, or their mean")
    other = options.choice(
      "other", default: PooledRows.Pool.first,
      "what stands for what the other stack reads: one of its rows, or their mean")
    scale = options.number(
      "scale", default: 2.6592, in: -30...30, "what the learned logarithm of the products' factor starts at: of 1/0.07")
    bias = options.optionalNumber("bias", in: -1e3...1e3, "what a learned number added to the products starts at")
  }

  public func write(_ x: Value, norm component: any Normalization, normIsDue: Bool, into plan: inout PlanBuilder)
    -> Value
  {
    write(x, norm: component, normIsDue: normIsDue, reading: [], into: &plan)
  }

  public func write(
    _ x: Value, norm component: any Normalization, normIsDue: Bool, reading stacks: [StackStates],
    into plan: inout PlanBuilder
  ) -> Value {
    guard let stack = from.map({ name in stacks.first { $0.name == name } }) ?? (stacks.count == 1 ? stacks[0] : nil)
    else {
      let known = stacks.map { "'\($0.name)'" }.joined(separator: ", ")
      plan.fail(
        from.map { "there is no stack '\($0)' beside the text's" }
          ?? "there are \(stacks.count) stacks beside the text's",
        at: place, hint: stacks.isEmpty ? "give the model 'stacks'" : "'from' takes one of \(known)")
      return x
    }
    // A norm acts on each row by itself, and on the mean it would be another.
    let states = normIsDue ? component.write(x, named: "final_norm", over: .row, into: &plan) : x
    let own = plan.apply(PooledRows(pool: text), to: states)
    let beside = plan.apply(PooledRows(pool: other), to: stack.states)
    plan.predicts(.pairs)
    return plan.within("head") { plan in
      let t = vector(own, named: "text", into: &plan)
      let p = vector(beside, named: "other", into: &plan)
      plan.ends(in: t)
      var tensors = [plan.parameter("scale", shape: [1], starts: .constant(scale))]
      if let bias { tensors.append(plan.parameter("bias", shape: [1], starts: .constant(bias))) }
      return plan.apply(JoinPair(bias: bias != nil), to: [t, p], parameters: tensors)[0]
    }
  }

  private func vector(_ x: Value, named name: String, into plan: inout PlanBuilder) -> Value {
    let y = plan.linear(x, to: dim, named: name)
    return plan.apply(UnitRows(), to: y)
  }
}
