import Components
import Essentials

/// A state space of which every channel has its own: Mamba.
///
///     x, z = projections of the token;   x = act(convolution(x));   r, B, C = projections of x;   Δ = softplus(r·Wdtᵀ + b)
///     h_t = exp(−exp(a_log)·Δ_t) ⊙ h_{t−1} + (Δ_t ⊙ x_t)·B_tᵀ;   y = (h_t·C_t + d ⊙ x_t) ⊙ act(z)·Woᵀ
///
/// Gu and Dao, 2023, https://arxiv.org/abs/2312.00752. Also in Jamba, with norms on r, B and C, and in Falcon-Mamba, whose norms
/// have no weights: `step_norm` is the layer's norm with the options given there.
/// Each of `inner_size` channels has a state of `state_size` elements, which fade at rates of their own; so nothing is
/// multiplied in chunks, and a prompt goes through the state as single tokens do. What is cached of a sequence does not
/// grow: the states, and the convolution's last inputs. Positions have nothing to act on. With `num_heads` the channels are split, and
/// each head projects r, B, C and Δ from its own channels alone, with matrices of its own, `heads.h`, as in Zamba (Glorioso et al., 2024,
/// https://arxiv.org/abs/2405.16712).
///
/// Examples: `{state_size: 4}` `{inner_size: 12, state_size: 3, dt_rank: 2, conv_kernel: 2, conv_bias: false}`
/// `{state_size: 3, step_norm: {type: rmsnorm}, bias: {x: true, o: true}}` `{state_size: 2, step_norm: {weight: false, bias: false}}`
/// `{state_size: 3, num_heads: 2, dt_rank: 2}`
///
/// Known as: s6, selective_scan, mamba1 `attention: {type: mamba, state_size: 16}`
public struct Mamba: Mixer {
  public static let name = "mamba"

  let inner: Int
  let heads: Int?
  let stateSize: Int
  let rank: Int
  let kernel: Int
  let convolutionBias: Bool
  let bias: [String: Bool]
  let activation: (any Activation)?
  let norm: (any Normalization)?

  public init(_ options: Options) {
    let width = options.shape.hiddenSize
    inner = options.integer(
      "inner_size", default: 2 * width, in: 1...1_048_576, "the number of channels; 2·hidden_size by default")
    heads = options.optionalInteger(
      "num_heads", in: 1...65536, "how many heads project what they are read by from channels of their own")
    stateSize = options.integer("state_size", default: 16, in: 1...65536, "the width of a channel's state: of B and C")
    rank = options.integer(
      "dt_rank", default: max(1, (width + 15) / 16), in: 1...65536,
      "the rank of the projection of the steps; hidden_size / 16 by default")
    kernel = options.integer("conv_kernel", default: 4, in: 2...64, "the kernel size of the convolution, in tokens")
    convolutionBias = options.flag("conv_bias", default: true, "whether the convolution has a bias")
    bias = options.flags(
      "bias", ["gate", "x", "o"], default: false, "which projections have a bias; that of the steps always has")
    activation = options.component(
      "activation", default: "silu", slot: .activation, "the nonlinearity of the convolution and the gate")
    norm =
      options.group("step_norm", "the norm of what steps, B and C are projected from x to") { group in
        group.inheritedComponent(as: (any Normalization).self, slot: .norm, ignoring: [])
      } ?? nil
    if let heads, inner % heads != 0 {
      options.fail("num_heads", "\(inner) channels do not come out even over \(heads) heads")
    }
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let gate = plan.linear(x, to: inner, named: "gate", bias: bias["gate"] ?? false)
    var channels = plan.linear(x, to: inner, named: "x", bias: bias["x"] ?? false)
    channels = plan.convolve(channels, over: kernel, named: "conv", bias: convolutionBias)
    channels = activation?.write(channels, into: &plan) ?? channels
    let y: Value
    if let heads {
      let parts = plan.split(channels, into: Array(repeating: inner / heads, count: heads))
      var joined: Value?
      for (head, part) in parts.enumerated() {
        let own = scanned(part, under: "heads.\(head).", into: &plan)
        joined =
          joined.map { before in
            plan.apply(MLA.ConcatenateHeads(heads: 1, first: before.width, second: own.width), to: before, own)
          } ?? own
      }
      y = joined ?? channels
    } else {
      y = scanned(channels, under: "", into: &plan)
    }
    let opened = activation?.write(gate, into: &plan) ?? gate
    return plan.linear(plan.multiply(opened, y), to: plan.shape.hiddenSize, named: "o", bias: bias["o"] ?? false)
  }

  /// What the states of `channels` give; `prefix` is what the names of their tensors begin with.
  private func scanned(_ channels: Value, under prefix: String, into plan: inout PlanBuilder) -> Value {
    let width = channels.width
    let low = normalized(plan.linear(channels, to: rank, named: prefix + "dt_in"), prefix + "dt", into: &plan)
    let write = normalized(plan.linear(channels, to: stateSize, named: prefix + "b"), prefix + "b", into: &plan)
    let read = normalized(plan.linear(channels, to: stateSize, named: prefix + "c"), prefix + "c", into: &plan)
    let steps = writeSteps(low, channels: width, under: prefix, into: &plan)
    // A from 1 to state_size in every channel, as the paper starts it.
    let logarithms = (1...stateSize).map { log(Double($0)) }
    let rates = (0..<width).flatMap { _ in logarithms }
    let tensors = [
      plan.parameter(prefix + "a_log", shape: [width, stateSize], starts: .each(rates), use: .vector),
      plan.parameter(prefix + "d", shape: [width], starts: .ones),
    ]
    let state = plan.state(prefix + "state", width: width * stateSize, extent: .fixed)
    return plan.apply(
      SelectiveScan(stateSize: stateSize), to: [steps, channels, write, read], parameters: tensors, states: [state])[0]
  }

  private func normalized(_ x: Value, _ name: String, into plan: inout PlanBuilder) -> Value {
    norm?.write(x, named: "\(name)_norm", over: .row, into: &plan) ?? x
  }

  /// The projection of the steps, whose bias starts where softplus gives steps from 0.001 to 0.1, evenly by their logarithm.
  private func writeSteps(_ low: Value, channels: Int, under prefix: String, into plan: inout PlanBuilder) -> Value {
    let starts = (0..<channels).map { channel in
      let step = 0.001 * pow(100, (Double(channel) + 0.5) / Double(channels))
      return step + log(-expm1(-step))
    }
    let weight = plan.parameter(
      prefix + "dt.weight", shape: [channels, rank], starts: .uniform(1 / Double(rank).squareRoot()))
    let bias = plan.parameter(prefix + "dt.bias", shape: [channels], starts: .each(starts))
    return plan.apply(Linear(bias: true), to: low, parameters: [weight, bias])
  }
}
