import Components
import Execution

/// Sequences to learn from, and what follows each of their tokens.
public struct Batch: Sendable {
  /// The tokens, [sequences][tokens].
  public let inputs: [[Int]]
  /// The token after each of them; −1 where nothing is to be predicted.
  public let targets: [[Int]]
  /// What each sequence is given on axes beside the text's tokens; empty where there is none.
  public let beside: [[RowAxis: AxisInput]]
  /// How many first tokens of each see each other, where a mask lets them; empty for none.
  public let prefixes: [Int]

  /// Sequences of which each token but the last is an input, and each but the first a target.
  public init(windows: [[Int]]) {
    self.init(inputs: windows.map { Array($0.dropLast()) }, targets: windows.map { Array($0.dropFirst()) })
  }

  /// Sequences with what is to be predicted after each of their tokens; −1 for nothing.
  public init(
    inputs: [[Int]], targets: [[Int]], beside: [[RowAxis: AxisInput]] = [], prefixes: [Int] = []
  ) {
    self.inputs = inputs
    self.targets = targets
    self.beside = beside
    self.prefixes = prefixes
  }

  /// How many tokens there are.
  public var count: Int { inputs.reduce(0) { $0 + $1.count } }

  /// How many predictions there are.
  public var predictions: Int { targets.reduce(0) { $0 + $1.count { $0 >= 0 } } }
}

extension GradientExecutor {
  /// The mean loss of `batch`.
  func loss(_ batch: Batch) throws(ExecutionProblem) -> Double {
    try loss(batch.inputs, targets: batch.targets, beside: batch.beside, prefixes: batch.prefixes)
  }
}
