import Formats
import CKernels

/// A matrix of weights as it is stored: `rows` outputs by `columns` inputs.
///
/// It does not own its bytes. `@unchecked Sendable` because it only ever reads through `base`, and whoever makes one
/// keeps the bytes alive and unchanged while it is in use.
public struct WeightMatrix: @unchecked Sendable {
  /// The first byte of the first row; rows follow each other without gaps, and no alignment is asked for.
  public let base: UnsafeRawPointer
  /// How the elements are stored.
  public let format: StorageFormat
  /// The number of outputs.
  public let rows: Int
  /// The number of inputs, whole blocks of `format`.
  public let columns: Int

  /// A view of `rows` × `columns` stored weights at `base`. Columns that are not whole blocks are a programmer's mistake.
  public init(base: UnsafeRawPointer, format: StorageFormat, rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0, "a weight of \(rows) × \(columns)")
    precondition(
      columns % format.elementsPerBlock == 0,
      "\(columns) columns are not whole blocks of \(format.elementsPerBlock) (\(format.rawValue))")
    self.base = base
    self.format = format
    self.rows = rows
    self.columns = columns
  }

  /// The bytes from one row to the next.
  public var rowBytes: Int { columns / format.elementsPerBlock * format.bytesPerBlock }

  /// The same, as CKernels takes it.
  var stored: ck_weight { ck_weight(base: base, row_bytes: rowBytes, columns: columns, format: format.code) }
}
