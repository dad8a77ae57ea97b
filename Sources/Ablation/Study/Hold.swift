import Describing
import Components

/// What the arms of a study have in common with the baseline.
public struct Hold: Sendable, Hashable {
  /// What an arm's size is measured by.
  public enum Quantity: String, Sendable, CaseIterable {
    /// Numbers learned.
    case params
    /// Floating-point operations per token, at the length that is trained.
    case flops
    /// Arms are as large as they come.
    case none
  }

  /// Whether the arms of one seed see the same data.
  public enum DataOrder: String, Sendable, CaseIterable {
    /// Yes: one seed gives every arm the same order and, in tensors they share, the same start. Differences are paired.
    case same
    /// No: each arm draws its own. For asking how much of a difference is luck.
    case own
  }

  /// What is held.
  public var quantity = Quantity.params
  /// How far an arm may be off, as a part of the baseline's: 0.01 is one per cent.
  public var tolerance = 0.01
  /// The width that arms outside the tolerance are sized by, as a path of keys.
  public var width: String?
  /// Where the width was named.
  public var widthPlace: Place?
  /// How many tokens each run is trained on; nil leaves it to the training settings.
  public var tokens: Int?
  /// Whether arms see the same data.
  public var dataOrder = DataOrder.same

  /// Parameters within one per cent, the same data, and sizes as written.
  public init() {}
}
