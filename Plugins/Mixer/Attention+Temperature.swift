import Components
import Essentials

/// Queries times a factor that grows with their position, so that attention over a long context stays as sharp.
///
///     steps: y = x·(1 + scale·log(1 + ⌊(p + offset) / floor⌋))        logn: y = x·max(1, log(p + offset) / log(floor))
///
/// Nakanishi, 2025, https://arxiv.org/abs/2501.19399, by steps in Llama 4 (offset 1) and Ministral 3 (offset 0); logn in Qwen.
struct PositionTemperature: Kernel {
  enum Kind: String, CaseIterable { case steps, logn }

  let name = "attention temperature"
  let kind: Kind
  let scale: Double
  let floor: Int
  let offset: Int

  init(_ options: Options) {
    kind = options.choice("type", default: Kind.steps, "how the factor grows")
    floor = options.requiredInteger("floor", "how many tokens are left as they are")
    offset = options.integer(
      "offset", default: kind == .logn ? 1 : 0, in: 0...1, "added to positions, which count from 0")
    scale = kind == .steps ? options.requiredNumber("scale", "how strongly the logarithm counts") : 1
    if kind == .logn, floor < 2 { options.fail("floor", "log(floor) divides, so it must be at least 2") }
  }

  private func factor(at position: Int) -> Float {
    let number = Double(position + offset)
    switch kind {
    case .steps: return Float(1 + scale * log(1 + (number / Double(floor)).rounded(.down)))
    case .logn: return number <= 1 ? 1 : Float(max(1, log(number) / log(Double(floor))))
    }
  }

  var attributes: [Attribute] {
    [
      Attribute("type", kind.rawValue),
      Attribute("scale", scale, plain: 1.0),
      Attribute("floor", floor),
      Attribute("offset", offset),
    ]
  }
  var traits: OperatorTraits { OperatorTraits(overwritableInput: 0, backwardReadsInputs: .none) }

  func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
      for row in rows {
        let factor = factor(at: Int(context.positions[row]))
        for i in 0..<x.width { y[row][i] = x[row][i] * factor }
      }
    }
  }

  /// `dx += dy·factor`.
  func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let dy = context.outputGradient()
    for row in 0..<dy.count {
      let factor = factor(at: Int(context.positions[row]))
      for i in 0..<dy.width { dx[row][i] += dy[row][i] * factor }
    }
  }

  func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
}
