import Ablation
import Components
import Composition
import Conformance
import Foundation
import Specification
import StandardComponents
import TestSupport

/// A trainer that trains nothing: losses follow from the size, the arm's norm and the seed, so that everything around
/// training is tested in no time.
struct FakeTrainer: ArmTrainer {
  /// Told of every run that begins.
  var began: (Int) -> Void = { _ in }
  /// Steps of a run.
  var steps = 10
  /// What an arm's loss is more at a rate than at its best.
  var excess: (PlannedArm, Double) -> Double = { $1 == 0.001 ? 0 : 0.5 }
  /// What each seed adds to an arm's loss, by its size and the seed.
  var spread = 0.01

  func describe(_ training: Setting, for architecture: Architecture, _ plan: Plan, _ budget: BudgetTokens) throws
    -> TrainingDescription
  {
    let tokens = budget.whole
    for entry in training.entries ?? [] where !["lr", "steps", "batch", "context"].contains(entry.key) {
      throw Problems([Problem("'\(entry.key)' is not a key of 'train'", at: entry.place)])
    }
    let context = architecture.shape.contextLength
    return TrainingDescription(
      context: context, tokens: tokens ?? steps * context,
      settings: [.init("lr", training["lr"]?.text ?? "0.001"), .init("tokens", String(tokens ?? steps * context))],
      memory: plan.parameterCount * 16, numbers: ["lr": training["lr"]?.number ?? 0.001])
  }

  func fingerprint(of study: Study, for architecture: Architecture) throws -> String {
    let files = study.data
    for file in files where file.path.contains("missing") {
      throw Problems([Problem("there is no file '\(file.path)'", at: file.place)])
    }
    return files.map(\.path).joined(separator: "+")
  }

  func estimate(_ arm: PlannedArm, of study: Study) throws -> RunEstimate {
    RunEstimate(steps: Double(arm.training.tokens) / 100)
  }

  func speed(of arm: PlannedArm, in study: Study) throws -> Double { 1e9 / Double(arm.parameterCount) }

  func train(
    _ arm: PlannedArm, of study: Study, seed: Int, contexts: [Int], in folder: String,
    progress: (TrainingProgress) -> Bool
  ) throws -> TaskOutcome? {
    began(seed)
    let rate = arm.training.settings.first.flatMap { Double($0.value) } ?? 0
    // Arms do not share their noise, or no difference would be within it.
    let noise = abs(Noise(seed: UInt64(seed) + 1000 * UInt64(arm.parameterCount)).first)
    let end = 2 + spread * Double(noise) + excess(arm, rate)
    var curve: [TaskResult.Point] = []
    for step in 1...steps {
      let tokens = arm.training.tokens * step / steps
      let loss = end + 3 * exp(-5 * Double(step) / Double(steps)) - 3 * exp(-5)
      if !progress(TrainingProgress(tokens: tokens, loss: loss)) { return nil }
      curve.append(.init(tokens: tokens, loss: loss))
    }
    let longest = arm.plan.longestSequence ?? Int.max
    return TaskOutcome(
      TaskResult(
        loss: curve[curve.count - 1].loss, curve: curve,
        contexts: contexts.map { .init(context: $0, loss: $0 > longest ? nil : end + Double($0) / 1e4) }),
      TaskTimes(seconds: 1.5, tokensPerSecond: Double(arm.training.tokens) / 1.5, machine: "a fake"))
  }
}

extension FakeTrainer {
  /// One with positions answers more than one without.
  func train(
    _ arm: PlannedArm, on probe: Probe, seed: Int, progress: (TrainingProgress) -> Bool
  ) throws -> TaskOutcome? {
    began(seed)
    if !progress(TrainingProgress(tokens: arm.training.tokens, loss: 1)) { return nil }
    let noise = Double(Noise(seed: UInt64(seed)).first) + Double(arm.parameterCount % 97) / 97
    let accuracy = min(1, max(0, (arm.name == "none" ? probe.chance : 0.9) + 0.001 * noise))
    return TaskOutcome(
      TaskResult(loss: 1, curve: [], contexts: [], accuracy: accuracy),
      TaskTimes(seconds: 1, tokensPerSecond: 1, machine: "a fake"))
  }
}

extension Noise {
  fileprivate var first: Float {
    var copy = self
    return copy.next()
  }
}

/// Studies over the zoo of the package.
enum Studies {
  /// The study that `text` writes; places are of `study.yaml`.
  static func read(_ text: String) throws -> Study {
    var reader = StudyReader(try YAMLReader(source: "study.yaml").read(text), folder: nil)
    return try reader.read()
  }

  /// The plan of the study that `text` writes.
  static func plan(_ text: String, _ trainer: FakeTrainer = FakeTrainer()) throws -> StudyPlan {
    try planner(trainer).plan(read(text))
  }

  static func planner(_ trainer: FakeTrainer = FakeTrainer()) throws -> StudyPlanner {
    let composer = Composer(try Registry(standardComponents))
    return StudyPlanner(
      specifications: SpecificationLoader(catalog: Catalog(folders: [Here.architectures]), for: composer),
      composer: composer, trainer: trainer)
  }

  /// What a person reads of the problems that `text` has; the text itself is in the message.
  static func message(_ text: String) -> String {
    do {
      _ = try plan(text)
      return "no problem"
    } catch let problems as Problems {
      return ProblemRenderer(texts: ["study.yaml": text]).render(problems)
    } catch {
      return "\(error)"
    }
  }
}
