import Essentials
import Kernels

extension LinearAttend {
  /// The rows of one sequence in chunks, and the matrix multiplications that one worker makes of a chunk and a head.
  struct Chunks {
    let settings: LinearAttend
    let rows: Range<Int>
    let (q, k, v): (Rows, Rows, Rows)
    let g: Rows?
    /// Numbers of a key, and of a value.
    let (keys, values): (Int, Int)
    private let longest: Int

    init(_ settings: LinearAttend, _ rows: Range<Int>, q: Rows, k: Rows, v: Rows, g: Rows?) {
      self.settings = settings
      self.rows = rows
      (self.q, self.k, self.v, self.g) = (q, k, v, g)
      (keys, values) = (q.width / settings.keyHeads, v.width / settings.heads)
      longest = min(settings.chunk, rows.count)
    }

    /// How many chunks there are.
    var count: Int { (rows.count + settings.chunk - 1) / settings.chunk }
    /// Numbers of a head's state.
    var stateWidth: Int { keys * values }

    func rows(of chunk: Int) -> Range<Int> {
      let first = rows.lowerBound + chunk * settings.chunk
      return first..<min(first + settings.chunk, rows.upperBound)
    }

    /// Where the key of `head` stands in a row of keys.
    func keyOffset(_ head: Int) -> Int { head / (settings.heads / settings.keyHeads) * keys }

    /// A worker's memory, cut up.
    struct Memory {
      /// Sums of logarithms, in Double: what is small between two large sums still counts.
      let sums: UnsafeMutablePointer<Double>
      let factors, scores, weights, faded: UnsafeMutablePointer<Float>
      /// For backward: two like `scores`, one like `faded`, two like `factors`.
      let slopes, total, projected, early, late: UnsafeMutablePointer<Float>
      let packed: UnsafeMutablePointer<Float>

      init(_ scratch: UnsafeMutablePointer<Float>, longest n: Int, keys: Int) {
        var next = scratch
        func take(_ count: Int) -> UnsafeMutablePointer<Float> {
          defer { next += (count + 15) / 16 * 16 }
          return next
        }
        sums = UnsafeMutableRawPointer(take(2 * n)).bindMemory(to: Double.self, capacity: n)
        (factors, scores, weights, faded) = (take(n), take(n * n), take(n * n), take(n * keys))
        (slopes, total, projected, early, late) = (take(n * n), take(n * n), take(n * keys), take(n), take(n))
        packed = next
      }
    }

    /// The numbers of a worker's memory; enough for backward.
    static func scratch(chunk n: Int, keys: Int, values: Int) -> Int {
      let widest = max(n, keys, values)
      let shapes = [(n, n), (n, keys), (n, values), (keys, values)].flatMap { [($0.0, $0.1), ($0.1, $0.0)] }
      let packed = shapes.map { smallMatmulScratch(rows: $0.0, columns: $0.1, depth: widest) }.max() ?? 0
      let own = 4 * (n * n + 16) + 2 * (n * keys + 16) + 5 * (n + 16)
      // Whole cache lines, so that the memory of every worker begins at one.
      return (max(own + packed, keys * values) + 15) / 16 * 16
    }

    func memory(_ scratch: UnsafeMutablePointer<Float>) -> Memory { Memory(scratch, longest: longest, keys: keys) }

