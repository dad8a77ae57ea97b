import Formats
import Kernels
import Testing

@Suite struct MatmulGradientTests {
  @Test("dx += dy·w equals the plain loop, for every format", arguments: KernelLevel.available)
  func transposed(level: KernelLevel) {
    level.perform {
      for format in StorageFormat.allCases {
        let inputs = format.elementsPerBlock == 1 ? 77 : format.elementsPerBlock == 32 ? 96 : 512
        for (rows, outputs) in [(1, 1), (1, 40), (3, 13), (15, 33), (31, 255), (40, 530)] {
          let w = SampleWeight(format, rows: outputs, columns: inputs, seed: 9)
          var numbers = Numbers(seed: 10)
          let dy = Guarded(numbers.floats(rows * outputs)), dx = Guarded(numbers.floats(rows * inputs))
          let before = dx.elements
          var expected = before.map(Double.init), sizes = expected.map(abs)
          matmulTransposed(
            dy.base, rows: rows, by: w.matrix, into: dx.base, accumulate: true, in: .stored,
            pool: ThreadPool(threads: 2))
          for r in 0..<rows {
            for o in 0..<outputs {
              for i in 0..<inputs {
                let product = Double(dy[r * outputs + o]) * Double(w.values[o * inputs + i])
                expected[r * inputs + i] += product
                sizes[r * inputs + i] += abs(product)
              }
            }
          }
          let error = worstError(found: dx.elements, expected: expected, sizes: sizes, depth: outputs)
          #expect(error < 1, "\(format.rawValue) \(rows) × \(outputs): \(error) of the bound")
        }
      }
    }
  }

  @Test("dw += dyᵀ·x equals the plain loop", arguments: KernelLevel.available)
  func outerProducts(level: KernelLevel) {
    level.perform {
      for (rows, outputs, inputs) in [
        (1, 1, 1), (1, 33, 7), (2, 3, 31), (13, 14, 15), (600, 31, 33), (33, 255, 65), (0, 3, 3),
      ] {
        var numbers = Numbers(seed: 11)
        let dy = Guarded(numbers.floats(rows * outputs)), x = Guarded(numbers.floats(rows * inputs))
        let dw = Guarded(numbers.floats(outputs * inputs))
        var expected = dw.elements.map(Double.init), sizes = expected.map(abs)
        matmulOuter(
          dy.base, outputs: outputs, x.base, inputs: inputs, rows: rows, into: dw.base, accumulate: true,
          in: .stored, pool: ThreadPool(threads: 3))
        for r in 0..<rows {
          for o in 0..<outputs {
            for i in 0..<inputs {
              let product = Double(dy[r * outputs + o]) * Double(x[r * inputs + i])
              expected[o * inputs + i] += product
              sizes[o * inputs + i] += abs(product)
            }
          }
        }
        let error = worstError(found: dw.elements, expected: expected, sizes: sizes, depth: rows)
        #expect(error < 1, "\(rows) × \(outputs) × \(inputs): \(error) of the bound")
      }
    }
  }

  @Test("without accumulating, what was there does not matter", arguments: KernelLevel.available)
  func assigning(level: KernelLevel) {
    level.perform {
      let pool = ThreadPool(threads: 2)
      for (rows, outputs, inputs) in [(1, 33, 7), (13, 14, 15), (600, 31, 33), (33, 255, 65), (0, 3, 3)] {
        var numbers = Numbers(seed: 12)
        let dy = Guarded(numbers.floats(rows * outputs)), x = Guarded(numbers.floats(rows * inputs))
        let w = SampleWeight(.f32, rows: outputs, columns: inputs, seed: 9)
        let results = [Float(0), .nan].map { before in
          let dw = Guarded([Float](repeating: before, count: outputs * inputs))
          let dx = Guarded([Float](repeating: before, count: rows * inputs))
          let db = Guarded([Float](repeating: before, count: outputs))
          let adding = !before.isNaN
          matmulOuter(
            dy.base, outputs: outputs, x.base, inputs: inputs, rows: rows, into: dw.base, accumulate: adding,
            in: .stored, pool: pool
          )
          matmulTransposed(
            dy.base, rows: rows, by: w.matrix, into: dx.base, accumulate: adding, in: .stored, pool: pool)
          sumRows(dy.base, rows: rows, columns: outputs, into: db.base, accumulate: adding, pool: pool)
          return [dw.elements, dx.elements, db.elements]
        }
        #expect(results[0] == results[1], "\(rows) × \(outputs) × \(inputs)")
        let sums = (0..<outputs).map { o in (0..<rows).reduce(0) { $0 + Double(dy[$1 * outputs + o]) } }
        // Each addition rounds by half a last place of a sum that is at most the number of rows.
        for (found, expected) in zip(results[0][2], sums) {
          #expect(abs(Double(found) - expected) <= Double(rows * rows) * 6e-8 + 1e-12)
        }
      }
    }
  }
}
