import Formats
import Kernels

/// Where a state of one sequence lies: an executor fills it in, and a step sees it through its context.
public struct BoundState {
  /// The first byte of the first row.
  public let base: UnsafeMutableRawPointer
  /// How its numbers are stored.
  public let format: StorageFormat
  /// Bytes of a row; rows follow each other.
  public let rowBytes: Int
  /// The position of the first row that it holds: 0 unless a window has moved on.
  public var firstPosition = 0

  /// A state at `base` whose first row belongs to position 0.
  public init(_ base: UnsafeMutableRawPointer, format: StorageFormat, rowBytes: Int) {
    self.base = base
    self.format = format
    self.rowBytes = rowBytes
  }
}

/// Rows of a sequence as they are kept: those of earlier passes, and the new ones.
public struct KeptRows {
  /// The rows.
  public let rows: StoredRows
  /// The position of the first.
  public let firstPosition: Int
}
