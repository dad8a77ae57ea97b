import Components
import StandardComponents
import Testing

import Training

@Suite struct ScheduleTests {
  /// torch 2.15: CosineAnnealingLR(SGD(lr=1), T_max=8, eta_min=0.1) and LinearLR(…, 1, 0, total_iters=8), eight steps; the
  /// other numbers follow from the equations by hand.
  static let cases: [(options: String, expected: [Double])] = [
    ("type=cosine final=0.1", [1, 0.96574579, 0.868198052, 0.722207545, 0.55, 0.377792455, 0.231801948, 0.13425421]),
    ("type=linear", [1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]),
    ("type=constant", [1, 1, 1, 1, 1, 1, 1, 1]),
    ("type=wsd decay=0.5", [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]),
    ("type=wsd decay=0.5 shape=root final=0.5", [1, 1, 1, 1, 1, 0.75, 0.6464466094, 0.5669872981]),
  ]

  @Test("follows its equation after a warm-up", arguments: cases)
  func schedule(_ options: String, _ expected: [Double]) throws {
    let schedule = try Self.make(OptimizerTests.setting(options))
    // Three steps of warm-up reach a quarter, a half and three quarters of the peak.
    let rates = LearningRate(peak: 2, warmup: 3, steps: 11, schedule: schedule)
    for (step, expected) in zip(1..., [0.25, 0.5, 0.75] + expected) {
      #expect(abs(rates[step] - 2 * expected) < 1e-8, "step \(step)")
    }
  }

  private static func make(_ setting: Setting) throws(Problems) -> any Schedule {
    try Registry(standardComponents).make(.schedule, setting)
  }

  @Test("an unknown schedule is refused")
  func refuses() {
    #expect(throws: Problems.self) { try Self.make(Setting(text: "cosin")) }
    #expect(throws: Problems.self) { try Self.make(OptimizerTests.setting("type=linear decay=1")) }
  }
}
