import Formats
import CKernels

/// A part of a matrix in memory: row after row, each `stride` numbers after the one before; or turned, column after column.
public struct MatrixPart {
  /// The first number.
  public let base: UnsafePointer<Float>
  /// Numbers from one row to the next; of a turned part, from one column to the next.
  public let stride: Int
  /// Whether its columns lie one after the other, rather than its rows.
  public let isTurned: Bool

  /// The part from `base`.
  public init(_ base: UnsafePointer<Float>, stride: Int, turned isTurned: Bool = false) {
    self.base = base
    self.stride = stride
    self.isTurned = isTurned
  }
}

/// y = left·right (+ y when `accumulate`), in f32 and on this thread alone: for the small products of one worker.
///
/// left: [rows, depth], right: [depth, columns], y: [rows, columns], rows `stride` apart. `scratch` holds as many numbers as
/// `smallProductScratch` says, enough to pack both sides whole, so both should fit a second-level cache.
public func multiplyHere(
  _ left: MatrixPart, _ right: MatrixPart, rows: Int, columns: Int, depth: Int, into y: UnsafeMutablePointer<Float>,
  stride: Int, accumulate: Bool, scratch: UnsafeMutablePointer<Float>
) {
  guard rows > 0, columns > 0 else { return }
  precondition(
    depth > 0 && (rows == 1 || stride >= columns), "a product of \(rows) × \(depth) × \(columns), stride \(stride)")
  let kernels = ck_current()
  let panels = scratch + (rows * depth + 15) / 16 * 16
  ck_pack_rows(kernels, left.base, left.stride, left.isTurned, rows, depth, scratch)
  // A turned right side is what weights are: a row for each output.
  var stored = ck_weight(
    base: right.base, row_bytes: right.stride * MemoryLayout<Float>.stride, columns: right.isTurned ? depth : columns,
    format: StorageFormat.f32.code)
  ck_pack_panels(kernels, &stored, !right.isTurned, 0, columns, 0, depth, panels)
  ck_multiply_panels(kernels, scratch, rows, panels, columns, depth, y, stride, accumulate, nil)
}

/// Numbers of scratch memory for `multiplyHere` of these sizes.
public func smallProductScratch(rows: Int, columns: Int, depth: Int) -> Int {
  let panel = Int(CK_PANEL)
  return (rows * depth + 15) / 16 * 16 + (columns + panel - 1) / panel * panel * depth
}
