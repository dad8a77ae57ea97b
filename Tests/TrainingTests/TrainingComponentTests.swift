import Components
import StandardComponents
import Testing

import Training

/// What a run makes of the optimizers and schedules that the registry has, without naming them; what each must be by itself
/// is the conformance kit's to say.
@Suite struct TrainingComponentTests {
  static let registry = Result { try Registry(standardComponents) }
  static let optimizers = names(in: .optimizer)
  static let schedules = names(in: .schedule)

  private static func names(in slot: Slot) -> [String] { (try? registry.get().names(in: slot)) ?? [] }

  @Test("there are some, and each slot has its usual one")
  func some() throws {
    #expect(Self.optimizers.count >= 4 && Self.schedules.count >= 4)
    let usual = try Self.registry.get().defaultNames
    #expect(Self.optimizers.contains(usual[.optimizer] ?? ""))
    #expect(Self.schedules.contains(usual[.schedule] ?? ""))
    let settings = TrainingSettings(try Self.registry.get(), inStudy: false)
    #expect(settings.optimizer.text == usual[.optimizer] && settings.schedule.text == usual[.schedule])
  }

  @Test("warm-up rises evenly to the peak, which the step after it has", arguments: schedules)
  func warmUp(_ name: String) throws {
    let schedule: any Schedule = try Self.registry.get().make(.schedule, Setting(text: name))
    let rates = LearningRate(peak: 2, warmup: 3, steps: 11, schedule: schedule)
    #expect((1...4).map { rates[$0] } == [0.5, 1, 1.5, 2])
    #expect((4...11).allSatisfy { rates[$0] <= 2 })
  }

  @Test("one component of a slot is usual, not two")
  func oneUsual() {
    struct Other: Schedule {
      static let name = "other"
      static let isDefault = true
      let final = 1.0
      init(_ options: Options) {}
      func factor(at progress: Double) -> Double { 1 }
    }
    #expect(throws: Problems.self) { try Registry(standardComponents + [Other.self]) }
  }
}
