/// A matrix to read: `count` rows of `width` elements, one after the other.
public struct Rows: @unchecked Sendable {
  // Sendable although it holds a pointer: a view for the time of one step, over memory that the step only reads.

  /// The first element of the first row.
  public let base: UnsafePointer<Float>
  /// How many rows there are.
  public let count: Int
  /// Elements in a row.
  public let width: Int

  /// `count` rows of `width` elements from `base`.
  @inlinable
  public init(_ base: UnsafePointer<Float>, count: Int, width: Int) {
    self.base = base
    self.count = count
    self.width = width
  }

  /// The first element of row `row`.
  @inlinable
  public subscript(row: Int) -> UnsafePointer<Float> { base + row * width }
}

/// A matrix to write: `count` rows of `width` elements, one after the other.
public struct MutableRows: @unchecked Sendable {
  // Sendable as `Rows` are, whose workers write different rows.

  /// The same rows, to read.
  public let rows: Rows

  /// `count` rows of `width` elements from `base`.
  @inlinable
  public init(_ base: UnsafeMutablePointer<Float>, count: Int, width: Int) {
    rows = Rows(base, count: count, width: width)
  }

  /// The first element of the first row.
  @inlinable public var base: UnsafeMutablePointer<Float> { UnsafeMutablePointer(mutating: rows.base) }
  /// How many rows there are.
  @inlinable public var count: Int { rows.count }
  /// Elements in a row.
  @inlinable public var width: Int { rows.width }
  /// The first element of row `row`.
  @inlinable public subscript(row: Int) -> UnsafeMutablePointer<Float> { base + row * width }
}
