import Components
import Essentials

/// A vector of the text and one of what another stack reads, in one space: how near they are is their product.
///
///     t = T·s / ‖T·s‖,   p = P·r / ‖P·r‖;   outputs  (e^a·t, p),   with a bias  (e^a·t, b, p, 1)        T, P: [dim, width]
///
/// Radford et al., 2021, https://arxiv.org/abs/2103.00020 (CLIP); the bias: Zhai et al., 2023, https://arxiv.org/abs/2303.15343 (SigLIP).
/// s is a row of the text's states behind the final norm, the last one in CLIP, which stands for the end of the text; r one of the rows that
/// the other stack gives, the first one for CLIP's pictures, or the mean of either. With `fill` a text is filled up with that token to the longest that the
/// model takes, wherever it is read as text; the last row is then a filled one, as in SigLIP. `matrix` says which of T and P there are: without one, its
/// vector has its stack's own width, which is `dim` (SigLIP's pictures); `matrix_bias` which of them have a bias. The product of the halves of an output is
/// e^a times the cosine of t and p, plus b: the number that training compares with those of other pairs. a and b are learned; after each step
/// of training e^a is held at `most`, 100 as CLIP's paper has it in 2.5; SigLIP's says nothing of it.
///
/// Examples: `{dim: 6, from: source, scale: 0}` `{dim: 6, from: source, scale: 0, bias: -3, text: mean, other: mean}`
/// `{dim: 6, from: source, scale: 0, matrix_bias: {text: true}, most: none}`
///
/// Known as: clip, dual_encoder, two_tower, contrastive `head: {type: two_towers, dim: 512}`, logit_scale_init_value `head: {type: two_towers, dim: 512, scale: 2.6592}`
public struct TwoTowersHead: Head {
  public static let name = "two_towers"

  let dim: Int
  let from: String?
  let text: PooledRows.Pool
  let other: PooledRows.Pool
  let fill: Int?
  let matrix: [String: Bool]
  let matrixBias: [String: Bool]
  let scale: Double
  let bias: Double?
  let most: Double
  let place: Place?

  public init(_ options: Options) {
    place = options.place
    dim = options.requiredInteger("dim", in: 1...(1 << 24), "the numbers of a vector")
    from = options.optionalText("from", "the stack beside the text's; the only one when left out")
    text = options.choice("text", default: PooledRows.Pool.last, "what stands for a text: a row of it, or their mean")
    other = options.choice(
      "other", default: PooledRows.Pool.first,
      "what stands for what the other stack reads: one of its rows, or their mean")
    fill = options.optionalInteger(
      "fill", in: 0...(1 << 24), "the token with which a text is filled up to the longest; none when left out")
    matrix = options.flags(
      "matrix", ["text", "other"], default: true, "which of the two a matrix makes its vector of")
    matrixBias = options.flags("matrix_bias", ["text", "other"], default: false, "which of the matrices have a bias")
    scale = options.number(
      "scale", default: 2.6592, in: -30...30, "what the learned logarithm of the products' factor starts at: of 1/0.07")
    bias = options.optionalNumber("bias", in: -1e3...1e3, "what a learned number added to the products starts at")
    most = options.number(
      "most", default: 100, words: ["none": .infinity], "what training holds the products' factor at, at most")
    if !(most > 0) { options.fail("most", "'most' takes a number above 0, or none") }
    for part in ["text", "other"] where matrixBias[part] == true && matrix[part] != true {
      options.fail("matrix_bias", "there is no matrix for the bias of '\(part)'")
    }
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
    if let fill {
      if fill >= plan.shape.vocabSize {
        plan.fail("there is no token \(fill) among \(plan.shape.vocabSize) to fill texts up with", at: place)
      }
      plan.fillTexts(with: fill)
    }
    return plan.within("head") { plan in
      let t = vector(own, named: "text", into: &plan)
      let p = vector(beside, named: "other", into: &plan)
      plan.ends(in: t)
      let limit = most.isFinite ? log(most) : nil
      var tensors = [plan.parameter("scale", shape: [1], starts: .constant(scale), most: limit)]
      if let bias { tensors.append(plan.parameter("bias", shape: [1], starts: .constant(bias))) }
      return plan.apply(JoinPair(bias: bias != nil), to: [t, p], parameters: tensors)[0]
    }
  }

  private func vector(_ x: Value, named name: String, into plan: inout PlanBuilder) -> Value {
    if matrix[name] != true {
      if x.width != dim {
        plan.fail(
          "without a matrix a vector has the \(x.width) numbers of its stack's rows, and 'dim' is \(dim)", at: place,
          hint: "matrix: {text: true, other: true}")
      }
      return plan.apply(UnitRows(), to: x)
    }
    let y = plan.linear(x, to: dim, named: name, bias: matrixBias[name] ?? false)
    return plan.apply(UnitRows(), to: y)
  }
}
