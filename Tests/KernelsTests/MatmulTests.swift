import Formats
import Kernels
import Testing

/// y = x·wᵀ in double precision, and the size of what was summed.
private func plainProduct(_ x: [Float], stride: Int, rows: Int, _ w: SampleWeight) -> (y: [Double], sizes: [Double]) {
  let (outputs, inputs) = (w.matrix.rows, w.matrix.columns)
  var y = [Double](repeating: 0, count: rows * outputs), sizes = y
  for r in 0..<rows {
    for o in 0..<outputs {
      for i in 0..<inputs {
        let product = Double(x[r * stride + i]) * Double(w.values[o * inputs + i])
        y[r * outputs + o] += product
        sizes[r * outputs + o] += abs(product)
      }
    }
  }
  return (y, sizes)
}

private struct Shape: Sendable, CustomTestStringConvertible {
  let rows: Int, inputs: Int, outputs: Int
  var testDescription: String { "\(rows) × \(inputs) → \(outputs)" }
}

private let rowCounts = [1, 2, 3, 4, 5, 7, 12, 13, 14, 15, 27, 31, 33]

@Suite struct MatmulTests {
  private func check(
    _ shape: Shape, _ format: StorageFormat, threads: Int, bias hasBias: Bool, accumulate: Bool,
    gap: Int
  ) {
    let w = SampleWeight(format, rows: shape.outputs, columns: shape.inputs, seed: 1)
    var numbers = Numbers(seed: UInt64(shape.rows * 7 + shape.outputs))
    let xStride = shape.inputs + gap, yStride = shape.outputs + gap
    let xCount = max(0, shape.rows * xStride - gap), yCount = max(0, shape.rows * yStride - gap)
    let x = Guarded(numbers.floats(xCount)), y = Guarded(numbers.floats(yCount))
    let bias = Guarded(numbers.floats(shape.outputs))
    let before = y.elements
    let pool = ThreadPool(threads: threads)
    matmul(
      x.base, stride: xStride, rows: shape.rows, by: w.matrix,
      bias: hasBias ? UnsafePointer(bias.base) : nil, into: y.base, stride: yStride, accumulate: accumulate,
      in: .f32, pool: pool)
    var (expected, sizes) = plainProduct(x.elements, stride: xStride, rows: shape.rows, w)
    var found: [Float] = []
    for r in 0..<shape.rows {
      for o in 0..<shape.outputs {
        let at = r * shape.outputs + o
        for extra in [hasBias ? Double(bias[o]) : 0, accumulate ? Double(before[r * yStride + o]) : 0] {
          expected[at] += extra
          sizes[at] += abs(extra)
        }
        found.append(y[r * yStride + o])
      }
      for g in 0..<gap where r + 1 < shape.rows {
        let at = r * yStride + shape.outputs + g
        #expect(y[at] == before[at], "the gap after row \(r) was written")
      }
    }
    let error = worstError(found: found, expected: expected, sizes: sizes, depth: shape.inputs)
    #expect(error < 1, "\(shape.testDescription) \(format.rawValue): \(error) of the bound")
  }

  @Test("f32 products of awkward shapes equal the plain loop", arguments: KernelLevel.available)
  func awkwardShapes(level: KernelLevel) {
    level.perform {
      for rows in rowCounts {
        for inputs in [1, 2, 3, 13, 31, 33, 255] {
          for outputs in [1, 2, 3, 14, 31, 33] {
            check(
              Shape(rows: rows, inputs: inputs, outputs: outputs), .f32, threads: 1 + rows % 3,
              bias: outputs % 2 == 1, accumulate: inputs % 2 == 1, gap: rows % 4)
          }
        }
      }
    }
  }

  @Test("every format's products equal the plain loop", arguments: KernelLevel.available)
  func formats(level: KernelLevel) {
    level.perform {
      for format in StorageFormat.allCases {
        let inputs =
          format.elementsPerBlock == 1 ? [45, 530] : format.elementsPerBlock == 32 ? [32, 544] : [256, 768]
        for (index, rows) in rowCounts.enumerated() {
          check(
            Shape(rows: rows, inputs: inputs[index % 2], outputs: [5, 33, 70][index % 3]), format,
            threads: 1 + index % 2, bias: index % 4 == 1, accumulate: index % 4 == 2, gap: index % 3)
        }
      }
    }
  }

  @Test("products larger than one block of rows, panels, depth equal the plain loop", arguments: KernelLevel.available)
  func blocks(level: KernelLevel) {
    level.perform {
      check(Shape(rows: 61, inputs: 1100, outputs: 301), .f32, threads: 2, bias: true, accumulate: false, gap: 3)
      check(Shape(rows: 2100, inputs: 520, outputs: 9), .f32, threads: 3, bias: true, accumulate: true, gap: 0)
    }
  }

  @Test("empty products write nothing but the bias and what is accumulated")
  func empty() {
    check(Shape(rows: 0, inputs: 8, outputs: 8), .f32, threads: 2, bias: true, accumulate: false, gap: 0)
    check(Shape(rows: 3, inputs: 8, outputs: 0), .f32, threads: 2, bias: true, accumulate: false, gap: 2)
    check(Shape(rows: 3, inputs: 0, outputs: 8), .f32, threads: 2, bias: true, accumulate: true, gap: 0)
    check(Shape(rows: 40, inputs: 0, outputs: 8), .f32, threads: 2, bias: false, accumulate: false, gap: 0)
  }

  @Test("results do not depend on the number of threads, bit for bit", arguments: [1, 3, 40, 130])
  func deterministic(rows: Int) {
    let w = SampleWeight(.q8_0, rows: 1000, columns: 640, seed: 3)
    var numbers = Numbers(seed: 4)
    let x = numbers.floats(rows * 640)
    func product(threads: Int) -> [Float] {
      var y = [Float](repeating: 0, count: rows * 1000)
      matmul(
        x, stride: 640, rows: rows, by: w.matrix, bias: nil, into: &y, stride: 1000, accumulate: false,
        in: .stored, pool: ThreadPool(threads: threads))
      return y
    }
    let alone = product(threads: 1)
    for threads in [2, 3, 4] { #expect(product(threads: threads) == alone) }
  }

  @Test("a row gives the same within rounding whether it is alone or among many")
  func rowsAgree() {
    let w = SampleWeight(.q4_k, rows: 300, columns: 512, seed: 5)
    var numbers = Numbers(seed: 6)
    let x = numbers.floats(64 * 512)
    var all = [Float](repeating: 0, count: 64 * 300), one = [Float](repeating: 0, count: 300)
    let pool = ThreadPool(threads: 2)
    matmul(
      x, stride: 512, rows: 64, by: w.matrix, bias: nil, into: &all, stride: 300, accumulate: false, in: .f32,
      pool: pool)
    matmul(
      x, stride: 512, rows: 1, by: w.matrix, bias: nil, into: &one, stride: 300, accumulate: false, in: .f32, pool: pool
    )
    let (expected, sizes) = plainProduct(x, stride: 512, rows: 1, w)
    #expect(worstError(found: one, expected: expected, sizes: sizes, depth: 512) < 1)
    #expect(worstError(found: Array(all[..<300]), expected: expected, sizes: sizes, depth: 512) < 1)
  }
}
