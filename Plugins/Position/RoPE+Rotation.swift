import Components
import Essentials

/// The cosines and sines of a pass's rows, computed once for all layers that rotate alike.
///
///     y[t] = (cos φ(p, 0), … cos φ(p, d/2 − 1), sin φ(p, 0), …)        y: [rows, width]
///
/// Angles are computed in `Double`: in `Float` they are off by p·6e-8.
struct RoPEAngles: Kernel {
  var name: String { "rope angles" }
  let theta: Double
  let width: Int
  let scaling: RoPEScaling
  /// How many pairs turn by a token's place in time, down and across; nil where all turn by its position.
  var sections: [Int]?
  /// Whether the directions take turns from pair to pair.
  var interleavesSections = false
  /// What the rows stand for.
  var axis = RowAxis.tokens

  var readsPlaces: Bool { sections != nil }
  var lengthUse: LengthUse { scaling.lengthUse }

  var attributes: [Attribute] {
    [
      Attribute("theta", theta),
      Attribute("rotary_dim", width),
      Attribute("scaling", scaling, plain: RoPEScaling.none),
      Attribute("sections", sections ?? [], plain: [Int]()),
      Attribute("section_order", interleavesSections ? "interleaved" : "blocks", plain: "blocks"),
      Attribute("axis", axis.index, plain: RowAxis.tokens.index),
    ]
  }
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    [ValueShape(width: width, axis: axis)]
  }

  func forward(_ context: ForwardContext) {
    let y = context.output()
    for sequence in context.sequences {
      let frequencies = RoPEFrequencies(scaling, theta: theta, width: width, length: sequence.length)
      let factor = scaling.attentionFactor
      for pair in 0..<width / 2 {
        let frequency = frequencies[pair]
        let places = sections.flatMap { sections in
          context.batch.places.map { $0 + direction(of: pair, sections) }
        }
        for row in sequence.rows {
          let angle = Double(places?[3 * row] ?? context.positions[row]) * frequency
          y[row][pair] = Float(factor * cos(angle))
          y[row][pair + width / 2] = Float(factor * sin(angle))
        }
      }
    }
  }

  /// What the pair turns by: 0 the place in time, 1 down, 2 across.
  private func direction(of pair: Int, _ sections: [Int]) -> Int {
    if interleavesSections {
      let turn = pair % 3
      return turn > 0 && pair < 3 * sections[turn] ? turn : 0
    }
    return pair < sections[0] ? 0 : pair < sections[0] + sections[1] ? 1 : 2
  }

  /// Nothing: the angles depend on no learned number.
  func backward(_ context: BackwardContext) {}

  func flops(step: Step, context: Int) -> Int { 2 * width }
}

/// The rotation of every head of a row by its row's angles.
struct RoPERotation: Kernel {
  var name: String { "rope" }
  let heads: Int
  let interleaved: Bool
  let backward: Bool
  /// What the angles it reads are set to.
  let angles: [Attribute]
  /// Equal parts of what turns, each with pairs of its own: of two, (i, i + d/4) in either half.
  var parts = 1

  var attributes: [Attribute] {
    angles + [
      Attribute("heads", heads, plain: heads), Attribute("interleaved", interleaved, plain: false),
      Attribute("backward", backward, plain: false), Attribute("parts", parts, plain: 1),
    ]
  }
  var traits: OperatorTraits {
    OperatorTraits(
      isCheap: true, overwritableInput: 0, backwardReadsInputs: .only([1]), assignsGradients: true,
      overwritableGradient: 0)
  }

  func forward(_ context: ForwardContext) {
    let x = context.input(0)
    let angles = context.input(1)
    let y = context.output()
    context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
      for row in rows {
        rotate(
          x[row], by: angles[row], angles.width, into: y[row], x.width, direction: backward ? -1 : 1, adding: false)
      }
    }
  }

  /// `dx += R(−φ)·dy`: a rotation's transpose rotates back. With an attention factor c, the transpose of c·R(φ) is c·R(−φ).
  func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient(0) else { return }
    let angles = context.input(1)
    let dy = context.outputGradient()
    let adding = context.addsToInputGradient(0)
    context.parallel(dy.count, grain: elementwiseGrain(dy.width)) { rows, _ in
      for row in rows {
        rotate(
          dy[row], by: angles[row], angles.width, into: dx[row], dy.width, direction: backward ? 1 : -1, adding: adding)
      }
    }
  }

  private func rotate(
    _ x: UnsafePointer<Float>, by angles: UnsafePointer<Float>, _ rotated: Int, into y: UnsafeMutablePointer<Float>,
    _ width: Int, direction: Float, adding: Bool
  ) {
    let half = rotated / (2 * parts)
    let headWidth = width / heads
    for head in 0..<heads {
      let (x, y) = (x + head * headWidth, y + head * headWidth)
      for part in 0..<parts {
        let (x, y) = (x + part * 2 * half, y + part * 2 * half)
        turn(
          x, angles + part * half, angles + rotated / 2 + part * half, into: y, half, direction: direction,
          adding: adding)
      }
      if adding {
        for i in rotated..<headWidth { y[i] += x[i] }
      } else if y != x {
        for i in rotated..<headWidth { y[i] = x[i] }
      }
    }
  }

  /// Turns `half` pairs.
  private func turn(
    _ x: UnsafePointer<Float>, _ cosines: UnsafePointer<Float>, _ sines: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>, _ half: Int, direction: Float, adding: Bool
  ) {
    for i in 0..<half {
      let (first, second) = interleaved ? (2 * i, 2 * i + 1) : (i, i + half)
      let (a, b) = (x[first], x[second])
      let sine = direction * sines[i]
      let (p, q) = (a * cosines[i] - b * sine, a * sine + b * cosines[i])
      if adding {
        y[first] += p
        y[second] += q
      } else {
        y[first] = p
        y[second] = q
      }
    }
  }

  func flops(step: Step, context: Int) -> Int { 3 * step.inputs[1].width * heads }
}
