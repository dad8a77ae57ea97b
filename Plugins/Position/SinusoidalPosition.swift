import Components
import Essentials

/// Sines and cosines of the position at geometrically spaced frequencies, added at the embedding.
///
///     angle(p, i) = (p + offset) / theta^(2i/d);   vector = sin and cos of the angles
///
/// Vaswani et al., 2017, https://arxiv.org/abs/1706.03762.
/// The paper alternates sin and cos (`order: interleaved`); its first implementation and CTRL put all sines before all
/// cosines (`order: concat`). XGLM spaces the frequencies by d/2 − 1 instead of d/2 (`spacing: half_minus_1`).
///
/// Examples: `{offset: 2, theta: 100}`
public struct SinusoidalPosition: PositionEncoding {
  public static let name = "sinusoidal"
  public let actsAtEmbedding = true

  enum Order: String, CaseIterable { case interleaved, concat }
  enum Spacing: String, CaseIterable {
    case dim
    case halfMinusOne = "half_minus_1"
  }

  let order: Order
  let spacing: Spacing
  let offset: Int
  let theta: Double

  public init(_ options: Options) {
    order = options.choice("order", default: Order.interleaved, "whether sines and cosines alternate")
    spacing = options.choice("spacing", default: Spacing.dim, "what divides the exponents: d/2, or d/2 − 1")
    offset = options.integer("offset", default: 0, in: 0...1024, "added to every position")
    theta = options.number("theta", default: 10000, in: 1...1e12, "the ratio of the longest wavelength to the shortest")
    if options.shape.hiddenSize % 2 != 0 {
      options.fail("type", "sines and cosines come in pairs, but hidden_size is \(options.shape.hiddenSize)")
    }
  }

  public func embed(_ x: Value, into plan: inout PlanBuilder) -> Value {
    let half = x.width / 2
    let sinusoids = AddSinusoids(
      theta: theta, divisor: Double(max(1, spacing == .dim ? half : half - 1)), offset: offset,
      interleaved: order == .interleaved)
    return plan.apply(sinusoids, to: x)
  }

  struct AddSinusoids: Kernel {
    let name = "add sinusoids"
    // What frequencies follow from, and not a list of them: a plan is also written for widths that nobody can run.
    let theta: Double
    let divisor: Double
    let offset: Int
    let interleaved: Bool

    var attributes: [Attribute] {
      [
        Attribute("theta", theta),
        Attribute("divisor", divisor),
        Attribute("offset", offset, plain: 0),
        Attribute("interleaved", interleaved, plain: false),
      ]
    }
    var traits: OperatorTraits { OperatorTraits(overwritableInput: 0, backwardReadsInputs: .none) }

    func forward(_ context: ForwardContext) {
      let x = context.input()
      let y = context.output()
      let half = x.width / 2
      context.parallel(x.count, grain: 16) { rows, _ in
        for i in 0..<half {
          let frequency = pow(theta, -Double(i) / divisor)
          let (sine, cosine) = interleaved ? (2 * i, 2 * i + 1) : (i, half + i)
          for row in rows {
            let angle = Double(Int(context.positions[row]) + offset) * frequency
            y[row][sine] = x[row][sine] + Float(sin(angle))
            y[row][cosine] = x[row][cosine] + Float(cos(angle))
          }
        }
      }
    }

    /// `dx += dy`: the sinusoids are constants.
    func backward(_ context: BackwardContext) {
      guard let dx = context.inputGradient() else { return }
      let dy = context.outputGradient()
      for i in 0..<dy.count * dy.width { dx.base[i] += dy.base[i] }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      let joined =
        interleaved
        ? "torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)"
        : "torch.cat([angles.sin(), angles.cos()], dim=-1)"
      call.define(
        "waves",
        """
        def waves(positions, width):
            \"""Sines and cosines of (p\(offset == 0 ? "" : " + \(offset)"))·\(PyTorchExpression(theta).text)^(−i / \(PyTorchExpression(divisor).text)), [tokens, width].\"""
            i = torch.arange(width // 2, dtype=torch.float64, device=positions.device)
            angles = (positions\(offset == 0 ? "" : " + \(offset)"))[..., None] * \(PyTorchExpression(theta).text) ** (-i / \(PyTorchExpression(divisor).text))
            return \(joined).float()
        """)
      return call.input() + .call("waves", [call.positions(), PyTorchExpression(call.step.outputs[0].width)])
    }

    func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
  }
}
