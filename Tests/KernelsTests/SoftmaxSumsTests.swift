import Formats
import Foundation
import Kernels
import Testing

/// One shape of softmax-weighted sums, and what is special about it.
private struct Shape: Sendable, CustomStringConvertible {
  var count = 1, start = 0, firstKey = 0
  var keyHeads = 2, group = 1, keyWidth = 8, valueWidth = 8
  var window: Int?
  var cap: Float?
  var hasBias = false, hasSinks = false
  var format = StorageFormat.f32

  var heads: Int { keyHeads * group }
  var keyCount: Int { start + count - firstKey }
  var description: String {
    "\(count) from \(start), keys from \(firstKey), \(heads)/\(keyHeads) heads of \(keyWidth), \(valueWidth), "
      + "window \(window ?? 0), cap \(cap ?? 0)\(hasBias ? ", biased" : "")\(hasSinks ? ", sinks" : ""), \(format.rawValue)"
  }
}

/// Random rows in a format, and what they stand for.
private struct SampleRows {
  let bytes: Guarded<UInt8>
  let rows: StoredRows
  let values: [Float]

  init(_ format: StorageFormat, count: Int, width: Int, size: Float, numbers: inout Numbers) {
    let rowBytes = format.byteCount(elements: width) ?? 0
    bytes = Guarded<UInt8>(count: count * rowBytes, filledWith: 0)
    narrow(numbers.floats(count * width).map { $0 * size }, count: count * width, to: format, into: bytes.base)
    var values = [Float](repeating: 0, count: count * width)
    widen(format, bytes.base, count: count * width, into: &values)
    self.values = values
    rows = StoredRows(base: bytes.base, format: format, rowBytes: rowBytes)
  }
}

/// Inputs of one shape.
private struct Sample {
  let shape: Shape
  let queries: Guarded<Float>
  let keys, values: SampleRows
  let sinks: [Float]
  let sums: SoftmaxSums

  static let bias: SoftmaxSums.Bias = { scores, count, head, query, firstKey in
    for i in 0..<count { scores[i] += 0.03 * Float(head + 1) * Float(firstKey + i - query) }
  }

  init(_ shape: Shape, seed: UInt64) {
    var numbers = Numbers(seed: seed)
    self.shape = shape
    queries = Guarded(numbers.floats(shape.count * shape.heads * shape.keyWidth).map { $0 * 3 })
    keys = SampleRows(
      shape.format, count: shape.keyCount, width: shape.keyHeads * shape.keyWidth, size: 2, numbers: &numbers)
    values = SampleRows(
      shape.format, count: shape.keyCount, width: shape.keyHeads * shape.valueWidth, size: 1, numbers: &numbers)
    sinks = numbers.floats(shape.heads).map { $0 * 2 }
    sums = SoftmaxSums(
      heads: shape.heads, keyHeads: shape.keyHeads, keyWidth: shape.keyWidth, valueWidth: shape.valueWidth,
      scale: 1 / Float(shape.keyWidth).squareRoot(), window: shape.window, cap: shape.cap,
      bias: shape.hasBias ? Self.bias : nil)
  }

  /// The span that writes rows `gap` wider than needed.
  func span(
    _ rows: Range<Int>? = nil, into y: UnsafeMutablePointer<Float>, gap: Int = 0,
    logarithms: UnsafeMutablePointer<Float>? = nil
  ) -> SoftmaxSums.Span {
    let rows = rows ?? 0..<shape.count
    let (width, stride) = (shape.heads * shape.keyWidth, shape.heads * shape.valueWidth + gap)
    return SoftmaxSums.Span(
      queries: queries.base + rows.lowerBound * width, queryStride: width, count: rows.count,
      start: shape.start + rows.lowerBound, keys: keys.rows, values: values.rows, firstKey: shape.firstKey,
      sums: y + rows.lowerBound * stride, sumStride: stride,
      logarithms: logarithms.map { $0 + rows.lowerBound * shape.heads })
  }

  func compute(threads: Int, parts: [Range<Int>]? = nil) -> [Float] {
    var y = [Float](repeating: 0, count: shape.count * shape.heads * shape.valueWidth)
    let pool = ThreadPool(threads: threads)
    y.withUnsafeMutableBufferPointer { y in
      guard let base = y.baseAddress else { return }
      for part in parts ?? [0..<shape.count] {
        [span(part, into: base)].withUnsafeBufferPointer {
          sums.compute($0, sinks: shape.hasSinks ? sinks : nil, pool: pool)
        }
      }
    }
    return y
  }