    /// The state before `chunk`: among `states` after the first, which has the cached state, or nothing.
    func state(
      before chunk: Int, _ head: Int, first: UnsafeMutablePointer<Float>?, in states: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float>? {
      if chunk == 0 { return first.map { UnsafePointer($0 + head * stateWidth) } }
      return UnsafePointer(states + ((chunk - 1) * settings.heads + head) * stateWidth)
    }

    /// Computes the states of `head` before every chunk but the first, one after the other.
    func findStates(
      of head: Int, from first: UnsafeMutablePointer<Float>?, into states: UnsafeMutablePointer<Float>,
      _ scratch: UnsafeMutablePointer<Float>
    ) {
      for chunk in 0..<count - 1 {
        let before = state(before: chunk, head, first: first, in: states)
        advance(chunk, head, from: before, into: states + (chunk * settings.heads + head) * stateWidth, scratch)
      }
    }

    /// The state after `chunk` from that before it: `exp(c_n)·S + Σ exp(c_n − c_s)·k_s·v_sᵀ`. Both may be the same memory.
    func advance(
      _ chunk: Int, _ head: Int, from before: UnsafePointer<Float>?, into after: UnsafeMutablePointer<Float>,
      _ scratch: UnsafeMutablePointer<Float>
    ) {
      let (rows, memory) = (rows(of: chunk), memory(scratch))
      let last = accumulate(rows, head, into: memory.sums)
      fade(rows, head, until: last, memory)
      if let before {
        multiply(before, by: Float(exp(last)), into: after, count: stateWidth, accumulate: false)
      } else {
        after.update(repeating: 0, count: stateWidth)
      }
      smallMatmul(
        MatrixPart(memory.faded, stride: keys, transposed: true),
        MatrixPart(v[rows.lowerBound] + head * values, stride: v.width), rows: keys, columns: values, depth: rows.count,
        into: after, stride: values, accumulate: true, scratch: memory.packed)
    }

    /// c: the sums of the decays' logarithms from the chunk's first token on; answers the last.
    func accumulate(_ rows: Range<Int>, _ head: Int, into sums: UnsafeMutablePointer<Double>) -> Double {
      var sum = 0.0
      for (offset, row) in rows.enumerated() {
        sum += Double(settings.logarithm(g, row, head))
        sums[offset] = sum
      }
      return sum
    }

    /// The keys, each times exp(c_n − c_s), which it leaves in `factors`.
    func fade(_ rows: Range<Int>, _ head: Int, until last: Double, _ memory: Memory) {
      for offset in 0..<rows.count { memory.factors[offset] = Float(last - memory.sums[offset]) }
      exponentials(of: memory.factors, into: memory.factors, count: rows.count)
      scaleRows(k, rows, keyOffset(head), memory)
    }

    /// The queries, each times exp(c_t), which it leaves in `factors`.
    func fadeQueries(_ rows: Range<Int>, _ head: Int, _ memory: Memory) {
      for offset in 0..<rows.count { memory.factors[offset] = Float(memory.sums[offset]) }
      exponentials(of: memory.factors, into: memory.factors, count: rows.count)
      scaleRows(q, rows, keyOffset(head), memory)
    }

    private func scaleRows(_ x: Rows, _ rows: Range<Int>, _ at: Int, _ memory: Memory) {
      for (offset, row) in rows.enumerated() {
        multiply(
          x[row] + at, by: memory.factors[offset], into: memory.faded + offset * keys, count: keys, accumulate: false)
      }
    }

    /// q·kᵀ of a chunk, for all heads that share the keys of `head`.
    func multiplyKeys(_ rows: Range<Int>, _ head: Int, _ memory: Memory) {
      let (n, at) = (rows.count, keyOffset(head))
      smallMatmul(
        MatrixPart(q[rows.lowerBound] + at, stride: q.width),
        MatrixPart(k[rows.lowerBound] + at, stride: k.width, transposed: true),
        rows: n, columns: n, depth: keys, into: memory.scores, stride: n, accumulate: false, scratch: memory.packed)
    }

    /// `weights = exp(c_t − c_s) ⊙ x` for s ≤ t, and zero for later keys.
    func weigh(
      _ x: UnsafePointer<Float>, _ n: Int, _ memory: Memory, into weights: UnsafeMutablePointer<Float>
    ) {
      for t in 0..<n {
        let own = weights + t * n
        for s in 0...t { own[s] = Float(memory.sums[t] - memory.sums[s]) }
        exponentials(of: own, into: own, count: t + 1)
        multiply(own, with: x + t * n, into: own, count: t + 1, accumulate: false)
        (own + t + 1).update(repeating: 0, count: n - t - 1)
      }
    }

    /// The results of `chunk` and `head`; with `again`, the scores are still there.
    func attend(
      _ chunk: Int, _ head: Int, before: UnsafePointer<Float>?, _ y: MutableRows, again: Bool,
      _ scratch: UnsafeMutablePointer<Float>
    ) {
      let (rows, memory) = (rows(of: chunk), memory(scratch))
      let (n, at) = (rows.count, head * values)
      if !again { multiplyKeys(rows, head, memory) }
      _ = accumulate(rows, head, into: memory.sums)
      weigh(memory.scores, n, memory, into: memory.weights)
      smallMatmul(
        MatrixPart(memory.weights, stride: n), MatrixPart(v[rows.lowerBound] + at, stride: v.width), rows: n,
        columns: values,
        depth: n, into: y[rows.lowerBound] + at, stride: y.width, accumulate: false, scratch: memory.packed)
      guard let before else { return }
      fadeQueries(rows, head, memory)
      smallMatmul(
        MatrixPart(memory.faded, stride: keys), MatrixPart(before, stride: values), rows: n, columns: values,
        depth: keys,
        into: y[rows.lowerBound] + at, stride: y.width, accumulate: true, scratch: memory.packed)
    }
  }
}
