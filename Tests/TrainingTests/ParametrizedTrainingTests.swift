import Components
import Conformance
import Execution
import Foundation
import Kernels
import Specification
import StandardComponents
import TestSupport
import Testing

import Training

@Suite("training by a parametrization's rules") struct ParametrizedTrainingTests {
  private func trainer(_ setting: String, steps: Int = 4, optimizer: String = "adamw") throws -> Trainer {
    var tree = try TinyModel.surroundings()
    tree[path: "position"] = Setting(text: "rope")
    tree["init"] = try YAMLReader(source: "init").read(setting)
    let registry = try Registry(standardComponents)
    let plan = try TinyModel(tree, of: registry).plan
    var settings = TrainingSettings(registry, inStudy: false)
    (settings.steps, settings.batch, settings.context, settings.warmup, settings.threads) = (steps, 2, 8, 0, 1)
    (settings.rate, settings.clip, settings.optimizer) = (0.01, 0, Setting(text: optimizer))
    let batch = Batch(windows: [[3, 1, 4, 1, 5, 9, 2, 6, 5], [2, 7, 1, 8, 2, 8, 1, 8, 2]])
    return try Trainer(
      plan, Parameters(plan, seed: 5), settings, validation: nil, pool: ThreadPool(threads: 1)
    ) { _ in batch }
  }

  private func numbers(_ trainer: Trainer) -> [[Float]] {
    trainer.plan.parameters.indices.map { trainer.parameters.values($0) }
  }

  @Test("at the base's own size a parametrization changes no bit of a run")
  func base() throws {
    let plain = try trainer("normal")
    let own = try ["{type: mup, base_width: 16}", "{type: completep, base_width: 16, base_layers: 2}"].map {
      try trainer($0)
    }
    for _ in 0..<4 {
      let loss = try plain.advance().loss
      for trainer in own { #expect(try trainer.advance().loss == loss) }
    }
    for trainer in own { #expect(numbers(trainer) == numbers(plain)) }
  }

  @Test("the first step of Adam moves each tensor by its own rate")
  func rates() throws {
    // Four times the base's width. Adam's first step is the rate for every number whose gradient is far above ε.
    let trainer = try trainer("{type: mup, base_width: 4}", optimizer: "adamw")
    let before = numbers(trainer)
    _ = try trainer.advance()
    let after = numbers(trainer)
    var seen: Set<Double> = []
    for (index, tensor) in trainer.plan.parameters.enumerated() {
      let most = zip(before[index], after[index]).map { Double(abs($0 - $1)) }.max() ?? 0
      let wanted = 0.01 * tensor.update.rate
      // Decay, a tenth of a number times the rate, adds little: no number is above 0.1.
      #expect(abs(most / wanted - 1) < 0.05, "\(tensor.name) \(most) \(wanted)")
      seen.insert(tensor.update.rate)
    }
    #expect(seen == [0.25, 1])
  }

  @Test("an optimizer whose steps grow with the gradients is refused by name")
  func refused() throws {
    do {
      _ = try trainer("{type: mup, base_width: 4}", optimizer: "sgd")
      Issue.record("sgd was taken")
    } catch let problem as TrainingProblem {
      #expect(problem == .noRule(optimizer: "sgd") && problem.description.contains("another optimizer"))
    }
    _ = try trainer("normal", optimizer: "sgd")
    _ = try trainer("{type: mup, base_width: 4}", optimizer: "lion")
  }

  @Test("the largest attention logit is that of the keys that are seen, and activations are of the tokens' steps")
  func extremes() throws {
    let trainer = try trainer("normal")
    #expect(try trainer.extremes() == nil)
    var largest: Float = -.infinity
    var found: Float?
    trainer.executor.observer = { step, kernel, context in
      guard let score = kernel.largestScore(context) else { return }
      found = max(found ?? -.infinity, score)
      let (q, k) = (context.input(0), context.input(1))
      // Four heads of queries, two of keys.
      let heads = 4
      let width = q.width / heads
      for sequence in context.sequences {
        for row in sequence.rows {
          for key in sequence.rows where key <= row {
            for head in 0..<heads {
              var sum: Float = 0
              for place in 0..<width { sum += q[row][head * width + place] * k[key][head / 2 * width + place] }
              largest = max(largest, sum / Float(width).squareRoot())
            }
          }
        }
      }
    }
    _ = try trainer.executor.loss([[3, 1, 4, 1, 5]], targets: [[1, 4, 1, 5, 9]])
    // The order of additions differs.
    #expect(abs((found ?? 0) - largest) <= 1e-5 * max(1, abs(largest)))
  }
}
