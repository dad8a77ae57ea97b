import Formats
import CKernels

/// Rows of numbers as they are stored: row i begins `i · rowBytes` bytes after `base`.
///
/// It does not own its bytes. `@unchecked Sendable` because it only ever reads through `base`, and whoever makes one
/// keeps the bytes alive and unchanged while it is in use.
public struct StoredRows: @unchecked Sendable {
  /// The first byte of the first row; rows of f32 begin at multiples of 4 bytes.
  public let base: UnsafeRawPointer
  /// How the numbers are stored.
  public let format: StorageFormat
  /// The bytes from one row to the next.
  public let rowBytes: Int

  /// Rows in `format`, `rowBytes` apart.
  public init(base: UnsafeRawPointer, format: StorageFormat, rowBytes: Int) {
    precondition(format != .f32 || rowBytes % MemoryLayout<Float>.stride == 0, "f32 rows \(rowBytes) bytes apart")
    self.base = base
    self.format = format
    self.rowBytes = rowBytes
  }

  /// Rows of f32, `stride` numbers apart.
  public init(_ base: UnsafePointer<Float>, stride: Int) {
    self.init(base: base, format: .f32, rowBytes: stride * MemoryLayout<Float>.stride)
  }

  var stored: ck_rows { ck_rows(base: base, row_bytes: rowBytes, format: format.code) }
}
