/// y = x·wᵀ (+ bias) (+ y when `accumulate`).  x: [rows, w.columns], y: [rows, w.rows], both with a row stride in floats.
public func multiply(
  _ x: UnsafePointer<Float>, stride xStride: Int, rows: Int, by w: WeightMatrix, bias: UnsafePointer<Float>?,
  into y: UnsafeMutablePointer<Float>, stride yStride: Int, accumulate: Bool, pool: ThreadPool
) {
  withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, w.columns)) { row in
    for output in 0..<w.rows {
      widen(w.format, w.base + output * w.rowBytes, count: w.columns, into: row.baseAddress!)
      for r in 0..<rows {
        let product = dot(x + r * xStride, row.baseAddress!, count: w.columns) + (bias?[output] ?? 0)
        y[r * yStride + output] = product + (accumulate ? y[r * yStride + output] : 0)
      }
    }
  }
}

/// dx += dy·w.  dy: [rows, w.rows], dx: [rows, w.columns].
public func multiplyTransposed(
  _ dy: UnsafePointer<Float>, rows: Int, by w: WeightMatrix, addingInto dx: UnsafeMutablePointer<Float>,
  pool: ThreadPool
) {
  withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, w.columns)) { row in
    for output in 0..<w.rows {
      widen(w.format, w.base + output * w.rowBytes, count: w.columns, into: row.baseAddress!)
      for r in 0..<rows {
        add(row.baseAddress!, scaledBy: dy[r * w.rows + output], to: dx + r * w.columns, count: w.columns)
      }
    }
  }
}

/// dw += dyᵀ·x.  dy: [rows, outputs], x: [rows, inputs], dw: [outputs, inputs].
public func accumulateOuterProducts(
  _ dy: UnsafePointer<Float>, outputs: Int, _ x: UnsafePointer<Float>, inputs: Int, rows: Int,
  into dw: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  for r in 0..<rows {
    for o in 0..<outputs {
      add(x + r * inputs, scaledBy: dy[r * outputs + o], to: dw + o * inputs, count: inputs)
    }
  }
}
