import Components

/// No position encoding: only the causal mask tells positions apart.
///
///     nothing is added and nothing is rotated
///
/// Haviv et al., 2022, https://arxiv.org/abs/2203.16634. Attention still knows order, for each token sees fewer keys
/// than the next.
///
/// Known as: nope, no_position, no_pos `position: none`
public struct NoPosition: PositionEncoding {
  public static let name = "none"

  public init(_ options: Options) {}
}
