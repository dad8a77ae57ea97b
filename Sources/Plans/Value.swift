/// The shape of a value: the width of a row, and what rows stand for.
public struct ValueShape: Sendable, Hashable {
  /// Elements in a row.
  public let width: Int
  /// What its rows stand for.
  public let axis: RowAxis

  /// Rows of `width` elements along `axis`.
  public init(width: Int, axis: RowAxis) {
    self.width = width
    self.axis = axis
  }

  /// The same axis with rows of `width` elements.
  public func with(width: Int) -> ValueShape { ValueShape(width: width, axis: axis) }
}

/// A matrix that flows through a plan: one row for each row of its axis in a pass.
public struct Value: Sendable, Hashable {
  /// The value's index among the plan's values.
  public let index: Int
  /// Its shape.
  public let shape: ValueShape

  /// Elements in a row.
  public var width: Int { shape.width }
  /// What its rows stand for.
  public var axis: RowAxis { shape.axis }

  /// The value at `index` of a plan.
  public init(index: Int, shape: ValueShape) {
    self.index = index
    self.shape = shape
  }

  /// The value at `index` of a plan, of rows of `width` elements along `axis`.
  public init(index: Int, width: Int, axis: RowAxis) {
    self.init(index: index, shape: ValueShape(width: width, axis: axis))
  }
}
