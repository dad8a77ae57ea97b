import Formats
import Kernels
import Testing

/// Products in the arithmetic of the stored format, against f32 and against what the roundings should give.
@Suite struct ComputeTypeTests {
  private let rowCounts = [1, 2, 3, 5, 6, 7, 8, 12, 13, 14, 15, 20, 21, 29, 43]

  private func product(
    _ type: ComputeType, _ x: [Float], rows: Int, by w: SampleWeight, threads: Int = 2, bias: [Float]? = nil,
    onto before: [Float]? = nil
  ) -> [Float] {
    defer { withExtendedLifetime(w) {} }
    let x = Guarded(x), y = Guarded(before ?? [Float](repeating: .nan, count: rows * w.matrix.rows))
    matmul(
      x.base, stride: w.matrix.columns, rows: rows, by: w.matrix, bias: bias, into: y.base, stride: w.matrix.rows,
      accumulate: before != nil, in: type, pool: ThreadPool(threads: threads))
    return y.elements
  }

  /// |a − b| / |b| in relative L2.
  private func distance(_ a: [Float], _ b: [Float]) -> Double {
    let difference = zip(a, b).reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
    return (difference / b.reduce(0) { $0 + Double($1) * Double($1) }).squareRoot()
  }

  @Test(
    "x that int8 holds exactly gives the f32 product within rounding, in every quantised format and shape",
    arguments: KernelLevel.available)
  func exactInputs(level: KernelLevel) {
    level.perform {
      for format in StorageFormat.allCases where format.elementsPerBlock > 1 {
        let unit = format.elementsPerBlock
        for (index, rows) in rowCounts.enumerated() {
          let columns = unit * [1, 2, 3, 5, 9][index % 5], outputs = [1, 5, 31, 33, 70, 16][index % 6]
          let w = SampleWeight(format, rows: outputs, columns: columns, seed: UInt64(index))
          var numbers = Numbers(seed: 11)
          // Integers with a 127 in each block of 32: the block's worth is then 1 and nothing is rounded.
          let x = (0..<rows * columns).map { $0 % 32 == 7 ? Float(127) : (numbers.next() * 126).rounded() }
          let bias = index % 2 == 0 ? numbers.floats(outputs) : nil
          let before = index % 3 == 0 ? numbers.floats(rows * outputs) : nil
          let found = product(.stored, x, rows: rows, by: w, bias: bias, onto: before)
          var worst = 0.0
          for r in 0..<rows {
            for o in 0..<outputs {
              var sum = Double(bias?[o] ?? 0) + Double(before?[r * outputs + o] ?? 0), size = abs(sum)
              for i in 0..<columns {
                let one = Double(x[r * columns + i]) * Double(w.values[o * columns + i])
                // The parts of d·u + m are larger than their sum; rounding is of the parts.
                (sum, size) = (sum + one, size + abs(one) + 127 * 0.02)
              }
              worst = max(worst, abs(Double(found[r * outputs + o]) - sum) / size)
            }
          }
          #expect(worst < 4e-6, "\(format.rawValue) \(rows) × \(columns) → \(outputs)")
        }
      }
    }
  }

  @Test("bf16 inputs give the f32 product within rounding, in every shape", arguments: KernelLevel.available)
  func exactHalves(level: KernelLevel) {
    level.perform {
      for (index, rows) in rowCounts.enumerated() {
        for columns in [1, 2, 31, 33, 64, 129] {
          let outputs = [1, 5, 31, 33, 70, 16][index % 6]
          let w = SampleWeight(.bf16, rows: outputs, columns: columns, seed: UInt64(index))
          var numbers = Numbers(seed: 12)
          let x = (0..<rows * columns).map { _ in (numbers.next() * 127).rounded() }
          let bias = numbers.floats(outputs), before = numbers.floats(rows * outputs)
          let found = product(.stored, x, rows: rows, by: w, bias: bias, onto: before)
          let exact = product(.f32, x, rows: rows, by: w, bias: bias, onto: before)
          let worst = zip(found, exact).map { abs($0 - $1) }.max() ?? 0
          #expect(worst < 127 * Float(columns + 8) * 0x1p-23, "\(rows) × \(columns) → \(outputs)")
        }
      }
    }
  }

