import Formats
import CKernels

/// y = x·wᵀ (+ bias) (+ y when `accumulate`).  x: [rows, w.columns], y: [rows, w.rows], row strides in floats.
///
/// The arithmetic is what `Arithmetic` says. One output is the same sum in the same order for any number of
/// threads. x, bias and w must not overlap y.
public func multiply(
  _ x: UnsafePointer<Float>, stride xStride: Int, rows: Int, by w: WeightMatrix, bias: UnsafePointer<Float>?,
  into y: UnsafeMutablePointer<Float>, stride yStride: Int, accumulate: Bool, pool: ThreadPool
) {
  multiply(
    x, stride: xStride, rows: rows, by: [Product(by: w, bias: bias, into: y, stride: yStride)], accumulate: accumulate,
    pool: pool)
}

/// One of several products that read the same x.
public struct Product {
  /// The weights; all products of one call have the same number of columns.
  public let matrix: WeightMatrix
  /// One number for each output, or nothing.
  public let bias: UnsafePointer<Float>?
  /// [rows, matrix.rows], `stride` floats from one row to the next.
  public let output: UnsafeMutablePointer<Float>
  /// The floats from one row of the output to the next.
  public let stride: Int

  /// The product by `matrix`, plus `bias`, into `output`.
  public init(
    by matrix: WeightMatrix, bias: UnsafePointer<Float>?, into output: UnsafeMutablePointer<Float>, stride: Int
  ) {
    (self.matrix, self.bias, self.output, self.stride) = (matrix, bias, output, stride)
  }
}

/// y_i = x·w_iᵀ (+ bias_i) (+ y_i when `accumulate`) for each product; each is what it would be alone.
///
/// Few rows are quantised once and all outputs shared over the threads in one go. `finished(product, rows, outputs)` is
/// called once for each part that is complete, by the thread that computed it and while others still run: it may change
/// that part of that output and read what no product writes, and must not use the pool.
public func multiply(
  _ x: UnsafePointer<Float>, stride xStride: Int, rows: Int, by products: [Product], accumulate: Bool, pool: ThreadPool,
  finished: ((Int, Range<Int>, Range<Int>) -> Void)? = nil
) {
  guard rows > 0, let columns = products.first?.matrix.columns else { return }
  var few: [Int] = []
  for (index, product) in products.enumerated() {
    let w = product.matrix
    precondition(w.columns == columns, "products of \(columns) and \(w.columns) inputs have no x in common")
    precondition(
      rows <= 1 || (xStride >= w.columns && product.stride >= w.rows), "rows of \(w.columns) → \(w.rows) overlap")
    if w.rows == 0 { continue }
    let (narrow, packs) = withUnsafePointer(to: w.stored) {
      (ck_narrow_panels(ck_current(), $0, false), ck_rounds_packed(ck_current(), $0))
    }
    if (rows <= mostRowsByDots(w.format, narrow: narrow) && !packs) || columns == 0 {
      few.append(index)
      continue
    }
    BlockedProduct(
      rows: rows, columns: w.rows, depth: columns, left: x, leftStride: xStride, leftTransposed: false, right: w,
      rightTransposed: false, output: product.output, outputStride: product.stride, bias: product.bias,
      accumulate: accumulate, narrow: narrow,
      finished: finished.map { finished in { finished(index, $0, $1) } }
    ).run(on: pool)
  }
  if !few.isEmpty {
    FewRows(
      x: x, stride: xStride, rows: rows, columns: columns, products: products, chosen: few, accumulate: accumulate
    )
    .run(on: pool, finished: finished)
  }
}

/// dx = dy·w (+ dx when `accumulate`).  dy: [rows, w.rows], dx: [rows, w.columns].
public func multiplyTransposed(
  _ dy: UnsafePointer<Float>, rows: Int, by w: WeightMatrix, into dx: UnsafeMutablePointer<Float>, accumulate: Bool,
  pool: ThreadPool
) {
  BlockedProduct(
    rows: rows, columns: w.columns, depth: w.rows, left: dy, leftStride: w.rows, leftTransposed: false,
    right: w, rightTransposed: true, output: dx, outputStride: w.columns, bias: nil, accumulate: accumulate,
    narrow: narrowTransposed(w)
  ).run(on: pool)
}

/// dw = dyᵀ·x (+ dw when `accumulate`).  dy: [rows, outputs], x: [rows, inputs], dw: [outputs, inputs].
public func multiplyOuter(
  _ dy: UnsafePointer<Float>, outputs: Int, _ x: UnsafePointer<Float>, inputs: Int, rows: Int,
  into dw: UnsafeMutablePointer<Float>, accumulate: Bool, pool: ThreadPool
) {
  let x = WeightMatrix(base: x, format: .f32, rows: rows, columns: inputs)
  BlockedProduct(
    rows: outputs, columns: inputs, depth: rows, left: dy, leftStride: outputs, leftTransposed: true, right: x,
    rightTransposed: true, output: dw, outputStride: inputs, bias: nil, accumulate: accumulate,
    narrow: narrowTransposed(x)
  ).run(on: pool)
}

/// The product with w standing [depth, columns] in narrower arithmetic than f32, where that is asked for.
private func narrowTransposed(_ w: WeightMatrix) -> OpaquePointer? {
  withUnsafePointer(to: w.stored) { ck_narrow_panels(ck_current(), $0, true) }
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

/// With no more rows than this, dots straight from the stored weights beat packing them first (measured); the faster
/// the packed product, the sooner it is worth its packing.
private func mostRowsByDots(_ format: StorageFormat, narrow: OpaquePointer?) -> Int {
  narrow == nil ? 12 : format.elementsPerBlock < 256 ? 16 : 4
}
