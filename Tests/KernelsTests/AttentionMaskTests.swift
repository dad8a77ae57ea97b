import Foundation
import Kernels
import Testing

/// Attention with every mask, over keys of the same axis and of another, against plain loops in `Double`.
@Suite struct AttentionMaskTests {
  /// One random case.
  struct Shape: Sendable, CustomTestStringConvertible {
    var mask: AttentionMask
    var count: Int, start: Int
    var keyCount: Int, firstKey: Int
    var keyHeads: Int, group: Int, keyWidth: Int, valueWidth: Int
    var cap: Float?
    var isBiased: Bool, hasSinks: Bool

    var heads: Int { keyHeads * group }
    var testDescription: String {
      "\(mask), \(count) queries from \(start), \(keyCount) keys from \(firstKey), \(heads)/\(keyHeads) heads of "
        + "\(keyWidth), \(valueWidth), cap \(cap ?? 0)\(isBiased ? ", biased" : "")\(hasSinks ? ", sinks" : "")"
    }

    /// Which keys a query sees, said plainly.
    func sees(_ query: Int, _ key: Int) -> Bool {
      switch mask {
      case .causal(let window): key <= query && (window.map { query - key < $0 } ?? true)
      case .full(let left, let right): query - key <= (left ?? .max) && key - query <= (right ?? .max)
      case .prefix(let count): key <= query || (key < count && query < count)
      case .together(let end, let window):
        (key <= query || (key < end && query < end)) && (window.map { key > query - $0 } ?? true)
      }
    }
  }

  /// Shapes of few queries and many, of less and more than a panel of queries and a block of keys.
  private static func shape(_ numbers: inout Numbers) -> Shape {
    func any(_ count: Int) -> Int { Int(numbers.bits() % UInt64(count)) }
    func one<T>(_ values: [T]) -> T { values[any(values.count)] }
    let count = one([1, 2, 5, 16, 17, 33, 70, 130, 260])
    let start = one([0, 0, 3, 60, 300])
    var shape = Shape(
      mask: .causal(window: nil), count: count, start: start, keyCount: 0, firstKey: 0, keyHeads: 1 + any(3),
      group: one([1, 2, 3, 5]), keyWidth: one([4, 8, 20, 32]), valueWidth: one([4, 9, 16, 40]),
      cap: one([nil, nil, 3]), isBiased: any(3) == 0, hasSinks: any(4) == 0)
    switch any(8) {
    case 0: shape.mask = .causal(window: one([nil, 1, 7, 150]))
    case 1: shape.mask = .full(left: nil, right: nil)
    case 2: shape.mask = .full(left: one([0, 5, 120]), right: nil)
    case 3: shape.mask = .full(left: nil, right: one([0, 4, 113]))
    case 4: shape.mask = .full(left: one([0, 3, 90]), right: one([0, 6, 130]))
    case 5: shape.mask = .together(end: one([0, 1, 12, 64, 113, 500]), window: one([nil, 1, 7, 150]))
    default: shape.mask = .prefix(one([0, 1, 12, 64, 113, 500]))
    }
    // Half of them read the keys of another axis: as many as those have, wherever the queries stand.
    if any(2) == 0 {
      (shape.keyCount, shape.firstKey) = (one([1, 2, 40, 112, 113, 250]), one([0, 0, 2]))
    } else {
      shape.firstKey = any(start + 1)
      shape.keyCount = start + count - shape.firstKey
    }
    return shape
  }

  private static func bias(_ head: Int, _ query: Int, _ key: Int) -> Float {
    0.01 * Float(head + 1) * Float(key - query).magnitude * (key > query ? 1 : -1)
  }

  /// Inputs of one shape, and what is to be found.
  private struct Sample {
    let shape: Shape
    let q, k, v, dy: Guarded<Float>
    let sinks: [Float]
    let scale: Float

    init(_ shape: Shape, seed: UInt64) {
      var numbers = Numbers(seed: seed)
      self.shape = shape
      q = Guarded(numbers.floats(shape.count * shape.heads * shape.keyWidth))
      k = Guarded(numbers.floats(shape.keyCount * shape.keyHeads * shape.keyWidth))
      v = Guarded(numbers.floats(shape.keyCount * shape.keyHeads * shape.valueWidth))
      dy = Guarded(numbers.floats(shape.count * shape.heads * shape.valueWidth))
      sinks = numbers.floats(shape.heads)
      scale = 1 / Float(shape.keyWidth).squareRoot()
    }

    struct Results {
      var y, logSumExp, dq, dk, dv: [Double]
    }

