import Essentials
import Kernels
import Plans

extension Attend {
  /// The largest attention logit: scale·q·k over the keys that each query sees.
  ///
  ///     max over h, i, j seen by i of scale·q(i,h)·k(j,h)
  ///
  /// Before the cap and before what positions add, for it is what grows without bound where attention becomes unstable:
  /// Dehghani et al., 2023, https://arxiv.org/abs/2302.05442. A key whose bias is −∞ is not seen.
  public func largestScore(_ context: ForwardContext) -> Float? {
    guard context.pass.states.isEmpty else { return nil }
    let (q, k) = (context.input(0), context.input(1))
    let keySpans = context.batch(ofInput: 1).sequences
    let width = q.width / heads
    let chosen = choice.map { _ in context.input(choiceInput) }
    var largest: Float?
    var bias = [Float](repeating: 0, count: k.count)
    for (index, sequence) in context.sequences.enumerated() {
      let keys = keySpans[index]
      let parts = windowRows(of: sequence)
      for row in sequence.rows {
        let query = sequence.start + row - sequence.rows.lowerBound
        for head in 0..<heads {
          let q = q[row] + head * width
          let keyHead = head / (heads / keyHeads) * width
          if let own = self.bias {
            for place in 0..<keys.rows.count { bias[place] = 0 }
            bias.withUnsafeMutableBufferPointer { scores in
              guard let base = scores.baseAddress else { return }
              let seen = mask == .causal ? min(keys.rows.count, query - keys.start + 1) : keys.rows.count
              own.add(to: base, count: max(0, seen), head: head, query: query, firstKey: keys.start)
            }
          }
          for (place, keyRow) in keys.rows.enumerated() where sees(keys.start + place, from: query, sequence) {
            if bias[place] == -.infinity { continue }
            if let canvas, !canvas.shows(keys.start + place, to: query, ofCanvas: sequence.canvas) { continue }
            if windows != nil, !parts.contains(where: { $0.contains(row) && $0.contains(keyRow) }) { continue }
            if let choice, let chosen,
              !choice.shows(keys.start + place, to: head, of: heads, in: chosen[row], width: chosen.width)
            {
              continue
            }
            let score = scale * dot(q, k[keyRow] + keyHead, count: width)
            if score > largest ?? -.infinity { largest = score }
          }
        }
      }
    }
    return largest
  }

  /// Whether the query at position `query` sees the key at `key`.
  private func sees(_ key: Int, from query: Int, _ sequence: SequenceSpan) -> Bool {
    switch mask {
    // Where scores are looked at, no picture is there.
    case .causal, .image: key <= query && (window.map { key > query - $0 } ?? true)
    case .full: (window.map { key >= query - $0 } ?? true) && (windowAfter.map { key <= query + $0 } ?? true)
    case .prefix: key <= query || (query < sequence.prefix && key < sequence.prefix)
    }
  }
}
