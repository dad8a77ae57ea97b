/// Sequences of equal length to learn from, and what follows each of their tokens.
public struct Batch: Sendable {
  /// The tokens, [sequences][tokens].
  public let inputs: [[Int]]
  /// The token after each of them.
  public let targets: [[Int]]

  /// Sequences of which each token but the last is an input, and each but the first a target.
  public init(windows: [[Int]]) {
    inputs = windows.map { Array($0.dropLast()) }
    targets = windows.map { Array($0.dropFirst()) }
  }

  /// Sequences with what is to be predicted after each of their tokens; −1 for nothing.
  public init(inputs: [[Int]], targets: [[Int]]) {
    self.inputs = inputs
    self.targets = targets
  }

  /// How many predictions there are.
  public var count: Int { inputs.reduce(0) { $0 + $1.count } }
}