    func plain() -> Results {
      let (kw, vw, heads) = (shape.keyWidth, shape.valueWidth, shape.heads)
      func zeros(_ count: Int) -> [Double] { [Double](repeating: 0, count: count) }
      var all = Results(
        y: zeros(dy.count), logSumExp: zeros(shape.count * heads), dq: zeros(q.count), dk: zeros(k.count),
        dv: zeros(v.count))
      for i in 0..<shape.count {
        for head in 0..<heads {
          let keyHead = head / shape.group, place = i * heads + head
          let seen = (0..<shape.keyCount).filter { shape.sees(shape.start + i, shape.firstKey + $0) }
          var scores: [Double] = [], slopes: [Double] = [], products: [Double] = []
          for j in seen {
            let (kj, vj) = ((j * shape.keyHeads + keyHead) * kw, (j * shape.keyHeads + keyHead) * vw)
            var score = 0.0, product = 0.0
            for d in 0..<kw { score += Double(q[place * kw + d]) * Double(k[kj + d]) }
            for d in 0..<vw { product += Double(dy[place * vw + d]) * Double(v[vj + d]) }
            score *= Double(scale)
            var slope = 1.0
            if let cap = shape.cap.map(Double.init) {
              slope = 1 - pow(tanh(score / cap), 2)
              score = cap * tanh(score / cap)
            }
            if shape.isBiased {
              score += Double(AttentionMaskTests.bias(head, shape.start + i, shape.firstKey + j))
            }
            scores.append(score)
            slopes.append(slope)
            products.append(product)
          }
          let total =
            scores.reduce(0) { $0 + exp($1) } + (shape.hasSinks ? exp(Double(sinks[head])) : 0)
          all.logSumExp[place] = log(total)
          if seen.isEmpty { continue }
          let weights = scores.map { exp($0) / total }
          let mean = zip(weights, products).reduce(0) { $0 + $1.0 * $1.1 }
          for (index, j) in seen.enumerated() {
            let ds = Double(scale) * weights[index] * (products[index] - mean) * slopes[index]
            let (kj, vj) = ((j * shape.keyHeads + keyHead) * kw, (j * shape.keyHeads + keyHead) * vw)
            for d in 0..<kw {
              all.dq[place * kw + d] += ds * Double(k[kj + d])
              all.dk[kj + d] += ds * Double(q[place * kw + d])
            }
            for d in 0..<vw {
              all.y[place * vw + d] += weights[index] * Double(v[vj + d])
              all.dv[vj + d] += weights[index] * Double(dy[place * vw + d])
            }
          }
        }
      }
      return all
    }

    var kernel: AttentionKernel {
      var kernel = AttentionKernel(
        heads: shape.heads, keyHeads: shape.keyHeads, keyWidth: shape.keyWidth, valueWidth: shape.valueWidth,
        scale: scale, cap: shape.cap)
      if shape.isBiased {
        kernel.bias = { scores, count, head, query, first in
          for i in 0..<count { scores[i] += AttentionMaskTests.bias(head, query, first + i) }
        }
      }
      return kernel
    }

    func span(
      mask: AttentionMask? = nil, _ y: UnsafeMutablePointer<Float>, _ logSumExp: UnsafeMutablePointer<Float>?
    ) -> AttentionKernel.Span {
      AttentionKernel.Span(
        queries: q.base, queryStride: shape.heads * shape.keyWidth, count: shape.count, start: shape.start,
        mask: mask ?? shape.mask, keys: StoredRows(k.base, stride: shape.keyHeads * shape.keyWidth),
        values: StoredRows(v.base, stride: shape.keyHeads * shape.valueWidth), firstKey: shape.firstKey,
        keyCount: shape.keyCount, outputs: y, outputStride: shape.heads * shape.valueWidth, logSumExp: logSumExp)
    }

    /// The outputs, log-sum-exps and gradients of the kernels.
    func found(mask: AttentionMask? = nil, threads: Int, accumulates: Bool = false) -> [[Float]] {
      let y = Guarded<Float>(count: dy.count, filledWith: .nan)
      let logSumExp = Guarded<Float>(count: shape.count * shape.heads, filledWith: .nan)
      let span = span(mask: mask, y.base, logSumExp.base)
      let pool = ThreadPool(threads: threads)
      [span].withUnsafeBufferPointer {
        kernel.compute($0, sinks: shape.hasSinks ? sinks : nil, pool: pool)
      }
      let gradients = [q, k, v].map { Guarded<Float>(count: $0.count, filledWith: accumulates ? 0.25 : .nan) }
      let strides = [shape.heads * shape.keyWidth, shape.keyHeads * shape.keyWidth, shape.keyHeads * shape.valueWidth]
      let wanted = zip(gradients, strides).map {
        AttentionKernel.Gradient($0.base, stride: $1, accumulates: accumulates)
      }
      let back = AttentionKernel.GradientSpan(
        span, outputGradients: dy.base, outputGradientStride: shape.heads * shape.valueWidth, queries: wanted[0],
        keys: wanted[1], values: wanted[2])
      [back].withUnsafeBufferPointer {
        kernel.computeGradients($0, sinks: shape.hasSinks ? sinks : nil, pool: pool)
      }
      return [y.elements, logSumExp.elements] + gradients.map(\.elements)
    }
  }

