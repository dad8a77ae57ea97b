import Components

/// No mixing of tokens: the layer has no such sublayer, nor norms for one.
///
///     nothing is added to the residual stream
///
/// Bercovich et al., 2024 (Puzzle, which left it out of layers that a search found to need none),
/// https://arxiv.org/abs/2411.19146. Positions of such a layer have nothing to act on.
public struct NoAttention: Mixer {
  public static let name = "none"
  public var isAbsent: Bool { true }

  public init(_ options: Options) {}

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value { x }
}