  @Test("random products differ from f32 by what the documentation says", arguments: KernelLevel.available)
  func stated(level: KernelLevel) {
    level.perform {
      for format in StorageFormat.allCases {
        let w = SampleWeight(format, rows: 96, columns: 2304, seed: 21)
        var numbers = Numbers(seed: 22)
        let x = numbers.floats(40 * 2304)
        for rows in [1, 8, 40] {
          let exact = product(.f32, x, rows: rows, by: w)
          let found = product(.stored, x, rows: rows, by: w)
          let limit = format.elementsPerBlock > 1 ? 0.01 : format == .bf16 ? 0.003 : 0
          let distance = distance(found, exact)
          #expect(distance <= limit, "\(format.rawValue), \(rows) rows: \(distance)")
        }
      }
    }
  }

  @Test(
    "results in stored arithmetic do not depend on the number of threads, bit for bit",
    arguments: KernelLevel.available, [1, 5, 40, 130])
  func deterministic(level: KernelLevel, rows: Int) {
    level.perform {
      for format in [StorageFormat.q8_0, .q4_k, .bf16] {
        let w = SampleWeight(format, rows: 1000, columns: 768, seed: 3)
        var numbers = Numbers(seed: 4)
        let x = numbers.floats(rows * 768)
        let alone = product(.stored, x, rows: rows, by: w, threads: 1)
        for threads in [2, 3, 4] {
          #expect(product(.stored, x, rows: rows, by: w, threads: threads) == alone)
        }
      }
    }
  }

  @Test(
    "a few rows give the same bits in whatever company they come, but for the number from which they are packed",
    arguments: KernelLevel.available)
  func company(level: KernelLevel) {
    level.perform {
      for format in [StorageFormat.q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .bf16] where narrows(format) {
        let w = SampleWeight(format, rows: 77, columns: 416, seed: 13)
        var numbers = Numbers(seed: 14)
        let x = numbers.floats(16 * 416)
        let products = (2...16).map { rows in product(.stored, Array(x[..<(rows * 416)]), rows: rows, by: w) }
        let changes = zip(products, products.dropFirst()).filter { fewer, more in fewer != Array(more[..<fewer.count]) }
        #expect(changes.count <= 1, "\(format.rawValue)")
      }
    }
  }

  /// Whether this level has instructions for the format, so that its arithmetic is another than f32's.
  private func narrows(_ format: StorageFormat) -> Bool {
    let level = KernelLevel.current.name
    return format == .bf16 ? level == "avx512-bf16" : !["portable", "neon"].contains(level)
  }

  @Test("depths beyond one block of the product are summed whole", arguments: KernelLevel.available)
  func deep(level: KernelLevel) {
    level.perform {
      for format in [StorageFormat.q8_0, .q4_1, .q6_k, .bf16] {
        let w = SampleWeight(format, rows: 40, columns: 5632, seed: 31)
        var numbers = Numbers(seed: 32)
        let x = numbers.floats(33 * 5632)
        #expect(distance(product(.stored, x, rows: 33, by: w), product(.f32, x, rows: 33, by: w)) < 0.01)
      }
    }
  }