  @Test(
    "every mask gives the outputs and gradients of the plain loops, over own keys and another axis's",
    arguments: KernelLevel.available)
  func random(level: KernelLevel) {
    level.perform {
      var numbers = Numbers(seed: 2026)
      for index in 0..<120 {
        let shape = Self.shape(&numbers)
        let sample = Sample(shape, seed: UInt64(index))
        let accumulates = index % 3 == 0
        let found = sample.found(threads: 1 + index % 3, accumulates: accumulates)
        let plain = sample.plain()
        let expected = [plain.y, plain.logSumExp, plain.dq, plain.dk, plain.dv]
        for (part, (found, expected)) in zip(found, expected).enumerated() {
          let before = accumulates && part > 1 ? 0.25 : 0.0
          // Sums of up to 1300 products of numbers near 1, and an exponential within 2 last places.
          let size = max(1, expected.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 })
          let worst = zip(found, expected).reduce(0.0) { worst, pair in
            if pair.1 == -.infinity { return pair.0 == -.infinity ? worst : .infinity }
            let error = abs(Double(pair.0) - pair.1 - before)
            return error.isNaN ? .infinity : max(worst, error)
          }
          #expect(
            worst < 1e-5 * size,
            "\(["outputs", "log-sum-exp", "dq", "dk", "dv"][part]) of \(shape.testDescription): \(worst)")
        }
      }
    }
  }

  @Test("masks that let the same keys through give the same bits", arguments: KernelLevel.available, [3, 150])
  func equalMasks(level: KernelLevel, count: Int) {
    level.perform {
      let shape = Shape(
        mask: .causal(window: nil), count: count, start: 0, keyCount: count, firstKey: 0, keyHeads: 2, group: 2,
        keyWidth: 16, valueWidth: 24, cap: nil, isBiased: true, hasSinks: true)
      let sample = Sample(shape, seed: 5)
      let pairs: [(AttentionMask, AttentionMask)] = [
        (.causal(window: nil), .full(left: nil, right: 0)), (.causal(window: 9), .full(left: 8, right: 0)),
        (.causal(window: nil), .prefix(0)), (.causal(window: nil), .prefix(1)),
        (.full(left: nil, right: nil), .prefix(count)), (.full(left: nil, right: nil), .prefix(count + 7)),
        (.full(left: nil, right: nil), .full(left: count, right: count)),
      ]
      for (one, other) in pairs {
        let areEqual = sample.found(mask: one, threads: 2) == sample.found(mask: other, threads: 2)
        #expect(areEqual, "\(one) and \(other)")
      }
      let differ = sample.found(mask: .causal(window: nil), threads: 2) != sample.found(mask: .prefix(2), threads: 2)
      #expect(differ, "a prefix of two lets the first query see the second key")
    }
  }

  @Test("with no key to see a query gives zeros, and its gradients touch nothing", arguments: KernelLevel.available)
  func nothingSeen(level: KernelLevel) {
    level.perform {
      // No keys at all; and keys that lie far behind the window of most queries.
      for (count, keyCount, start, mask) in [
        (3, 0, 0, AttentionMask.full(left: nil, right: nil)), (60, 0, 0, .full(left: nil, right: nil)),
        (2, 5, 90, .full(left: 3, right: 3)), (90, 5, 0, .full(left: 3, right: 0)), (90, 5, 0, .causal(window: 2)),
      ] {
        let shape = Shape(
          mask: mask, count: count, start: start, keyCount: keyCount, firstKey: 0, keyHeads: 1, group: 1, keyWidth: 8,
          valueWidth: 8, cap: nil, isBiased: false, hasSinks: false)
        let found = Sample(shape, seed: 6).found(threads: 2)
        #expect(found[0].suffix(8) == [Float](repeating: 0, count: 8)[...], "\(shape.testDescription)")
        #expect(found[1].last == -.infinity)
        #expect(found[2].suffix(8).allSatisfy { $0 == 0 } && found.allSatisfy { !$0.contains { $0.isNaN } })
      }
    }
  }
}
