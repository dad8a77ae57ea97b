import Formats
import Kernels
import Testing

/// Levels on which a row's sums do not depend on how many rows there are.
@Suite struct AlikeRowsTests {
  @Test(
    "a row is the same to the last bit alone and among up to 64, in every format",
    arguments: KernelLevel.available, [ComputeType.stored, .f32, .bf16])
  func alike(level: KernelLevel, type: ComputeType) {
    let pool = ThreadPool(threads: 3)
    level.alike.perform {
      for format in StorageFormat.allCases {
        // Outputs and depths with and without a rest.
        let columns = format.elementsPerBlock * (format.elementsPerBlock == 1 ? 197 : 3)
        for outputs in [3, 70] {
          let w = SampleWeight(format, rows: outputs, columns: columns, seed: 3)
          defer { withExtendedLifetime(w) {} }
          var numbers = Numbers(seed: 4)
          let x = Guarded(numbers.floats(mostRowsAlike * columns)), bias = Guarded(numbers.floats(outputs))
          func product(from first: Int, rows: Int) -> [Float] {
            let y = Guarded([Float](repeating: .nan, count: rows * outputs))
            matmul(
              x.base + first * columns, stride: columns, rows: rows, by: w.matrix, bias: bias.base, into: y.base,
              stride: outputs, accumulate: false, in: type, pool: pool)
            return y.elements
          }
          let alone = (0..<mostRowsAlike).flatMap { product(from: $0, rows: 1) }
          for rows in [2, 3, 4, 5, 6, 7, 8, 11, 13, 16, 17, 29, 32, 64] {
            #expect(
              product(from: 0, rows: rows) == Array(alone.prefix(rows * outputs)),
              "\(format.rawValue), \(rows) rows, \(outputs) outputs")
          }
        }
      }
    }
  }

  @Test(
    "a row of plain numbers in f32 is the same alone and among a few on every level", arguments: KernelLevel.available)
  func plain(level: KernelLevel) {
    let pool = ThreadPool(threads: 2), columns = 1100, outputs = 53
    level.perform {
      for format in [StorageFormat.f32, .f16, .bf16] {
        let w = SampleWeight(format, rows: outputs, columns: columns, seed: 5)
        defer { withExtendedLifetime(w) {} }
        var numbers = Numbers(seed: 6)
        let x = numbers.floats(12 * columns)
        func product(rows: Int) -> [Float] {
          let y = Guarded([Float](repeating: .nan, count: rows * outputs))
          matmul(
            x, stride: columns, rows: rows, by: w.matrix, bias: nil, into: y.base, stride: outputs, accumulate: false,
            in: .f32, pool: pool)
          return y.elements
        }
        let all = product(rows: 12)
        for rows in 1...11 {
          #expect(product(rows: rows) == Array(all.prefix(rows * outputs)), "\(format.rawValue), \(rows)")
        }
      }
    }
  }
}
