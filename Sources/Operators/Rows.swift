/// A matrix to read: `count` rows of `width` numbers, one after the other.
public struct Rows: @unchecked Sendable {
  // Sendable although it holds a pointer: a view for the time of one step, over memory that the step only reads.

  /// The first number of the first row.
  public let base: UnsafePointer<Float>
  /// How many rows there are.
  public let count: Int
  /// Numbers in a row.
  public let width: Int

  /// `count` rows of `width` numbers from `base`.
  @inlinable
  public init(_ base: UnsafePointer<Float>, count: Int, width: Int) {
    self.base = base
    self.count = count
    self.width = width
  }

  /// The first number of row `row`.
  @inlinable
  public subscript(row: Int) -> UnsafePointer<Float> { base + row * width }
}

/// A matrix to write: `count` rows of `width` numbers, one after the other.
public struct MutableRows: @unchecked Sendable {
  // Sendable although it holds a pointer: a view for the time of one step, whose workers write different rows.

  /// The first number of the first row.
  public let base: UnsafeMutablePointer<Float>
  /// How many rows there are.
  public let count: Int
  /// Numbers in a row.
  public let width: Int

  /// `count` rows of `width` numbers from `base`.
  @inlinable
  public init(_ base: UnsafeMutablePointer<Float>, count: Int, width: Int) {
    self.base = base
    self.count = count
    self.width = width
  }

  /// The first number of row `row`.
  @inlinable
  public subscript(row: Int) -> UnsafeMutablePointer<Float> { base + row * width }

  /// The same rows, to read.
  @inlinable
  public var rows: Rows { Rows(base, count: count, width: width) }
}
