import Kernels
import Testing

/// The products of one thread, and one token of a decaying sum, against the same sums in Double.
@Suite struct SmallMatmulTests {
  static let sizes = [(1, 1, 1), (3, 5, 7), (14, 32, 16), (17, 33, 9), (64, 6, 64), (5, 64, 128)]

  @Test("products of parts that stand or are transposed", arguments: KernelLevel.available)
  func products(_ level: KernelLevel) {
    for (rows, columns, depth) in Self.sizes {
      for transposed in [(false, false), (false, true), (true, false), (true, true)] {
        var numbers = Numbers(seed: UInt64(rows * 1000 + columns))
        // Rows lie 3 numbers apart from each other, and memory ends with the last number.
        let (leftShape, rightShape) = (
          transposed.0 ? (depth, rows) : (rows, depth), transposed.1 ? (columns, depth) : (depth, columns)
        )
        let left = Guarded(numbers.floats((leftShape.0 - 1) * (leftShape.1 + 3) + leftShape.1))
        let right = Guarded(numbers.floats((rightShape.0 - 1) * (rightShape.1 + 3) + rightShape.1))
        let start = numbers.floats(rows * columns)
        let y = Guarded(start)
        let scratch = Guarded<Float>(
          count: smallMatmulScratch(rows: rows, columns: columns, depth: depth), filledWith: .nan)
        for accumulate in [true, false] {
          level.perform {
            smallMatmul(
              MatrixPart(left.base, stride: leftShape.1 + 3, transposed: transposed.0),
              MatrixPart(right.base, stride: rightShape.1 + 3, transposed: transposed.1), rows: rows, columns: columns,
              depth: depth,
              into: y.base, stride: columns, accumulate: accumulate, scratch: scratch.base)
          }
          var expected: [Double] = [], sizes: [Double] = []
          for row in 0..<rows {
            for column in 0..<columns {
              var (sum, size) = accumulate ? (Double(start[row * columns + column]), 1.0) : (0, 0)
              for k in 0..<depth {
                let a = left[transposed.0 ? k * (rows + 3) + row : row * (depth + 3) + k]
                let b = right[transposed.1 ? column * (depth + 3) + k : k * (columns + 3) + column]
                sum += Double(a) * Double(b)
                size += abs(Double(a) * Double(b))
              }
              expected.append(sum)
              sizes.append(size)
            }
          }
          #expect(
            worstError(found: y.elements, expected: expected, sizes: sizes, depth: depth) <= 1,
            "\(rows) \(columns) \(depth) \(transposed)")
        }
      }
    }
  }

  @Test("a state fades, takes a token in and is read", arguments: KernelLevel.available)
  func decay(_ level: KernelLevel) {
    for (keys, values) in [(1, 1), (3, 5), (6, 16), (7, 63), (16, 64), (2, 147)] {
      var numbers = Numbers(seed: UInt64(keys * values))
      let (q, k, v) = (Guarded(numbers.floats(keys)), Guarded(numbers.floats(keys)), Guarded(numbers.floats(values)))
      let before = numbers.floats(keys * values)
      let (state, y) = (Guarded(before), Guarded<Float>(count: values, filledWith: .nan))
      level.perform {
        gatedLinearRecurrenceStep(
          0.75, query: q.base, key: k.base, value: v.base, keys: keys, values: values, state: state.base, into: y.base)
      }
      for p in 0..<values {
        var (sum, size) = (0.0, 0.0)
        for n in 0..<keys {
          let number = 0.75 * Double(before[n * values + p]) + Double(k[n]) * Double(v[p])
          // Two roundings of numbers up to 2.
          #expect(abs(Double(state[n * values + p]) - number) < 4e-7)
          sum += Double(q[n]) * number
          size += abs(Double(q[n]) * number)
        }
        #expect(abs(Double(y[p]) - sum) < 1e-6 * (size + 1))
      }
    }
  }
}
