import Plans

/// A bias on attention scores that follows from positions.
public protocol ScoreBias: Sendable {
  /// The word that stands for it in listings: `alibi`.
  var name: String { get }
  /// What it is set to: everything that decides what it adds.
  var attributes: [Attribute] { get }
  /// Which keys it has a bias for. A plan whose mask shows others is refused.
  var keys: ScoreBiasKeys { get }
  /// Adds the bias of one query to its scores with consecutive keys.
  ///
  /// - Parameters:
  ///   - scores: one score a key, `count` of them.
  ///   - head: the query's head.
  ///   - query: the query's position in its sequence.
  ///   - firstKey: the position of the first key.
  func add(to scores: UnsafeMutablePointer<Float>, count: Int, head: Int, query: Int, firstKey: Int)
  /// What it adds, in PyTorch: of the positions `query`, `[tokens, 1]`, and `key`, `[keys]`, something that broadcasts to
  /// `[heads, tokens, keys]`; nil where it is not said. Several texts have their number as a first axis, and then a 1.
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression?
}

extension ScoreBias {
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? { nil }
}

/// Which keys a score bias is defined for. Keys of another axis than the query's have no position that it could go by.
public enum ScoreBiasKeys: Sendable, Hashable {
  /// Those at or before the query: what causal attention sees.
  case upToQuery
  /// Those on either side of the query, as under a full or a prefix mask.
  case anywhere
  /// None: it is learned, and what adds it must ask the position encoding for its `scoreTable`.
  case none
}

extension ScoreBias {
  /// Nothing is assumed of keys behind the query: a bias that is right for them says so.
  public var keys: ScoreBiasKeys { .upToQuery }
}
