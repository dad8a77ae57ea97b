import Components

/// A short convolution between two gates: the mixer of LFM2.
///
///     y = (c ⊙ convolution(b ⊙ x))·Woᵀ;   b, c, x projections of the token, (convolution x)_t = Σ_j w_j ⊙ x_{t−k+1+j}
///
/// Liquid AI, 2025, https://arxiv.org/abs/2511.23404; gated convolutions: Poli et al., 2023 (Hyena),
/// https://arxiv.org/abs/2302.10866.
/// Of a sequence the last `kernel` − 1 rows of b ⊙ x are cached, however long it is. Positions have nothing to act on: a
/// token sees the few before it, each with weights of its own.
///
/// Examples: `{kernel: 4}` `{kernel: 2, conv_bias: true, bias: true}` `{kernel: 12, bias: {o: true, in_gate: true}}`
public struct ShortConvolution: Mixer {
  public static let name = "short_conv"

  let kernel: Int
  let convolutionBias: Bool
  let bias: [String: Bool]

  public init(_ options: Options) {
    kernel = options.integer(
      "kernel", default: 3, in: 2...1024, "the kernel size of the convolution, in tokens")
    convolutionBias = options.flag("conv_bias", default: false, "whether the convolution has a bias")
    bias = options.flags("bias", ["in_gate", "out_gate", "x", "o"], default: false, "which projections have a bias")
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let width = plan.shape.hiddenSize
    let inGate = plan.linear(x, to: width, named: "in_gate", bias: bias["in_gate"] ?? false)
    let outGate = plan.linear(x, to: width, named: "out_gate", bias: bias["out_gate"] ?? false)
    var y = plan.linear(x, to: width, named: "x", bias: bias["x"] ?? false)
    y = plan.multiply(inGate, y)
    y = plan.convolve(y, over: kernel, named: "conv", bias: convolutionBias)
    y = plan.multiply(outGate, y)
    return plan.linear(y, to: width, named: "o", bias: bias["o"] ?? false)
  }
}
