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
  /// Fewer numbers of x than this are rounded before another thread could be told to help.
  private static let numbersPerRounder = 16_384
  /// Cache lines of y belong to one thread each.
  private static let outputsTogether = 16

  private struct Job {
    let index: Int
    let product: Product
    let stored: ck_weight
    let narrow: OpaquePointer?
    /// Where the rows of x, rounded for its kernel, begin among those for all kernels, in floats.
    let lines: Int
    /// Where its outputs begin in the line, in units of `outputsTogether`.
    let start: Int
    var units: Int { (product.matrix.rows + outputsTogether - 1) / outputsTogether }
  }

  func run(on pool: ThreadPool, finished: ((Int, Range<Int>, Range<Int>) -> Void)?) {
    let kernels = ck_current()
    var units = 0
    var outputs = 0
    var lineFloats = 0
    var kinds: [(narrow: OpaquePointer, lines: Int)] = []
    let jobs = chosen.map { index in
      let product = products[index]
      let stored = product.matrix.stored
      let narrow = withUnsafePointer(to: stored) { ck_narrow_rows(kernels, $0, rows) }
      if let narrow, !kinds.contains(where: { $0.narrow == narrow }) {
        kinds.append((narrow, lineFloats))
        lineFloats += rows * ck_narrow_line_floats(narrow, columns)
      }
      let lines = kinds.first { $0.narrow == narrow }?.lines ?? 0
      let job = Job(index: index, product: product, stored: stored, narrow: narrow, lines: lines, start: units)
      units += job.units
      outputs += product.matrix.rows
      return job
    }
    let worth = outputs * max(1, columns) * rows / Self.productsPerPart
    let widens = rows > 1 && jobs.contains { $0.narrow == nil && $0.product.matrix.format.elementsPerBlock > 1 }
    pool.exclusively { session in
      let parts = max(1, min(session.mostParts, worth, outputs / Self.outputsTogether))
      let lines = session.sharedFloats(lineFloats)
      for kind in kinds {
        let floats = ck_narrow_line_floats(kind.narrow, columns)
        let rounders = rows * columns < Self.numbersPerRounder ? 1 : min(rows, session.threads)
        session.run(parts: rounders) { part, _ in
          let own = piece(part, of: rounders, count: rows)
          ck_narrow_quantize(
            kind.narrow, x + own.lowerBound * stride, stride, own.count, columns,
            lines + kind.lines + own.lowerBound * floats)
        }
      }
      session.run(parts: parts) { part, thread in
        let own = piece(part, of: parts, count: units)
        for job in jobs {
          let from = max(0, own.lowerBound - job.start) * Self.outputsTogether
          let to = min(job.product.matrix.rows, (own.upperBound - job.start) * Self.outputsTogether)
          guard from < to else { continue }
          let product = job.product
          withUnsafePointer(to: job.stored) { stored in
            if let narrow = job.narrow {
              ck_narrow_multiply_rows(
                narrow, stored, from, to, lines + job.lines, rows, product.bias, product.output, product.stride,
                accumulate)
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
