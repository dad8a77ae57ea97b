import Components
import Composition
import Execution
import Foundation
import Kernels
import Specification
import TestSupport
import Testing

@Suite("every component, without being named")
struct ConformanceTests {
  @Test("says what it is, gives an equation and cites a source", arguments: ConformanceCase.all.map(\.component.documentation))
  func documented(_ text: String) {
    #expect(text.split(separator: "\n").first?.hasSuffix(".") == true, "the first line is a sentence: \(text)")
    #expect(text.contains("\n    "), "an equation stands indented: \(text)")
    #expect(text.contains("https://") || text.contains("Source:"), "a source is cited: \(text)")
  }

  @Test("refuses an option that it does not know", arguments: ConformanceCase.all)
  func refusesUnknown(_ sample: ConformanceCase) throws {
    var setting = sample.setting
    setting["no_such_option"] = Setting(text: "1")
    do {
      _ = try TinyModel(sample.component.slot, setting)
      Issue.record("it took no_such_option")
    } catch let problems as Problems {
      #expect(problems.list.contains { $0.sentence == "no option here is named 'no_such_option'" }, "\(problems.list)")
    }
  }

  @Test("never looks ahead: a later token changes no earlier logits", arguments: ConformanceCase.all)
  func causal(_ sample: ConformanceCase) throws {
    let model = try TinyModel(sample.component.slot, sample.setting)
    let tokens = TinyModel.tokens
    let before = try model.logits(tokens, parts: tokens.count)
    let after = try model.logits(tokens.dropLast() + [7], parts: tokens.count)
    let width = model.plan.shape.vocabSize
    let earlier = (tokens.count - 1) * width
    #expect(before[..<earlier] == after[..<earlier])
    #expect(before[earlier...] != after[earlier...], "the token's own logits must change")
    #expect(before.allSatisfy { $0.isFinite })
  }

  // The same sums in another order: a few roundings of numbers near 1.
  @Test("gives the same logits for a prompt at once, in parts and token by token", arguments: ConformanceCase.all)
  func stepwise(_ sample: ConformanceCase) throws {
    let model = try TinyModel(sample.component.slot, sample.setting)
    let whole = try model.logits(TinyModel.tokens, parts: TinyModel.tokens.count)
    for parts in [1, 3] {
      let pieces = try model.logits(TinyModel.tokens, parts: parts)
      #expect(largestDifference(whole, pieces) < 2e-5)
    }
  }

  @Test("gives the same bits on any number of threads, and again", arguments: ConformanceCase.all)
  func deterministic(_ sample: ConformanceCase) throws {
    let model = try TinyModel(sample.component.slot, sample.setting)
    let one = try model.logits(TinyModel.tokens, parts: TinyModel.tokens.count)
    let three = try model.logits(TinyModel.tokens, parts: TinyModel.tokens.count, threads: 3)
    let again = try model.logits(TinyModel.tokens, parts: TinyModel.tokens.count, threads: 3)
    #expect(three == again)
    #expect(largestDifference(one, three) < 2e-5)
  }

  // The loss of a row is a logit among others: a few roundings of numbers near 1.
  @Test("training's loss is that of inference's logits", arguments: ConformanceCase.all)
  func trainingForward(_ sample: ConformanceCase) throws {
    let model = try TinyModel(sample.component.slot, sample.setting)
    let tokens = TinyModel.tokens
    let logits = try model.logits(tokens, parts: tokens.count)
    let executor = try GradientExecutor(model.plan, model.parameters, pool: ThreadPool(threads: 1), rows: 32)
    let width = model.plan.shape.vocabSize
    for shift in 0..<3 {
      let targets = tokens.map { $0 * 5 % width + shift == 2 ? -1 : ($0 * 5 + shift) % width }
      let losses = targets.indices.filter { targets[$0] >= 0 }.map { row in
        let scores = logits[row * width..<(row + 1) * width].map(Double.init)
        return log(scores.reduce(0) { $0 + exp($1) }) - scores[targets[row]]
      }
      // Twice the sequence, to see that sequences of a batch do not meet.
      let loss = try executor.loss([tokens, tokens], targets: [targets, targets])
      #expect(abs(loss - losses.reduce(0, +) / Double(losses.count)) < 2e-5)
    }
  }

  /// The loss is the sum over the tokens. Along a random direction d of one tensor, the gradient must give
  /// (loss(w + εd) − loss(w − εd)) / 2ε. Sums are in Double; with ε = 2e-3 the difference keeps 4 digits of Float. Where
  /// a kink lies in between, a smaller ε misses it and keeps 3 digits, so the better of the two counts.
  @Test("has the gradient that finite differences give", arguments: ConformanceCase.all)
  func gradients(_ sample: ConformanceCase) throws {
    let model = try TinyModel(sample.component.slot, sample.setting)
    let options = TrainingOptions(recomputation: sample.testDescription.count % 2 == 0 ? .none : .cheap)
    let executor = try GradientExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 2), rows: 32, options: options)
    let batch = [TinyModel.tokens, [2, 7, 1, 8]]
    let targets = [[5, 0, 12, -1, 3, 3, 9, 1, 2, 11], [4, 4, -1, 7]]
    var noise = Noise(seed: 5)
    let loss = { () throws -> Double in try 12 * executor.loss(batch, targets: targets) }
    _ = try executor.trainingLoss(batch, targets: targets, gradientScale: 12)
    let gradients = model.plan.parameters.indices.map { Array(executor.gradient($0)) }
    for (index, tensor) in model.plan.parameters.enumerated() {
      let numbers = try #require(model.parameters.mutable(index))
      let original = Array(numbers)
      let direction = original.map { _ in noise.next() }
      let slope = { (step: Float) throws -> Double in
        for i in numbers.indices { numbers[i] = original[i] + step * direction[i] }
        let above = try loss()
        for i in numbers.indices { numbers[i] = original[i] - step * direction[i] }
        let below = try loss()
        for i in numbers.indices { numbers[i] = original[i] }
        return (above - below) / Double(2 * step)
      }
      let computed = zip(gradients[index], direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      let size = zip(gradients[index], direction).reduce(0) { $0 + abs(Double($1.0) * Double($1.1)) }
      let measured = try [2e-3, 3e-4].map(slope).min { abs($0 - computed) < abs($1 - computed) } ?? 0
      #expect(abs(measured - computed) <= 0.01 * size + 0.02, "\(tensor.name): measured \(measured), computed \(computed)")
    }
  }
}
