/// The parts of a row that are normalized by themselves, and the learned numbers for them.
public struct NormParts: Sendable, Hashable {
  /// Parts in a row.
  public let count: Int
  /// Numbers in a part.
  public let width: Int
  /// Whether all parts share one weight vector.
  public let sharedWeight: Bool

  /// The parts of rows of `width` numbers that `span` names.
  public init(width: Int, span: NormSpan) {
    switch span {
    case .row: (count, self.width, sharedWeight) = (1, width, true)
    case .heads(let heads, let shared):
      precondition(width % heads == 0, "\(width) numbers do not divide into \(heads) heads")
      (count, self.width, sharedWeight) = (heads, width / heads, shared)
    }
  }

  /// The shape of a learned weight: `[width]`, or `[count, width]` when each part has its own.
  public var weightShape: [Int] { sharedWeight ? [width] : [count, width] }

  /// Where the weights of part `part` start.
  @inlinable
  public func weightOffset(_ part: Int) -> Int { sharedWeight ? 0 : part * width }

  /// For listings: nothing for whole rows.
  public var detail: String { count == 1 ? "" : "per head of \(width), " }
}
