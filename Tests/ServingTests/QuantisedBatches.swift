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

  /// Runs the prompts of these numbers together, each in its own way; gives what was written of each.
  func run(_ numbers: [Int]) throws -> [Int: Written] {
    let executor = try PlanExecutor(
      plan, parameters, pool: Served.pool, states: .f32, fusing: true, computeType: computeType)
    let formats = Set(plan.parameters.indices.map { parameters.format(of: $0) })
    var batch = ContinuousBatch(executor, tokenizer: nil, formats: formats)
    var written: [Int: Written] = [:]
    func take(_ id: Int, _ event: ContinuousBatch.Event) {
      if case .wrote(_, _, let token, let probability) = event {
        written[id, default: Written()].tokens.append(token)
        let number = probability?.token.logProbability ?? 0
        written[id, default: Written()].probabilities.append(number.bitPattern)
      }
    }
    for number in numbers {
      var settings = TextGenerator.Settings()
      settings.maximumTokens = 3 + number % 5
      settings.sampling.seed = UInt64(number)
      settings.logProbabilities = 0
      let prompt = (0..<1 + number * 5 % 37).map { ($0 * 31 + number * 17) % plan.shape.vocabSize }
      try batch.add(.init(prompt, [settings]), id: number)
      // They come one after the other.
      batch.step(take)
    }
    while !batch.isIdle { batch.step(take) }
    return written
  }
}
