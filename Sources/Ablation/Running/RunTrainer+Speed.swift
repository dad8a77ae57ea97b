import Components
import Execution
import Kernels
import Training

extension RunTrainer {
  public func speed(of arm: PlannedArm, in study: Study) throws -> Double {
    var settings = try self.settings(of: arm, study, seed: study.seeds.first ?? 0)
    settings.steps = max(settings.steps, 1)
    let trainer = try trainer(arm, study, settings)
    let clock = ContinuousClock()
    // The first step takes longer.
    _ = try trainer.advance()
    let began = clock.now
    var steps = 0
    while steps < 5 || (steps < 200 && clock.now - began < .milliseconds(1500)) {
      _ = try trainer.advance()
      steps += 1
    }
    return Double(steps * settings.tokensPerStep) / max(1e-9, (clock.now - began).inSeconds)
  }

  /// Tokens that the model generates one after another in a second, behind a few: the median of several measurements; nil
  /// where it cannot take so many.
  func decodingSpeed(_ plan: Plan, _ parameters: Parameters, context: Int) throws -> Double? {
    let length = min(plan.longestSequence ?? Int.max, max(context, plan.shape.contextLength), 64)
    guard length > 8, !plan.seesWholeTexts, plan.axes.count <= PlannedAxis.ofText.count else { return nil }
    let executor = try PlanExecutor(
      plan, parameters, pool: pool, maximumRows: 1, states: .f32, fusing: true, computeType: .stored)
    let sequence = try executor.openSequence(length: length)
    let clock = ContinuousClock()
    var rates: [Double] = []
    for _ in 0..<5 {
      sequence.reset()
      for _ in 0..<4 { try executor.forward([(sequence, [0])], logits: .last) { _, _, _ in } }
      let began = clock.now
      for _ in 4..<length { try executor.forward([(sequence, [0])], logits: .last) { _, _, _ in } }
      rates.append(Double(length - 4) / max(1e-9, (clock.now - began).inSeconds))
    }
    return rates.sorted()[rates.count / 2]
  }
}
