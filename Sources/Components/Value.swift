/// A matrix that flows through a plan: one row for each token of a pass, or for each token whose logits are asked for.
public struct Value: Sendable, Hashable {
  /// What a value's rows stand for.
  public enum Extent: Sendable, Hashable {
    /// Every token of the pass.
    case tokens
    /// The tokens whose logits are asked for.
    case outputs
  }

  /// The value's place among the plan's values.
  public let index: Int
  /// Numbers in a row.
  public let width: Int
  /// What its rows stand for.
  public let extent: Extent

  /// The value at `index` of a plan.
  public init(index: Int, width: Int, extent: Extent) {
    self.index = index
    self.width = width
    self.extent = extent
  }
}
