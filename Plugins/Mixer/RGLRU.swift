import Components
import Essentials

/// A recurrence of one number a channel, with gates on what it keeps and what it takes in: RG-LRU, the mixer of Griffin.
///
///     x, z = projections of the token;   x = convolution(x);   i = σ(x·Wi + bi), r = σ(x·Wr + br), each block of channels by itself
///     a = exp(−8·r·softplus(rate));   h_t = a_t ⊙ h_{t−1} + √(1 − a_t²) ⊙ i_t ⊙ x_t;   y = (h ⊙ act(z))·Woᵀ
///
/// De et al., 2024, https://arxiv.org/abs/2402.19427. In RecurrentGemma beside local attention. The first token of a text is taken
/// in whole: it multiplies by 1 in place of the root. What is cached of a sequence does not grow: h, and the convolution's last
/// inputs. Positions have nothing to act on.
///
/// Examples: `{num_blocks: 2}` `{width: 12, num_blocks: 3, conv_kernel: 2, activation: silu, bias: false}`
///
/// Known as: griffin, hawk, rglru, real_gated_lru `attention: rg_lru`
public struct RGLRU: Mixer {
  public static let name = "rg_lru"

  let width: Int
  let blocks: Int
  let kernel: Int
  let bias: Bool
  let activation: (any Activation)?

  public init(_ options: Options) {
    let width = options.integer(
      "width", default: options.shape.hiddenSize, in: 1...1_048_576, "the number of channels; hidden_size by default")
    blocks = options.integer(
      "num_blocks", default: 1, in: 1...65536, "the number of blocks of channels, whose gates see no other block")
    if width % blocks != 0 { options.fail("num_blocks", "\(width) channels do not divide into \(blocks) blocks") }
    kernel = options.integer("conv_kernel", default: 4, in: 2...64, "the kernel size of the convolution, in tokens")
    bias = options.flag("bias", default: true, "whether the projections and the convolution have a bias")
    activation = options.component(
      "activation", default: "gelu_tanh", slot: .activation, "the nonlinearity of the gate")
    self.width = width
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let gate = plan.linear(x, to: width, named: "gate", bias: bias)
    var channels = plan.linear(x, to: width, named: "x", bias: bias)
    channels = plan.convolve(channels, over: kernel, named: "conv", bias: bias)
    let taken = writeGate(channels, "input_gate", into: &plan)
    let kept = writeGate(channels, "decay_gate", into: &plan)
    // Where softplus gives rates with which a² lies from 0.9 to 0.999 when the gate is half open, as the paper starts it.
    let starts = (0..<width).map { channel in
      let a = 0.9 + 0.099 * (Double(channel) + 0.5) / Double(width)
      return log(expm1(-0.5 * log(a) / 4))
    }
    let rate = plan.parameter("rate", shape: [width], starts: .each(starts))
    let state = plan.state("state", width: width, extent: .fixed)
    let y = plan.apply(Recurrence(), to: [channels, taken, kept], parameters: [rate], states: [state])[0]
    let opened = activation?.write(gate, into: &plan) ?? gate
    return plan.linear(plan.multiply(opened, y), to: plan.shape.hiddenSize, named: "o", bias: bias)
  }

  private func writeGate(_ x: Value, _ name: String, into plan: inout PlanBuilder) -> Value {
    let block = width / blocks
    let tensors = [
      plan.parameter(
        "\(name).weight", shape: [blocks, block, block], starts: .normal(1 / Double(block).squareRoot()), use: .vector),
      plan.parameter("\(name).bias", shape: [blocks, block], starts: .zeros, use: .vector),
    ]
    return plan.apply(BlockLinear(blocks: blocks), to: x, parameters: tensors)
  }
}