  /// One query's sums and logarithm in double precision, and the largest size of a score.
  func plain(row: Int, head: Int) -> (y: [Double], logarithm: Double, size: Double) {
    let number = shape.start + row, keyHead = head / shape.group
    let first = max(shape.firstKey, shape.window.map { number + 1 - $0 } ?? 0, 0)
    let (keyRow, valueRow) = (shape.keyHeads * shape.keyWidth, shape.keyHeads * shape.valueWidth)
    var bias = [Float](repeating: 0, count: number + 1 - first)
    if shape.hasBias { Self.bias(&bias, bias.count, head, number, first) }
    var scores: [Double] = [], size = 1.0
    for key in first...number {
      var score = 0.0, sum = 0.0
      for d in 0..<shape.keyWidth {
        let product =
          Double(queries[(row * shape.heads + head) * shape.keyWidth + d])
          * Double(keys.values[(key - shape.firstKey) * keyRow + keyHead * shape.keyWidth + d])
        score += product
        sum += abs(product)
      }
      score *= Double(sums.scale)
      if let cap = shape.cap { score = Double(cap) * tanh(score / Double(cap)) }
      scores.append(score + Double(bias[key - first]))
      size = max(size, sum * Double(sums.scale) + abs(Double(bias[key - first])))
    }
    var most = scores.max() ?? 0
    if shape.hasSinks { most = max(most, Double(sinks[head])) }
    let weights = scores.map { exp($0 - most) }
    let total = weights.reduce(0, +) + (shape.hasSinks ? exp(Double(sinks[head]) - most) : 0)
    var y = [Double](repeating: 0, count: shape.valueWidth)
    for (i, weight) in weights.enumerated() {
      for d in 0..<shape.valueWidth {
        y[d] +=
          weight / total
          * Double(values.values[(first + i - shape.firstKey) * valueRow + keyHead * shape.valueWidth + d])
      }
    }
    return (y, most + log(total), size)
  }
}

@Suite struct SoftmaxSumsTests {
  private func check(_ shape: Shape, threads: Int) {
    let sample = Sample(shape, seed: UInt64(shape.count * 31 + shape.keyWidth))
    let gap = shape.count % 3
    let stride = shape.heads * shape.valueWidth + gap
    let y = Guarded<Float>(count: shape.count * stride - gap, filledWith: .nan)
    let logarithms = Guarded<Float>(count: shape.count * shape.heads, filledWith: .nan)
    [sample.span(into: y.base, gap: gap, logarithms: logarithms.base)].withUnsafeBufferPointer {
      sample.sums.compute($0, sinks: shape.hasSinks ? sample.sinks : nil, pool: ThreadPool(threads: threads))
    }
    var worst = 0.0
    for row in 0..<shape.count {
      for head in 0..<shape.heads {
        let (expected, logarithm, size) = sample.plain(row: row, head: head)
        // A score of this size is off by some last bits of it, and weights by as much relatively; values are below 1.
        let unit = 0x1p-24 * size * 8
        for d in 0..<shape.valueWidth {
          let error = abs(Double(y[row * stride + head * shape.valueWidth + d]) - expected[d])
          worst = max(worst, error.isNaN ? .infinity : error / unit)
        }
        let error = abs(Double(logarithms[row * shape.heads + head]) - logarithm)
        worst = max(worst, error.isNaN ? .infinity : error / (unit + 0x1p-22 * abs(logarithm)))
      }
      for g in 0..<gap where row + 1 < shape.count {
        #expect(y[row * stride + stride - gap + g].isNaN, "the gap after row \(row) was written")
      }
    }
    #expect(worst < 1, "\(shape): \(worst) of the bound")
  }

  @Test("sums of awkward shapes equal the plain loop", arguments: KernelLevel.available)
  func awkwardShapes(level: KernelLevel) {
    level.perform {
      let widths = [4, 8, 20, 64, 80, 128]
      var index = 0
      for count in [1, 2, 13, 33] {
        for keys in [1, 5, 63, 64, 65, 300] where keys >= count {
          for width in widths {
            for group in [1, 3, 8] {
              index += 1
              var shape = Shape()
              (shape.count, shape.start) = (count, keys - count)
              (shape.group, shape.keyWidth, shape.valueWidth) = (group, width, widths[(index / 2) % 6])
              shape.format = [.f32, .bf16, .q8_0, .f16][index % 4]
              shape.keyHeads = shape.format == .q8_0 ? 8 : 1 + index % 3
              if index % 3 == 0 { shape.window = 1 + index % 70 }
              if index % 6 == 0 { shape.firstKey = max(0, shape.start + 1 - (shape.window ?? 1)) }
              if index % 5 == 0 { shape.cap = 5 }
              shape.hasBias = index % 7 < 2
              shape.hasSinks = index % 4 == 1
              check(shape, threads: 1 + index % 3)
            }
          }
        }
      }
    }
  }

