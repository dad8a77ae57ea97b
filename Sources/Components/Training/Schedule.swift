import Plans

/// How the learning rate changes over a run, once warm-up has led it to its peak.
public protocol Schedule: Component {
  /// What the peak rate is multiplied with: 1 at a `progress` of 0, where warm-up ends, and nowhere less than 0 or more than 1.
  ///
  /// `progress` grows evenly with the steps; it would reach 1 in the step after the last.
  func factor(at progress: Double) -> Double
  /// What the factor comes to at a `progress` of 1.
  var final: Double { get }
  /// Whether the factor never rises. Nothing is promised unless it says so.
  var neverRises: Bool { get }
  /// The factor at a progress of `t`, in Python with `math`; nil where it is not said.
  func pytorch(_ t: PyTorchExpression) -> PyTorchExpression?
}

extension Schedule {
  public static var slot: Slot { .schedule }
  public var neverRises: Bool { false }
  public func pytorch(_ t: PyTorchExpression) -> PyTorchExpression? { nil }
}
