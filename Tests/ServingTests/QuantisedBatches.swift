import Execution
import Formats
import Generation
import Kernels
import Models
import Plans
import Specification
import TestSupport

/// What matrices are multiplied in, as an argument of tests.
enum ComputeTypeName: String, Sendable, CaseIterable {
  case stored, f32

  var type: ComputeType { self == .stored ? .stored : .f32 }
}

/// Continuations of some prompts by a small model with random weights in one format, in batches of any make-up.
struct QuantisedBatches {
  private let plan: Plan
  private let parameters: Parameters
  private let computeType: ComputeType

  /// The model `name` with `changes`, its matrices in `format`.
  init(_ name: String, _ changes: [String], format: StorageFormat, computeType: ComputeType) throws {
    let described = try Here.models().describe(name, patches: try Overrides(changes).patches)
    plan = described.plan
    let weights = try SyntheticWeights(plan, format: format, pool: Served.pool)
    parameters = try Parameters(plan, stored: weights.tensors)
    self.computeType = computeType
  }

  /// What is written of a prompt: its tokens and the bits of their probabilities.
  struct Written: Equatable {
    var tokens: [Int] = []
    var probabilities: [UInt64] = []
  }

  /// What came of prompts, by their places.
  struct Found {
    var written: [Int: Written] = [:]
    /// Tokens of each that were read before for another.
    var reused: [Int]
    /// Bytes that are kept at the end.
    var kept = 0
  }

  /// Runs the prompts of these numbers together, each in its own way; gives what was written of each.
  func run(_ numbers: [Int]) throws -> [Int: Written] {
    let prompts = numbers.map { number in
      (0..<1 + number * 5 % 37).map { ($0 * 31 + number * 17) % plan.shape.vocabSize }
    }
    let found = try run(prompts, keeping: 0, seeds: numbers)
    return Dictionary(uniqueKeysWithValues: numbers.enumerated().map { ($1, found.written[$0] ?? Written()) })
  }

  /// Runs `prompts`, which come one after the other, or each when the one before is over; `bytes` of states are kept.
  func run(_ prompts: [[Int]], keeping bytes: Int, together: Bool = true, seeds: [Int]? = nil) throws -> Found {
    let executor = try PlanExecutor(
      plan, parameters, pool: Served.pool, states: .f32, fusing: true, computeType: computeType)
    var batch = ContinuousBatch(executor, tokenizer: nil)
    batch.keep(atMost: bytes)
    var found = Found(reused: Array(repeating: 0, count: prompts.count))
    func take(_ id: Int, _ event: ContinuousBatch.Event) {
      if case .read(_, let reused, _) = event { found.reused[id] = reused }
      if case .wrote(_, _, let token, let probability) = event {
        found.written[id, default: Written()].tokens.append(token)
        let number = probability?.token.logProbability ?? 0
        found.written[id, default: Written()].probabilities.append(number.bitPattern)
      }
    }
    for (place, prompt) in prompts.enumerated() {
      let seed = seeds?[place] ?? prompt.count
      var settings = TextGenerator.Settings()
      settings.maximumTokens = 3 + seed % 5
      settings.sampling.seed = UInt64(seed)
      settings.logProbabilities = 0
      try batch.add(.init(prompt, [settings]), id: place)
      batch.step(take)
      while !together, !batch.isIdle { batch.step(take) }
    }
    while !batch.isIdle { batch.step(take) }
    found.kept = batch.keptBytes
    return found
  }
}
