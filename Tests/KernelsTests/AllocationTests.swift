import Formats
import Kernels
import Testing

/// "A pass allocates nothing": what it calls here does not.
@Suite(.serialized, .enabled(if: AllocationCounter.isAvailable)) struct AllocationTests {
  @Test("the counter counts: an array is an object")
  func counts() {
    let objects = AllocationCounter.objects {
      withExtendedLifetime([Int](unsafeUninitializedCapacity: 100) { $1 = Int.random(in: 1...100) }) {}
    }
    #expect(objects > 0)
  }

  @Test("matrix multiplications allocate no object, in any compute type", arguments: [1, 3])
  func matmuls(threads: Int) {
    let pool = ThreadPool(threads: threads)
    for type in ComputeType.allCases {
      for format in [StorageFormat.f32, .bf16, .q8_0, .q4_k] {
        for rows in [1, 5, 40] {
          let w = SampleWeight(format, rows: 300, columns: 512, seed: 1)
          var numbers = Numbers(seed: 2)
          let x = Guarded(numbers.floats(rows * 512)), dy = Guarded(numbers.floats(rows * 300))
          let y = Guarded<Float>(count: rows * 300, filledWith: 0),
            dx = Guarded<Float>(count: rows * 512, filledWith: 0)
          let dw = Guarded<Float>(count: 300 * 512, filledWith: 0)
          let all = [
            Matmul(by: w.matrix, bias: nil, into: y.base, stride: 300),
            Matmul(by: w.matrix, bias: nil, into: y.base, stride: 300),
          ]
          func pass() {
            all.withUnsafeBufferPointer {
              matmul(x.base, stride: 512, rows: rows, by: $0, accumulate: false, pool: pool)
            }
            matmulTransposed(dy.base, rows: rows, by: w.matrix, into: dx.base, accumulate: false, pool: pool)
            matmulOuter(
              dy.base, outputs: 300, x.base, inputs: 512, rows: rows, into: dw.base, accumulate: false, pool: pool)
          }
          type.perform {
            pass()  // the pool's memory grows once
            let objects = AllocationCounter.objects { pass() }
            #expect(objects == 0, "\(type.rawValue), \(format.rawValue), \(rows) rows")
          }
        }
      }
    }
  }

  @Test("attention allocates no object, forward and backward", arguments: [1, 3])
  func attention(threads: Int) {
    let pool = ThreadPool(threads: threads)
    for count in [1, 60] {
      var numbers = Numbers(seed: 3)
      let q = Guarded(numbers.floats(count * 64)), k = Guarded(numbers.floats(count * 32))
      let v = Guarded(numbers.floats(count * 32)), dy = Guarded(numbers.floats(count * 64))
      let y = Guarded<Float>(count: count * 64, filledWith: 0), sums = Guarded<Float>(count: count * 4, filledWith: 0)
      let dq = Guarded<Float>(count: count * 64, filledWith: 0), dk = Guarded<Float>(count: count * 32, filledWith: 0)
      let dv = Guarded<Float>(count: count * 32, filledWith: 0)
      let kernel = AttentionKernel(
        heads: 4, keyHeads: 2, keyWidth: 16, valueWidth: 16, scale: 0.25, cap: 5,
        bias: { scores, count, _, query, first in for i in 0..<count { scores[i] += Float(first + i - query) } })
      let span = AttentionKernel.Span(
        queries: q.base, queryStride: 64, count: count, start: 0, mask: .full(left: 40, right: nil),
        keys: StoredRows(k.base, stride: 32), values: StoredRows(v.base, stride: 32), firstKey: 0, keyCount: count,
        outputs: y.base, outputStride: 64, logSumExp: sums.base)
      let back = AttentionKernel.GradientSpan(
        span, outputGradients: dy.base, outputGradientStride: 64,
        queries: .init(dq.base, stride: 64, accumulates: false), keys: .init(dk.base, stride: 32, accumulates: false),
        values: .init(dv.base, stride: 32, accumulates: false))
      func pass() {
        withUnsafePointer(to: span) {
          kernel.compute(UnsafeBufferPointer(start: $0, count: 1), pool: pool)
        }
        withUnsafePointer(to: back) {
          kernel.computeGradients(UnsafeBufferPointer(start: $0, count: 1), pool: pool)
        }
      }
      pass()
      let objects = AllocationCounter.objects { pass() }
      #expect(objects == 0, "\(count) queries")
    }
  }
}
