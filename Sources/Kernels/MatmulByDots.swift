import Formats
import CKernels

/// Matrix multiplication of few rows by dots straight from the stored weights, each weight read once. The outputs of all
/// matmuls stand in one line that the threads share.
struct MatmulByDots {
  let x: UnsafePointer<Float>
  let stride: Int
  let rows: Int
  let columns: Int
  let matmuls: UnsafeBufferPointer<Matmul>
  /// How many of them are computed here: those with outputs that take dots.
  let count: Int
  let accumulate: Bool
  let type: ComputeType

  /// Products that keep one thread busy for about a microsecond; fewer are not worth a second thread.
  private static let productsPerPart = 32_768
  /// Fewer numbers of x than this are rounded before another thread could be told to help.
  private static let numbersPerRounder = 16_384
  /// Cache lines of y belong to one thread each.
  fileprivate static let outputsTogether = 16

  /// A matmul, and what is known of it before the threads begin.
  fileprivate struct Own {
    let matmul: Matmul
    let stored: ck_weight
    let lowPrecision: OpaquePointer?
    /// Where the rows of x, rounded for its kernel, begin among those for all kernels, in floats.
    let lines: Int
    /// Where its outputs begin in the line, in units of `outputsTogether`.
    let start: Int
  }

  /// Rows of x rounded for one kernel.
  private struct Kind {
    let lowPrecision: OpaquePointer
    let lines: Int
  }
  /// No level has more kernels for a number of rows than this.
  private static let mostKinds = 4

  func run(on pool: ThreadPool) {
    withUnsafeTemporaryAllocation(of: Kind.self, capacity: Self.mostKinds) { kinds in
      pool.exclusively { session in run(in: session, kinds: kinds) }
    }
  }

  private func run(in session: PoolSession, kinds: UnsafeMutableBufferPointer<Kind>) {
    let kernels = ck_current()
    var (kindCount, lineFloats, outputs, widens) = (0, 0, 0, false)
    for one in matmuls where one.matrix.rows > 0 && one.takesDots(rows: rows, in: type) {
      outputs += one.matrix.rows
      guard
        let lowPrecision = withUnsafePointer(
          to: one.matrix.stored, { ck_low_precision_rows(kernels, $0, rows, type.code) })
      else {
        if one.matrix.format.elementsPerBlock > 1 { widens = rows > 1 || ck_is_alike(kernels) }
        continue
      }
      if kinds[..<kindCount].contains(where: { $0.lowPrecision == lowPrecision }) { continue }
      kinds.initializeElement(at: kindCount, to: Kind(lowPrecision: lowPrecision, lines: lineFloats))
      kindCount += 1
      lineFloats += rows * ck_low_precision_line_floats(lowPrecision, columns)
    }

    // The table and then the rounded rows, from a multiple of a cache line.
    let tableFloats = (count * MemoryLayout<Own>.stride + 63) / 64 * 16
    let memory = session.sharedFloats(tableFloats + lineFloats)
    let lines = memory + tableFloats
    let table = UnsafeMutableRawPointer(memory).bindMemory(to: Own.self, capacity: count)
    var (filled, units) = (0, 0)
    for one in matmuls where one.matrix.rows > 0 && one.takesDots(rows: rows, in: type) {
      let stored = one.matrix.stored
      let lowPrecision = withUnsafePointer(to: stored) { ck_low_precision_rows(kernels, $0, rows, type.code) }
      let own = Own(
        matmul: one, stored: stored, lowPrecision: lowPrecision,
        lines: kinds[..<kindCount].first { $0.lowPrecision == lowPrecision }?.lines ?? 0, start: units)
      (table + filled).initialize(to: own)
      filled += 1
      units += (one.matrix.rows + Self.outputsTogether - 1) / Self.outputsTogether
    }

    let rounders = rows * columns < Self.numbersPerRounder ? 1 : min(rows, session.threads)
    for kind in kinds[..<kindCount] {
      session.run(
        parts: rounders,
        Rounding(
          matmul: self, lowPrecision: kind.lowPrecision,
          floats: ck_low_precision_line_floats(kind.lowPrecision, columns),
          lines: lines + kind.lines, parts: rounders))
    }
    let worth = outputs * max(1, columns) * rows / Self.productsPerPart
    let parts = max(1, min(session.mostParts, worth, outputs / Self.outputsTogether))
    session.run(
      parts: parts,
      Dots(
        matmul: self, kernels: kernels, session: session, table: UnsafeBufferPointer(start: table, count: filled),
        lines: lines, units: units, parts: parts, widens: widens))
  }
}

/// Rounds the rows of x for one kernel.
private struct Rounding: PoolJob {
  let matmul: MatmulByDots
  let lowPrecision: OpaquePointer
  let floats: Int
  let lines: UnsafeMutablePointer<Float>
  let parts: Int

  func run(part: Int, thread: Int) {
    let own = piece(part, of: parts, count: matmul.rows)
    ck_low_precision_quantize(
      lowPrecision, matmul.x + own.lowerBound * matmul.stride, matmul.stride, own.count, matmul.columns,
      lines + own.lowerBound * floats)
  }
}

/// Computes a part of the line of outputs.
private struct Dots: PoolJob {
  let matmul: MatmulByDots
  let kernels: OpaquePointer
  let session: PoolSession
  let table: UnsafeBufferPointer<MatmulByDots.Own>
  let lines: UnsafeMutablePointer<Float>
  let units: Int
  let parts: Int
  let widens: Bool

  func run(part: Int, thread: Int) {
    let own = piece(part, of: parts, count: units)
    for index in table.indices {
      let one = table[index]
      let from = max(0, own.lowerBound - one.start) * MatmulByDots.outputsTogether
      let to = min(one.matmul.matrix.rows, (own.upperBound - one.start) * MatmulByDots.outputsTogether)
      guard from < to else { continue }
      withUnsafePointer(to: one.stored) { stored in
        if let lowPrecision = one.lowPrecision {
          ck_low_precision_multiply_rows(
            lowPrecision, stored, from, to, lines + one.lines, matmul.rows, one.matmul.bias, one.matmul.output,
            one.matmul.stride, matmul.accumulate)
        } else {
          let scratch = session.floats(widens ? 4 * matmul.columns : 1, thread: thread)
          ck_multiply_rows(
            kernels, stored, from, to, matmul.x, matmul.stride, matmul.rows, one.matmul.bias, one.matmul.output,
            one.matmul.stride, matmul.accumulate, scratch)
        }
      }
    }
  }
}
