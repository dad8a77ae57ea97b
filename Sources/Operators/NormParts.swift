import Plans

/// What is normalized together, and with how many learned weights.
public enum NormSpan: Sendable, Hashable {
  /// The whole row.
  case row
  /// Each of `count` heads of a row by itself, with one weight vector for all or one for each.
  case heads(Int, sharedWeight: Bool)
  /// Each of `count` equal parts of a row by itself, with one weight vector as long as the row.
  case parts(Int)
}

/// The parts of a row that are normalized by themselves, and the learned numbers for them.
public struct NormParts: Sendable, Hashable {
  /// Parts in a row.
  public let count: Int
  /// Numbers in a part.
  public let width: Int
  /// Whether all parts share one weight vector.
  public let sharedWeight: Bool
  /// The shape of a learned weight: `[width]`, `[count, width]` when each head has its own, or `[count · width]`.
  public let weightShape: [Int]

  /// The parts of rows of `width` numbers that `span` names.
  public init(width: Int, span: NormSpan) {
    switch span {
    case .row: (count, sharedWeight) = (1, true)
    case .heads(let heads, let shared): (count, sharedWeight) = (heads, shared)
    case .parts(let parts): (count, sharedWeight) = (parts, false)
    }
    precondition(width % count == 0, "\(width) numbers do not divide into \(count) parts")
    self.width = width / count
    if case .parts = span {
      weightShape = [width]
    } else {
      weightShape = sharedWeight ? [width / count] : [count, width / count]
    }
  }

  /// Where the weights of part `part` start.
  @inlinable
  public func weightOffset(_ part: Int) -> Int { sharedWeight ? 0 : part * width }

  /// Nothing that listings show for whole rows.
  public var attributes: [Attribute] {
    [
      Attribute("heads", count, plain: 1), Attribute("head_dim", width, plain: count == 1 ? width : 0),
      Attribute("shared_weight", sharedWeight, plain: true),
    ]
  }
}
