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

  /// For listings: nothing for whole rows.
  public var detail: String { count == 1 ? "" : "per head of \(width), " }
}
