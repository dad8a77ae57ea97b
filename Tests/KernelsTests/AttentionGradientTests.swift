import Foundation
import Kernels
import Testing

/// The gradients of attention against plain loops in `Double`.
@Suite struct AttentionGradientTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    var count: Int
    var heads = 2
    var keyHeads = 2
    var keyWidth = 16
    var valueWidth = 16
    var window: Int?
    var cap: Float?
    var isBiased = false
    var testDescription: String { "\(count) × \(heads)/\(keyHeads), \(keyWidth) and \(valueWidth)" }
  }

  // One query, less than a panel, more than a block of keys, more than a run of panels; widths of no whole vectors.
  static let shapes = [
    Shape(count: 1), Shape(count: 7, heads: 4, keyHeads: 1, keyWidth: 5, valueWidth: 9, cap: 2),
    Shape(count: 33, heads: 3, keyHeads: 3, keyWidth: 20, valueWidth: 33, window: 6, isBiased: true),
    Shape(count: 130, keyWidth: 64, valueWidth: 64),
    Shape(count: 300, heads: 2, keyHeads: 1, window: 150, cap: 3, isBiased: true),
  ]

  private static func bias(_ head: Int, _ query: Int, _ key: Int) -> Float {
    0.1 * Float(head + 1) * Float(key - query) / 20
  }

  @Test("gradients are those of the plain loops, at every level", arguments: KernelLevel.available, shapes)
  func gradients(level: KernelLevel, shape: Shape) {
    level.perform {
      let (n, group) = (shape.count, shape.heads / shape.keyHeads)
      let (kw, vw) = (shape.keyWidth, shape.valueWidth)
      var numbers = Numbers(seed: 21)
      let q = numbers.floats(n * shape.heads * kw), k = numbers.floats(n * shape.keyHeads * kw)
      let v = numbers.floats(n * shape.keyHeads * vw), dy = numbers.floats(n * shape.heads * vw)
      let scale = 1 / Float(kw).squareRoot()
      var sums = AttentionKernel(
        heads: shape.heads, keyHeads: shape.keyHeads, keyWidth: kw, valueWidth: vw, scale: scale, cap: shape.cap)
      if shape.isBiased {
        sums.bias = { scores, count, head, query, first in
          for i in 0..<count { scores[i] += Self.bias(head, query, first + i) }
        }
      }

      // The plain loops.
      var dq = [Double](repeating: 0, count: q.count), dk = [Double](repeating: 0, count: k.count)
      var dv = [Double](repeating: 0, count: v.count)
      for i in 0..<n {
        for head in 0..<shape.heads {
          let keyHead = head / group
          let seen = max(0, i + 1 - (shape.window ?? n))...i
          func product(_ a: [Float], _ from: Int, _ b: [Float], _ at: Int, _ width: Int) -> Double {
            (0..<width).reduce(0) { $0 + Double(a[from + $1]) * Double(b[at + $1]) }
          }
          let (qi, yi) = ((i * shape.heads + head) * kw, (i * shape.heads + head) * vw)
          var scores: [Double] = [], slopes: [Double] = []
          for j in seen {
            var s = Double(scale) * product(q, qi, k, (j * shape.keyHeads + keyHead) * kw, kw)
            var slope = 1.0
            if let cap = shape.cap.map(Double.init) {
              slope = 1 - pow(tanh(s / cap), 2)
              s = cap * tanh(s / cap)
            }
            scores.append(s + (shape.isBiased ? Double(Self.bias(head, i, j)) : 0))
            slopes.append(slope)
          }
          let total = scores.reduce(0) { $0 + exp($1) }
          let p = scores.map { exp($0) / total }
          let dp = seen.map { product(dy, yi, v, ($0 * shape.keyHeads + keyHead) * vw, vw) }
          let mean = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
          for (index, j) in seen.enumerated() {
            let ds = Double(scale) * p[index] * (dp[index] - mean) * slopes[index]
            let (kj, vj) = ((j * shape.keyHeads + keyHead) * kw, (j * shape.keyHeads + keyHead) * vw)
            for d in 0..<kw {
              dq[qi + d] += ds * Double(k[kj + d])
              dk[kj + d] += ds * Double(q[qi + d])
            }
            for d in 0..<vw { dv[vj + d] += p[index] * Double(dy[yi + d]) }
          }
        }
      }

      for accumulates in [false, true] {
        let before: Float = accumulates ? 0.25 : .nan
        let results = [1, 3].map { threads in
          let y = Guarded([Float](repeating: 0, count: n * shape.heads * vw))
          let logSumExp = Guarded([Float](repeating: 0, count: n * shape.heads))
          let found = [q.count, k.count, v.count].map { Guarded([Float](repeating: before, count: $0)) }
          let (gq, gk, gv, gdy) = (Guarded(q), Guarded(k), Guarded(v), Guarded(dy))
          let span = AttentionKernel.Span(
            queries: gq.base, queryStride: shape.heads * kw, count: n, start: 0, mask: .causal(window: shape.window),
            keys: StoredRows(gk.base, stride: shape.keyHeads * kw),
            values: StoredRows(gv.base, stride: shape.keyHeads * vw),
            firstKey: 0, keyCount: n, outputs: y.base, outputStride: shape.heads * vw, logSumExp: logSumExp.base)
          let pool = ThreadPool(threads: threads)
          withUnsafeTemporaryAllocation(of: AttentionKernel.Span.self, capacity: 1) { spans in
            spans.initializeElement(at: 0, to: span)
            sums.compute(UnsafeBufferPointer(spans), pool: pool)
          }
          let strides = [shape.heads * kw, shape.keyHeads * kw, shape.keyHeads * vw]
          let wanted = zip(found, strides).map {
            AttentionKernel.Gradient($0.base, stride: $1, accumulates: accumulates)
          }
          withUnsafeTemporaryAllocation(of: AttentionKernel.GradientSpan.self, capacity: 1) { spans in
            spans.initializeElement(
              at: 0,
              to: AttentionKernel.GradientSpan(
                span, outputGradients: gdy.base, outputGradientStride: shape.heads * vw, queries: wanted[0],
                keys: wanted[1],
                values: wanted[2]))
            sums.computeGradients(UnsafeBufferPointer(spans), pool: pool)
          }
          return found.map(\.elements)
        }
        #expect(results[0] == results[1], "any number of threads gives the same bits")
        for (found, expected) in zip(results[0], [dq, dk, dv]) {
          // Sums of up to 600 products of numbers near 1, and an exponential within 2 last places.
          let size = max(1, expected.reduce(0) { max($0, abs($1)) })
          let worst = zip(found, expected).reduce(0.0) { max($0, abs(Double($1.0) - $1.1 - (accumulates ? 0.25 : 0))) }
          #expect(worst < 1e-5 * size)
        }
      }
    }
  }
}
