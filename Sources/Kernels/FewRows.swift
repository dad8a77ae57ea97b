import CKernels

/// Products of few rows by dots straight from the stored weights, each weight read once. The outputs of all products
/// stand in one line that the threads share.
struct FewRows {
  let x: UnsafePointer<Float>
  let stride: Int
  let rows: Int
  let columns: Int
  let products: [Product]
  /// The products that are computed here.
  let chosen: [Int]
  let accumulate: Bool

  /// Element products that keep one thread busy for about a microsecond; fewer are not worth a second thread.
  private static let productsPerPart = 32_768
  /// Cache lines of y belong to one thread each.
  private static let outputsTogether = 16

  private struct Job {
    let index: Int
    let product: Product
    let stored: ck_weight
    let narrow: OpaquePointer?
    /// Where its outputs begin in the line, in units of `outputsTogether`.
    let start: Int
    var units: Int { (product.matrix.rows + outputsTogether - 1) / outputsTogether }
  }

  func run(on pool: ThreadPool, finished: ((Int, Range<Int>, Range<Int>) -> Void)?) {
    let kernels = ck_current()
    var units = 0
    var outputs = 0
    let jobs = chosen.map { index in
      let product = products[index]
      let stored = product.matrix.stored
      let narrow = withUnsafePointer(to: stored) { ck_narrow_rows(kernels, $0) }
      let job = Job(index: index, product: product, stored: stored, narrow: narrow, start: units)
      units += job.units
      outputs += product.matrix.rows
      return job
    }
    let worth = outputs * max(1, columns) * rows / Self.productsPerPart
    let widens = rows > 1 && jobs.contains { $0.narrow == nil && $0.product.matrix.format.elementsPerBlock > 1 }
    pool.exclusively { session in
      let parts = max(1, min(session.mostParts, worth, outputs / Self.outputsTogether))
      var lines: UnsafeMutablePointer<Float>?
      if let narrow = jobs.lazy.compactMap(\.narrow).first {
        let shared = session.sharedFloats(rows * ck_narrow_line_floats(narrow, columns))
        ck_narrow_quantize(narrow, x, stride, rows, columns, shared)
        lines = shared
      }
      session.run(parts: parts) { [lines] part, thread in
        let own = piece(part, of: parts, count: units)
        for job in jobs {
          let from = max(0, own.lowerBound - job.start) * Self.outputsTogether
          let to = min(job.product.matrix.rows, (own.upperBound - job.start) * Self.outputsTogether)
          guard from < to else { continue }
          let product = job.product
          withUnsafePointer(to: job.stored) { stored in
            if let narrow = job.narrow, let lines {
              ck_narrow_multiply_rows(
                narrow, stored, from, to, lines, rows, product.bias, product.output, product.stride, accumulate)
            } else {
              let scratch = session.floats(widens ? 4 * columns : 1, thread: thread)
              ck_multiply_rows(
                kernels, stored, from, to, x, stride, rows, product.bias, product.output, product.stride, accumulate,
                scratch)
            }
          }
          finished?(job.index, 0..<rows, from..<to)
        }
      }
    }
  }
}
