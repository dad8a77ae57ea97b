import Components
import Essentials

/// A state space whose fading and writing each token chooses: Mamba-2.
///
///     z, xBC, dt = projections of the token;   x, B, C = act(convolution(xBC));   Δ = softplus(dt), within min_step and max_step
///     S_t = exp(−exp(a_log)·Δ_t)·S_{t−1} + Δ_t·B_t·x_tᵀ;   y = norm(act(z) ⊙ (C_t·S_t + d·x_t))·Woᵀ
///
/// Dao and Gu, 2024, https://arxiv.org/abs/2405.21060. Also in Bamba, Granite 4 and Nemotron-H beside attention.
/// Each of `num_heads` heads of x has a state of state_size × head_dim elements; B and C are shared by the heads of one of
/// `num_groups` groups. What is cached of a sequence does not grow: the states, and the convolution's last inputs. The order
/// of its tokens is all it knows of positions, so the layer's position encoding has nothing to act on.
/// The norm comes after the gate, a group at a time, and is the layer's norm with the options of `sub_norm`. `chunk_size`
/// changes speed alone. `multipliers` are those of Falcon-H1.
///
/// Examples: `{num_heads: 4, state_size: 6}` `{num_heads: 4, state_size: 5, num_groups: 2, chunk_size: 4}`
/// `{num_heads: 2, head_dim: 5, state_size: 3, conv_kernel: 2, conv_bias: false, chunk_size: 3, bias: {o: true, gate: true}}`
/// `{num_heads: 4, state_size: 5, multipliers: {gate: 0.7, x: 1.2, b: 0.5, c: 2, dt: 1.5}}`
/// `{num_heads: 4, state_size: 6, min_step: 0.4, max_step: 0.9, sub_norm: {type: rmsnorm}, chunk_size: 2}`
public struct Mamba2: Mixer {
  public static let name = "mamba2"

  let heads: Int
  let headDim: Int
  let stateSize: Int
  let groups: Int
  let kernel: Int
  let convolutionBias: Bool
  let bias: [String: Bool]
  let steps: ClosedRange<Float>
  let chunk: Int
  let activation: (any Activation)?
  let norm: (any Normalization)?
  let multipliers: Multipliers

  /// What each projection is multiplied by, before biases.
  struct Multipliers {
    var (gate, x, b, c, dt) = (1.0, 1.0, 1.0, 1.0, 1.0)
  }

  public init(_ options: Options) {
    let inner = 2 * options.shape.hiddenSize
    let heads = options.requiredInteger("num_heads", in: 1...65536, "the number of heads, each with a state")
    headDim = options.integer(
      "head_dim", default: max(1, inner / heads), in: 1...65536,
      "the width of a head; 2·hidden_size / num_heads by default")
    if !options.isSet("head_dim"), inner % heads != 0 {
      options.fail(
        "num_heads", "2·hidden_size, \(inner), does not divide into \(heads) heads", hint: "or say 'head_dim'")
    }
    stateSize = options.integer("state_size", default: 128, in: 1...65536, "the width of the state: of B and C")
    groups = options.integer(
      "num_groups", default: 1, in: 1...65536, "the number of groups of heads that share B and C")
    if heads % groups != 0 { options.fail("num_groups", "\(heads) heads cannot share \(groups) groups evenly") }
    kernel = options.integer(
      "conv_kernel", default: 4, in: 2...64, "the kernel size of the convolution, in tokens")
    convolutionBias = options.flag("conv_bias", default: true, "whether the convolution has a bias")
    bias = options.flags("bias", ["gate", "xbc", "o"], default: false, "which projections have a bias; dt always has")
    let least = options.number("min_step", default: 0, in: 0...1e6, "the smallest step Δ")
    let most = options.optionalNumber("max_step", in: 1e-9...1e6, "the largest step Δ") ?? .infinity
    if most < least { options.fail("max_step", "'max_step' is less than 'min_step'") }
    steps = Float(least)...Float(max(least, most))
    chunk = options.integer(
      "chunk_size", default: 64, in: 1...1024, "chunk length of the parallel form, in tokens")
    activation = options.component(
      "activation", default: "silu", slot: .activation, "the nonlinearity of the convolution and the gate")
    norm = options.inheritedComponent("sub_norm", slot: .norm, "the norm before the last projection")
    multipliers =
      options.group("multipliers", "what each projection is multiplied by") { group in
        let range = -1e6...1e6
        return Multipliers(
          gate: group.number("gate", default: 1, in: range, "that of the gate"),
          x: group.number("x", default: 1, in: range, "that of x"),
          b: group.number("b", default: 1, in: range, "that of B"),
          c: group.number("c", default: 1, in: range, "that of C"),
          dt: group.number("dt", default: 1, in: range, "that of the steps"))
      } ?? Multipliers()
    self.heads = heads
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let (inner, shared) = (heads * headDim, groups * stateSize)
    let gate = plan.scale(
      plan.linear(x, to: inner, named: "gate", bias: bias["gate"] ?? false), by: multipliers.gate)
    var parts = plan.linear(x, to: inner + 2 * shared, named: "xbc", bias: bias["xbc"] ?? false)
    if [multipliers.x, multipliers.b, multipliers.c] != [1, 1, 1] {
      let factors = [multipliers.x, multipliers.b, multipliers.c].map { Float($0) }
      parts = plan.apply(ScaleParts(widths: [inner, shared, shared], factors: factors), to: [parts], parameters: [])[0]
    }
    let dt = writeSteps(plan.scale(x, by: multipliers.dt), into: &plan)
    parts = plan.convolve(parts, over: kernel, named: "conv", bias: convolutionBias)
    parts = activation?.write(parts, into: &plan) ?? parts
    let values = plan.split(parts, into: [inner, shared, shared])

    // A from 1 to the number of heads: they fade at different speeds.
    let logarithms = plan.parameter("a_log", shape: [heads], starts: .each((1...heads).map { log(Double($0)) }))
    let steps = plan.apply(DeltaAndDecay(limits: self.steps), to: [dt], parameters: [logarithms])
    let written = plan.apply(ScaleHeads(heads: heads), to: values[0], steps[0])
    let attend = LinearAttend(heads: heads, keyHeads: groups, decay: .given, chunk: chunk)
    let state = plan.state("state", width: heads * stateSize * headDim, extent: .fixed)
    var y = plan.apply(attend, to: values[2], values[1], written, steps[1], states: [state])
    let skip = plan.parameter("d", shape: [heads], starts: .ones)
    y = plan.apply(AddScaledHeads(heads: heads), to: y, values[0], parameters: [skip])

    let opened = activation?.write(gate, into: &plan) ?? gate
    y = plan.multiply(opened, y)
    y = norm?.write(y, named: "sub_norm", over: groups == 1 ? .row : .parts(groups), into: &plan) ?? y
    return plan.linear(y, to: plan.shape.hiddenSize, named: "o", bias: bias["o"] ?? false)
  }

  /// The projection of the steps, whose bias starts where softplus gives steps from 0.001 to 0.1, evenly by their logarithm.
  private func writeSteps(_ x: Value, into plan: inout PlanBuilder) -> Value {
    let starts = (0..<heads).map { head in
      let step = 0.001 * pow(100, (Double(head) + 0.5) / Double(heads))
      return step + log(-expm1(-step))
    }
    let weight = plan.parameter("dt.weight", shape: [heads, x.width], starts: .normal(0.02))
    let bias = plan.parameter("dt.bias", shape: [heads], starts: .each(starts))
    return plan.apply(Linear(bias: true), to: x, parameters: [weight, bias])
  }
}
