import Formats
import CKernels

/// y = x·wᵀ (+ bias) (+ y when `accumulate`).  x: [rows, w.columns], y: [rows, w.rows], row strides in floats.
///
/// Products are computed in `type`. One output is the same sum in the same order for any number of
/// threads. x, bias and w must not overlap y.
public func matmul(
  _ x: UnsafePointer<Float>, stride xStride: Int, rows: Int, by w: WeightMatrix, bias: UnsafePointer<Float>?,
  into y: UnsafeMutablePointer<Float>, stride yStride: Int, accumulate: Bool, in type: ComputeType, pool: ThreadPool
) {
  withUnsafePointer(to: Matmul(by: w, bias: bias, into: y, stride: yStride)) { one in
    matmul(
      x, stride: xStride, rows: rows, by: UnsafeBufferPointer(start: one, count: 1), accumulate: accumulate, in: type,
      pool: pool)
  }
}

/// One of several matrix multiplications that read the same x.
public struct Matmul {
  /// The weights; all of one call have the same number of columns.
  public let matrix: WeightMatrix
  /// One number for each output, or nothing.
  public let bias: UnsafePointer<Float>?
  /// [rows, matrix.rows], `stride` floats from one row to the next.
  public let output: UnsafeMutablePointer<Float>
  /// The floats from one row of the output to the next.
  public let stride: Int

  /// x·matrixᵀ, plus `bias`, into `output`.
  public init(
    by matrix: WeightMatrix, bias: UnsafePointer<Float>?, into output: UnsafeMutablePointer<Float>, stride: Int
  ) {
    (self.matrix, self.bias, self.output, self.stride) = (matrix, bias, output, stride)
  }

  /// Whether `rows` rows of x are multiplied by dots straight from the stored weights, rather than packed first.
  func takesDots(rows: Int, in type: ComputeType) -> Bool {
    if matrix.columns == 0 { return true }
    let kernels = ck_current()
    return withUnsafePointer(to: matrix.stored) { stored in
      if ck_rounds_packed(kernels, stored, type.code) { return false }
      if ck_is_alike(kernels) && rows <= mostRowsAlike { return true }
      guard let lowPrecision = ck_low_precision_rows(kernels, stored, rows, type.code) else {
        return rows <= mostRowsByDots
      }
      return rows <= ck_low_precision_most_rows(lowPrecision)
    }
  }
}

/// y_i = x·w_iᵀ (+ bias_i) (+ y_i when `accumulate`) for each of `matmuls`; each is what it would be alone.
///
/// Few rows are rounded once and all outputs shared over the threads in one go. Nothing is allocated.
public func matmul(
  _ x: UnsafePointer<Float>, stride xStride: Int, rows: Int, by matmuls: UnsafeBufferPointer<Matmul>, accumulate: Bool,
  in type: ComputeType, pool: ThreadPool
) {
  guard rows > 0, let columns = matmuls.first?.matrix.columns else { return }
  var byDots = 0
  for one in matmuls {
    let w = one.matrix
    precondition(w.columns == columns, "weights of \(columns) and \(w.columns) inputs have no x in common")
    precondition(
      rows <= 1 || (xStride >= w.columns && one.stride >= w.rows), "rows of \(w.columns) → \(w.rows) overlap")
    if w.rows == 0 { continue }
    if one.takesDots(rows: rows, in: type) {
      byDots += 1
      continue
    }
    BlockedMatmul(
      rows: rows, columns: w.rows, depth: columns, left: x, leftStride: xStride, leftTransposed: false, right: w,
      rightTransposed: false, output: one.output, outputStride: one.stride, bias: one.bias, accumulate: accumulate,
      type: type
    ).run(on: pool)
  }
  if byDots > 0 {
    MatmulByDots(
      x: x, stride: xStride, rows: rows, columns: columns, matmuls: matmuls, count: byDots, accumulate: accumulate,
      type: type
    ).run(on: pool)
  }
}

/// dx = dy·w (+ dx when `accumulate`).  dy: [rows, w.rows], dx: [rows, w.columns].
public func matmulTransposed(
  _ dy: UnsafePointer<Float>, rows: Int, by w: WeightMatrix, into dx: UnsafeMutablePointer<Float>, accumulate: Bool,
  in type: ComputeType, pool: ThreadPool
) {
  BlockedMatmul(
    rows: rows, columns: w.columns, depth: w.rows, left: dy, leftStride: w.rows, leftTransposed: false,
    right: w, rightTransposed: true, output: dx, outputStride: w.columns, bias: nil, accumulate: accumulate, type: type
  ).run(on: pool)
}

/// dw = dyᵀ·x (+ dw when `accumulate`).  dy: [rows, outputs], x: [rows, inputs], dw: [outputs, inputs].
public func matmulOuter(
  _ dy: UnsafePointer<Float>, outputs: Int, _ x: UnsafePointer<Float>, inputs: Int, rows: Int,
  into dw: UnsafeMutablePointer<Float>, accumulate: Bool, in type: ComputeType, pool: ThreadPool
) {
  BlockedMatmul(
    rows: outputs, columns: inputs, depth: rows, left: dy, leftStride: outputs, leftTransposed: true,
    right: WeightMatrix(base: x, format: .f32, rows: rows, columns: inputs), rightTransposed: true, output: dw,
    outputStride: inputs, bias: nil, accumulate: accumulate, type: type
  ).run(on: pool)
}

/// y = Σ over rows of x (+ y when `accumulate`).  x: [rows, columns], y: [columns].
public func sumRows(
  _ x: UnsafePointer<Float>, rows: Int, columns: Int, into y: UnsafeMutablePointer<Float>, accumulate: Bool,
  pool: ThreadPool
) {
  // A thread owns columns, so that the order of a sum does not depend on their number.
  let kernels = ck_current()
  nonisolated(unsafe) let y = y
  pool.run(columns, grain: max(16, 1 << 20 / max(1, rows))) { own in
    ck_sum_rows(kernels, x + own.lowerBound, columns, rows, own.count, y + own.lowerBound, accumulate)
  }
}

/// Up to so many rows a row has the same sum whatever their number, on a level that has rows alike.
public let mostRowsAlike = 64

/// With no more rows than this, dots in f32 straight from the stored weights beat packing them first (measured).
private let mostRowsByDots = 12
