import Components
import Foundation

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
    let divisor = Double(max(1, spacing == .dim ? half : half - 1))
    let frequencies = (0..<half).map { pow(theta, -Double($0) / divisor) }
    return plan.apply(
      AddWaves(frequencies: frequencies, offset: offset, interleaved: order == .interleaved), to: x, width: x.width)
  }

  struct AddWaves: Operator {
    let name = "add waves"
    let frequencies: [Double]  // [width / 2]
    let offset: Int
    let interleaved: Bool

    var overwritableInput: Int? { 0 }
    var backwardReadsInputs: Bool { false }
    var detail: String { interleaved ? "interleaved" : "sines first" }

    func forward(_ context: ForwardContext) {
      let x = context.input()
      let y = context.output()
      let half = frequencies.count
      context.parallel(x.count, grain: 16) { rows, _ in
        for row in rows {
          let (xs, ys) = (x[row], y[row])
          let position = Double(Int(context.positions[row]) + offset)
          for i in 0..<half {
            let (sine, cosine) = interleaved ? (2 * i, 2 * i + 1) : (i, half + i)
            ys[sine] = xs[sine] + Float(sin(position * frequencies[i]))
            ys[cosine] = xs[cosine] + Float(cos(position * frequencies[i]))
          }
        }
      }
    }

    /// `dx += dy`: the waves are constants.
    func backward(_ context: BackwardContext) {
      guard let dx = context.inputGradient() else { return }
      let dy = context.outputGradient()
      for i in 0..<dy.count * dy.width { dx.base[i] += dy.base[i] }
    }

    func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
  }
}
