import CKernels

/// y = x·wᵀ (+ bias) (+ y when `accumulate`).  x: [rows, w.columns], y: [rows, w.rows], row strides in floats.
///
/// The arithmetic is what `Arithmetic` says. One output is the same sum in the same order for any number of
/// threads. x, bias and w must not overlap y.
public func multiply(
  _ x: UnsafePointer<Float>, stride xStride: Int, rows: Int, by w: WeightMatrix, bias: UnsafePointer<Float>?,
  into y: UnsafeMutablePointer<Float>, stride yStride: Int, accumulate: Bool, pool: ThreadPool
) {
  precondition(rows <= 1 || (xStride >= w.columns && yStride >= w.rows), "rows of \(w.columns) → \(w.rows) overlap")
  guard rows > 0, w.rows > 0 else { return }
  if w.layout == .rows && rows <= mostRowsByDots || w.columns == 0 {
    multiplyByDots(
      x, stride: xStride, rows: rows, by: w, bias: bias, into: y, stride: yStride, accumulate: accumulate, pool: pool)
  } else {
    BlockedProduct(
      rows: rows, columns: w.rows, depth: w.columns, left: x, leftStride: xStride, leftTransposed: false,
      right: w, rightTransposed: false, output: y, outputStride: yStride, bias: bias, accumulate: accumulate,
      narrow: withUnsafePointer(to: w.stored) { ck_narrow_panels(ck_current(), $0) }
    ).run(on: pool)
  }
}

/// dx += dy·w.  dy: [rows, w.rows], dx: [rows, w.columns].
public func multiplyTransposed(
  _ dy: UnsafePointer<Float>, rows: Int, by w: WeightMatrix, addingInto dx: UnsafeMutablePointer<Float>,
  pool: ThreadPool
) {
  BlockedProduct(
    rows: rows, columns: w.columns, depth: w.rows, left: dy, leftStride: w.rows, leftTransposed: false,
    right: w, rightTransposed: true, output: dx, outputStride: w.columns, bias: nil, accumulate: true
  ).run(on: pool)
}

/// dw += dyᵀ·x.  dy: [rows, outputs], x: [rows, inputs], dw: [outputs, inputs].
public func accumulateOuterProducts(
  _ dy: UnsafePointer<Float>, outputs: Int, _ x: UnsafePointer<Float>, inputs: Int, rows: Int,
  into dw: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  BlockedProduct(
    rows: outputs, columns: inputs, depth: rows, left: dy, leftStride: outputs, leftTransposed: true,
    right: WeightMatrix(base: x, format: .f32, rows: rows, columns: inputs), rightTransposed: true,
    output: dw, outputStride: inputs, bias: nil, accumulate: true
  ).run(on: pool)
}

/// With no more rows than this, dots straight from the stored weights beat packing them first (measured).
private let mostRowsByDots = 12

/// Element products that keep one thread busy for about a microsecond; fewer are not worth a second thread.
private let productsPerPart = 32_768

private func multiplyByDots(
  _ x: UnsafePointer<Float>, stride xStride: Int, rows: Int, by w: WeightMatrix, bias: UnsafePointer<Float>?,
  into y: UnsafeMutablePointer<Float>, stride yStride: Int, accumulate: Bool, pool: ThreadPool
) {
  let kernels = ck_current()
  var stored = w.stored
  // Cache lines of y belong to one thread each.
  let outputsTogether = 16
  let worth = w.rows * max(1, w.columns) * rows / productsPerPart
  pool.exclusively { session in
    let parts = max(1, min(session.mostParts, worth, w.rows / outputsTogether))
    let needsScratch = rows > 1 && w.format.elementsPerBlock > 1
    withUnsafePointer(to: &stored) { stored in
      if let narrow = ck_narrow_rows(kernels, stored) {
        let lines = session.sharedFloats(rows * ck_narrow_line_floats(narrow, w.columns))
        ck_narrow_quantize(narrow, x, xStride, rows, w.columns, lines)
        session.run(parts: parts) { part, _ in
          let outputs = piece(part, of: parts, count: w.rows, multiple: outputsTogether)
          ck_narrow_multiply_rows(
            narrow, stored, outputs.lowerBound, outputs.upperBound, lines, rows, bias, y, yStride, accumulate)
        }
        return
      }
      session.run(parts: parts) { part, thread in
        let outputs = piece(part, of: parts, count: w.rows, multiple: outputsTogether)
        let scratch = session.floats(needsScratch ? 4 * w.columns : 1, thread: thread)
        ck_multiply_rows(
          kernels, stored, outputs.lowerBound, outputs.upperBound, x, xStride, rows, bias, y, yStride, accumulate,
          scratch)
      }
    }
  }
}
