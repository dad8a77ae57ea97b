import CKernels

/// A matrix of weights as it is stored: `rows` outputs by `columns` inputs.
///
/// It does not own its bytes. `@unchecked Sendable` because it only ever reads through `base`, and whoever makes one
/// keeps the bytes alive and unchanged while it is in use.
public struct WeightMatrix: @unchecked Sendable {
  /// How the elements lie in memory.
  public enum Layout: Sendable {
    /// Row after row without gaps, as files have them.
    case rows
    /// Panels of 32 outputs turned to stand side by side, as products read them fastest; f32, f16 and bf16 only.
    case panels
  }

  /// The first byte; no alignment is asked for, 64 bytes are best for panels.
  public let base: UnsafeRawPointer
  /// How the elements are stored.
  public let format: StorageFormat
  /// The number of outputs.
  public let rows: Int
  /// The number of inputs, whole blocks of `format`.
  public let columns: Int
  /// How the elements lie in memory.
  public let layout: Layout

  /// A view of `rows` × `columns` stored weights at `base`. Columns that are not whole blocks, and panels of a format
  /// that has none, are a programmer's mistake.
  public init(base: UnsafeRawPointer, format: StorageFormat, rows: Int, columns: Int, layout: Layout = .rows) {
    precondition(rows >= 0 && columns >= 0, "a weight of \(rows) × \(columns)")
    precondition(
      columns % format.elementsPerBlock == 0,
      "\(columns) columns are not whole blocks of \(format.elementsPerBlock) (\(format.rawValue))")
    precondition(layout == .rows || format.elementsPerBlock == 1, "\(format.rawValue) has no panels")
    self.base = base
    self.format = format
    self.rows = rows
    self.columns = columns
    self.layout = layout
  }

  /// The bytes from one row to the next, where the layout is rows.
  public var rowBytes: Int { columns / format.elementsPerBlock * format.bytesPerBlock }

  /// The bytes one panel takes, where the layout is panels.
  var panelBytes: Int { ck_panel_bytes(format.code, columns) }

  /// The same, as CKernels takes it.
  var stored: ck_weight {
    ck_weight(
      base: base, row_bytes: rowBytes, columns: columns, format: format.code,
      layout: Int32(layout == .panels ? CK_PANELS.rawValue : CK_ROWS.rawValue))
  }
}
