import Plans

/// A bias on attention scores that follows from positions.
public protocol ScoreBias: Sendable {
  /// The word that stands for it in listings: `alibi`.
  var name: String { get }
  /// What it is set to: everything that decides what it adds.
  var attributes: [Attribute] { get }
  /// Adds the bias of one query to its scores with consecutive keys.
  ///
  /// - Parameters:
  ///   - scores: one score a key, `count` of them.
  ///   - head: the query's head.
  ///   - query: the query's position in its sequence.
  ///   - firstKey: the position of the first key.
  func add(to scores: UnsafeMutablePointer<Float>, count: Int, head: Int, query: Int, firstKey: Int)
  /// What it adds, in PyTorch: of the positions `query`, `[tokens, 1]`, and `key`, `[keys]`, something that broadcasts to
  /// `[heads, tokens, keys]`; nil where it is not said.
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression?
}

extension ScoreBias {
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? { nil }
}