  /// What a product in bf16 should be: both sides rounded to nearest even, all else in Double.
  private func rounded(_ x: Float) -> Double {
    let bits = x.bitPattern
    return Double(Float(bitPattern: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) & 0xFFFF_0000))
  }

  @Test(
    "bf16 rounds both sides of products and of their gradients, and nothing else, with or without instructions for it",
    arguments: KernelLevel.available, [StorageFormat.f32, .bf16])
  func rounding(level: KernelLevel, format: StorageFormat) {
    level.perform {
      do {
        let pool = ThreadPool(threads: 2)
        // More rows than are computed by dots, which stay in f32 for weights in f32.
        for (rows, outputs, inputs) in [(20, 40, 33), (31, 255, 65), (90, 33, 1100), (600, 47, 48)] {
          var numbers = Numbers(seed: 31)
          let w = SampleWeight(format, rows: outputs, columns: inputs, seed: 9)
          let x = Guarded(numbers.floats(rows * inputs)), dy = Guarded(numbers.floats(rows * outputs))
          let y = Guarded(numbers.floats(rows * outputs)), dx = Guarded(numbers.floats(rows * inputs))
          let dw = Guarded(numbers.floats(outputs * inputs))
          let before = [y.elements, dx.elements, dw.elements]
          matmul(
            x.base, stride: inputs, rows: rows, by: w.matrix, bias: nil, into: y.base, stride: outputs,
            accumulate: true,
            in: .bf16, pool: pool)
          matmulTransposed(dy.base, rows: rows, by: w.matrix, into: dx.base, accumulate: true, in: .bf16, pool: pool)
          matmulOuter(
            dy.base, outputs: outputs, x.base, inputs: inputs, rows: rows, into: dw.base, accumulate: true, in: .bf16,
            pool: pool)
          let (rx, rdy, rw) = (x.elements.map(rounded), dy.elements.map(rounded), w.values.map(rounded))
          func compare(
            _ found: [Float], _ before: [Float], _ m: Int, _ n: Int, depth: Int, _ term: (Int, Int, Int) -> Double
          ) {
            var expected = before.map(Double.init), sizes = expected.map(abs)
            for i in 0..<m {
              for j in 0..<n {
                for k in 0..<depth {
                  let product = term(i, j, k)
                  expected[i * n + j] += product
                  sizes[i * n + j] += abs(product)
                }
              }
            }
            let error = worstError(found: found, expected: expected, sizes: sizes, depth: depth)
            #expect(error < 1, "\(rows) × \(outputs) × \(inputs): \(error) of the bound")
          }
          compare(y.elements, before[0], rows, outputs, depth: inputs) { rx[$0 * inputs + $2] * rw[$1 * inputs + $2] }
          compare(dx.elements, before[1], rows, inputs, depth: outputs) {
            rdy[$0 * outputs + $2] * rw[$2 * inputs + $1]
          }
          compare(dw.elements, before[2], outputs, inputs, depth: rows) {
            rdy[$2 * outputs + $0] * rx[$2 * inputs + $1]
          }
        }
      }
    }
  }

  @Test(
    "bf16 is rounded for bf16 weights and few rows, too, and ends in other bits than f32",
    arguments: KernelLevel.available)
  func roundingOfFewRows(level: KernelLevel) {
    level.perform {
      for rows in [1, 2, 5, 16, 17, 40] {
        let w = SampleWeight(.bf16, rows: 37, columns: 130, seed: 51)
        var numbers = Numbers(seed: 52)
        let x = numbers.floats(rows * 130)
        let found = product(.bf16, x, rows: rows, by: w)
        #expect(found != product(.f32, x, rows: rows, by: w))
        // x that is rounded already loses nothing more: what is left between the two is the order of sums.
        let already = x.map { Float(rounded($0)) }
        let expected = product(.f32, already, rows: rows, by: w)
        let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
        #expect(worst < 130 * 0x1p-23, "\(rows) rows")
      }
      let w = SampleWeight(.f32, rows: 37, columns: 130, seed: 53)
      var numbers = Numbers(seed: 54)
      let x = numbers.floats(40 * 130)
      #expect(product(.bf16, x, rows: 40, by: w) != product(.f32, x, rows: 40, by: w))
    }
  }

  @Test(
    "stored arithmetic rounds nothing where the level has no instructions for the format",
    arguments: KernelLevel.available)
  func storedWithoutInstructions(level: KernelLevel) {
    level.perform {
      for format in StorageFormat.allCases where format.elementsPerBlock == 1 ? !narrows(.bf16) : !narrows(.q8_0) {
        let w = SampleWeight(format, rows: 37, columns: 512, seed: 61)
        var numbers = Numbers(seed: 62)
        for rows in [1, 5, 40] {
          let x = numbers.floats(rows * 512)
          #expect(product(.stored, x, rows: rows, by: w) == product(.f32, x, rows: rows, by: w))
        }
      }
    }
  }

  @Test("NaN and infinity stay what they are when both sides are rounded", arguments: KernelLevel.available)
  func roundedExtremes(level: KernelLevel) {
    level.perform {
      let w = SampleWeight(.f32, rows: 3, columns: 34, seed: 71)
      for value in [Float.nan, .infinity, -.infinity] {
        var x = [Float](repeating: 1, count: 20 * 34)
        x[34 + 7] = value
        let y = product(.bf16, x, rows: 20, by: w)
        #expect(y[3..<6].allSatisfy { !$0.isFinite } && y[..<3].allSatisfy(\.isFinite))
      }
    }
  }
}
