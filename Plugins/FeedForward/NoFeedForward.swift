import Components

/// No feed-forward: the layer has no such sublayer, nor norms for one.
///
///     nothing is added to the residual stream
///
/// Bercovich et al., 2024 (Puzzle), https://arxiv.org/abs/2411.19146.
/// A layer without attention either changes nothing at all.
public struct NoFeedForward: FeedForward {
  public static let name = "none"
  public var isAbsent: Bool { true }

  public init(_ options: Options) {}

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value { x }
}