  @Test("sums over several blocks of keys and runs of panels equal the plain loop", arguments: KernelLevel.available)
  func blocks(level: KernelLevel) {
    level.perform {
      check(Shape(count: 400, start: 0, keyHeads: 2, group: 2, keyWidth: 16, valueWidth: 24), threads: 2)
      check(
        Shape(count: 250, start: 511, firstKey: 300, keyHeads: 1, group: 3, keyWidth: 8, valueWidth: 8, window: 200),
        threads: 3)
      check(
        Shape(count: 1, start: 1500, keyHeads: 2, group: 4, keyWidth: 32, valueWidth: 16, format: .bf16), threads: 3)
      check(Shape(count: 2, start: 700, keyHeads: 1, group: 5, keyWidth: 8, valueWidth: 8, window: 9), threads: 2)
    }
  }

  @Test("sums do not depend on the number of threads, bit for bit", arguments: [1, 3, 40, 300])
  func deterministic(count: Int) {
    let sample = Sample(
      Shape(count: count, start: 700, keyHeads: 2, group: 2, keyWidth: 32, valueWidth: 32, format: .bf16), seed: 3)
    let alone = sample.compute(threads: 1)
    for threads in [2, 3, 4, 7] {
      let areEqual = sample.compute(threads: threads) == alone
      #expect(areEqual, "\(threads) threads")
    }
  }

  @Test("many queries give the same bits whole and in pieces")
  func pieces() {
    let sample = Sample(
      Shape(count: 200, start: 100, keyHeads: 1, group: 2, keyWidth: 20, valueWidth: 16, window: 150), seed: 4)
    let areEqual = sample.compute(threads: 2) == sample.compute(threads: 2, parts: [0..<37, 37..<101, 101..<200])
    #expect(areEqual)
  }

  @Test("spans of many, few and no queries are computed together as they are alone")
  func severalSpans() {
    let shapes = [
      Shape(count: 70, start: 3, keyHeads: 2, group: 2, keyWidth: 16, valueWidth: 8),
      Shape(count: 1, start: 90, keyHeads: 2, group: 2, keyWidth: 16, valueWidth: 8),
      Shape(count: 0, start: 9, keyHeads: 2, group: 2, keyWidth: 16, valueWidth: 8),
      Shape(count: 3, start: 40, firstKey: 11, keyHeads: 2, group: 2, keyWidth: 16, valueWidth: 8),
    ]
    let samples = shapes.enumerated().map { Sample($1, seed: UInt64($0)) }
    let outputs = shapes.map { Guarded<Float>(count: $0.count * $0.heads * $0.valueWidth, filledWith: .nan) }
    zip(samples, outputs).map { $0.span(into: $1.base) }.withUnsafeBufferPointer {
      samples[0].sums.compute($0, pool: ThreadPool(threads: 3))
    }
    for (sample, output) in zip(samples, outputs) {
      let areEqual = output.elements == sample.compute(threads: 1)
      #expect(areEqual, "\(sample.shape)")
    }
  }

  @Test("keys after a query's own do not touch it, however large they are", arguments: [3, 40])
  func laterKeys(count: Int) {
    let shape = Shape(count: count, start: 30, keyHeads: 2, group: 2, keyWidth: 16, valueWidth: 16)
    let sample = Sample(shape, seed: 8)
    let before = sample.compute(threads: 2)
    let (rowBytes, last) = (shape.keyHeads * shape.keyWidth * 4, shape.keyCount - 1)
    for i in 0..<rowBytes {  // 8.5e37 in every number of the last key and value
      sample.keys.bytes[last * rowBytes + i] = 0x7E
      sample.values.bytes[last * rowBytes + i] = 0x7E
    }
    let after = sample.compute(threads: 2)
    let rowOfSums = shape.heads * shape.valueWidth
    let earlierAreEqual = Array(before.dropLast(rowOfSums)) == Array(after.dropLast(rowOfSums))
    let lastIsEqual = Array(before.suffix(rowOfSums)) == Array(after.suffix(rowOfSums))
    #expect(earlierAreEqual && !lastIsEqual)
  }

  @Test("where a bias leaves nothing to see the sums are zeros", arguments: [1, 40])
  func nothingSeen(count: Int) {
    let shape = Shape(count: count, start: 50, keyHeads: 1, group: 1, keyWidth: 16, valueWidth: 16)
    let sample = Sample(shape, seed: 9)
    var sums = sample.sums
    sums.bias = { scores, count, _, _, _ in for i in 0..<count { scores[i] = -.infinity } }
    let y = Guarded<Float>(count: count * 16, filledWith: .nan)
    [sample.span(into: y.base)].withUnsafeBufferPointer { sums.compute($0, pool: ThreadPool(threads: 1)) }
    #expect(y.elements == [Float](repeating: 0, count: count * 16))
  }
}
