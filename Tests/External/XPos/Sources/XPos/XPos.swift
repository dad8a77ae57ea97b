import Components
import Foundation

/// Rotary positions whose scores fade with distance: what turns faster fades faster. Only a part of each head turns.
///
///     q ← ζᵢ^(p/s)·R(φ(p, i))·q,   k ← ζᵢ^(−p/s)·R(φ(p, i))·k        ζᵢ = (2i/d + γ) / (1 + γ), φ(p, i) = p·theta^(−2i/d)
///
/// Sun et al., 2022, https://arxiv.org/abs/2212.10554; a part of each head as in GPT-J and GPT-NeoX.
/// d is the number of numbers that turn, not the head's width; pairs are (i, i + d/2). Queries and keys are scaled by
/// opposite powers, so that their product depends on the distance alone.
///
/// Examples: `{}` `{fraction: 1}` `{gamma: 0.9, scale_base: 64}`
public struct XPos: PositionEncoding {
  public static let name = "xpos"

  let theta: Double
  let fraction: Double
  let gamma: Double
  let scaleBase: Double
  let place: Place?

  public init(_ options: Options) {
    theta = options.number("theta", default: 10000, in: 1...1e12, "the base of the frequencies")
    fraction = options.number("fraction", default: 0.5, in: 0.001...1, "the fraction of each head that is rotated")
    gamma = options.number("gamma", default: 0.4, in: 0.01...100, "how little the fastest pair fades")
    scaleBase = options.number(
      "scale_base", default: 512, in: 1...1e9, "the distance, in tokens, over which a pair fades once")
    place = options.place(of: "fraction")
  }

  public func rotate(_ x: Value, _ role: AttentionRole, heads: Int, into plan: inout PlanBuilder) -> Value {
    let headWidth = x.width / heads
    let width = Int((fraction * Double(headWidth)).rounded(.down))
    guard width > 0, width % 2 == 0 else {
      plan.fail("xpos rotates pairs, but the rotary dimension is \(width) of a head of \(headWidth)", at: place)
      return x
    }
    let frequencies = (0..<width / 2).map { pow(theta, -2 * Double($0) / Double(width)) }
    let fading = (0..<width / 2).map { log((2 * Double($0) / Double(width) + gamma) / (1 + gamma)) / scaleBase }
    let turn = Turn(heads: heads, frequencies: frequencies, fading: fading.map { role == .query ? $0 : -$0 })
    return plan.apply(turn, to: x)
  }

  struct Turn: Kernel {
    let name = "xpos"
    let heads: Int
    /// Radians a token, of each pair.
    let frequencies: [Double]
    /// The logarithm of what each pair is multiplied by a token.
    let fading: [Double]

    var attributes: [Attribute] {
      [
        Attribute("heads", heads),
        Attribute("frequencies", frequencies),
        Attribute("fading", fading),
      ]
    }
    var traits: OperatorTraits { OperatorTraits(backwardReadsInputs: .none) }

    func forward(_ context: ForwardContext) {
      let (x, y) = (context.input(), context.output())
      let positions = context.positions
      context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
        for row in rows {
          y[row].update(from: x[row], count: x.width)
          turn(x[row], at: Double(positions[row]), width: x.width / heads, backward: false) { y[row][$0] = $1 }
        }
      }
    }

    /// The transpose of a turn is the turn back, and a factor is its own: `dx += ζ^(±p/s)·R(−φ)·dy`.
    func backward(_ context: BackwardContext) {
      guard let dx = context.inputGradient() else { return }
      let dy = context.outputGradient()
      let positions = context.positions
      context.parallel(dy.count, grain: elementwiseGrain(dy.width)) { rows, _ in
        for row in rows {
          let width = dy.width / heads
          for i in 0..<dy.width where i % width >= 2 * frequencies.count { dx[row][i] += dy[row][i] }
          turn(dy[row], at: Double(positions[row]), width: width, backward: true) { dx[row][$0] += $1 }
        }
      }
    }

    /// Hands each number of `x` that turns, turned and scaled, to `put` with its place.
    private func turn(
      _ x: UnsafePointer<Float>, at position: Double, width: Int, backward: Bool, _ put: (Int, Float) -> Void
    ) {
      let half = frequencies.count
      for pair in 0..<half {
        let angle = position * frequencies[pair] * (backward ? -1 : 1)
        let factor = exp(position * fading[pair])
        let (c, s) = (Float(factor * cos(angle)), Float(factor * sin(angle)))
        for head in 0..<heads {
          let place = head * width + pair
          let (a, b) = (x[place], x[place + half])
          put(place, a * c - b * s)
          put(place + half, a * s + b * c)
        }
      }
    }

    func flops(step: Step, context: Int) -> Int { 6 * heads * frequencies.count }
  }
}
