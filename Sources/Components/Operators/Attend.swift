import Kernels

/// Softmax attention of queries over the keys before them.
///
///     s = scale·q·kᵀ,  capped and biased;  p = softmax over the keys seen;  y = p·v
///
/// `q` holds `heads` queries a row and `k`, `v` hold `keyHeads` keys and values: query head h reads key head
/// h / (heads / keyHeads). A window of w keys counts the query's own. Scores, their softmax and the sums are `Float`.
/// With sinks, a learned score for each head joins the softmax, takes weight and adds no value. Where the values are
/// parts of the keys there is no `v`: the values are the first numbers of the keys of the only key head.
/// Ainslie et al., 2023, https://arxiv.org/abs/2305.13245; sinks: Agarwal et al., 2025, https://arxiv.org/abs/2508.10925.
public struct Attend: Operator {
  public let name = "attend"
  /// Queries a row.
  public let heads: Int
  /// Keys and values a row.
  public let keyHeads: Int
  /// The factor of the scores.
  public let scale: Float
  /// How many keys a query sees, its own included; nil for all before it.
  public let window: Int?
  /// The smooth limit of the scores, before the bias.
  public let softcap: Float?
  /// What positions add to the scores.
  public let bias: (any ScoreBias)?
  /// Whether the step's only tensor holds a score for each head that takes weight but adds no value.
  public let sinks: Bool
  /// Whether values are the first numbers of keys, so that only those are read and kept.
  public let valuesInKeys: Bool
  private let addBias: SoftmaxSums.Bias?

  /// Attention with these settings.
  public init(
    heads: Int, keyHeads: Int, scale: Float, window: Int?, softcap: Float?, bias: (any ScoreBias)?, sinks: Bool = false,
    valuesInKeys: Bool = false
  ) {
    precondition(heads % keyHeads == 0, "\(heads) query heads cannot share \(keyHeads) key heads evenly")
    precondition(!valuesInKeys || keyHeads == 1, "values in the keys of \(keyHeads) heads")
    self.sinks = sinks
    self.valuesInKeys = valuesInKeys
    self.heads = heads
    self.keyHeads = keyHeads
    self.scale = scale
    self.window = window
    self.softcap = softcap
    self.bias = bias
    if let bias {
      addBias = { scores, count, head, query, firstKey in
        bias.add(to: scores, count: count, head: head, query: query, firstKey: firstKey)
      }
    } else {
      addBias = nil
    }
  }

  public var detail: String {
    var words = ["\(heads) heads"]
    if keyHeads != heads { words.append("\(keyHeads) kv") }
    words.append("scale \(scale)")
    if let window { words.append("window \(window)") }
    if let softcap { words.append("cap \(softcap)") }
    if bias != nil { words.append("biased") }
    if sinks { words.append("sinks") }
    if valuesInKeys { words.append("values in keys") }
    return words.joined(separator: ", ")
  }

  /// Where a sequence's keys or values lie, and the position of the first.
  private struct Keys {
    let base: UnsafePointer<Float>
    let first: Int
    let width: Int

    func head(_ head: Int, of headWidth: Int, at position: Int) -> UnsafePointer<Float> {
      base + (position - first) * width + head * headWidth
    }
  }

  /// The positions of the keys that the query at `position` sees.
  private func keysSeen(from position: Int) -> Range<Int> {
    max(0, position + 1 - (window ?? position + 1))..<position + 1
  }

  public func forward(_ context: ForwardContext) {
    let q = context.input(0)
    let y = context.output()
    let (keyWidth, valueWidth) = (q.width / heads, y.width / heads)
    let sums = SoftmaxSums(
      heads: heads, keyHeads: keyHeads, keyWidth: keyWidth, valueWidth: valueWidth, scale: scale, window: window,
      cap: softcap, bias: addBias)
    withUnsafeTemporaryAllocation(of: SoftmaxSums.Span.self, capacity: context.sequences.count) { spans in
      for (index, sequence) in context.sequences.enumerated() {
        let keys = context.append(context.input(1), to: 0, of: index)
        let values = valuesInKeys ? keys : context.append(context.input(2), to: 1, of: index)
        let row = sequence.rows.lowerBound
        spans.initializeElement(
          at: index,
          to: SoftmaxSums.Span(
            queries: q[row], queryStride: q.width, count: sequence.rows.count, start: sequence.start,
            keys: keys.rows, values: values.rows, firstKey: keys.firstPosition, sums: y[row], sumStride: y.width))
      }
      sums.compute(UnsafeBufferPointer(spans), sinks: sinks ? context.parameter().vector : nil, pool: context.pool)
    }
  }

  /// The softmax weights of one query over the keys it sees, and after them that of the sink when there is one.
  private func weigh(
    _ q: UnsafePointer<Float>, head: Int, _ keyHead: Int, _ position: Int, _ seen: Range<Int>, _ keys: Keys,
    _ keyWidth: Int, sink: Float?, into scores: UnsafeMutablePointer<Float>
  ) {
    for (i, key) in seen.enumerated() {
      scores[i] = scale * dot(q, keys.head(keyHead, of: keyWidth, at: key), count: keyWidth)
    }
    if let cap = softcap { Components.softcap(scores, cap: cap, into: scores, count: seen.count) }
    bias?.add(to: scores, count: seen.count, head: head, query: position, firstKey: seen.lowerBound)
    if let sink { scores[seen.count] = sink }
    softmax(inPlace: scores, count: seen.count + (sink == nil ? 0 : 1))
  }

  /// With p the weights and g = dp: `dv += pᵀ·dy`, `dp = dy·vᵀ`, `ds = p ⊙ (dp − Σ p·dp)`, through the cap
  /// `ds ⊙ (1 − (s/cap)²)`, then `dq += scale·ds·k` and `dk += scale·dsᵀ·q`. A sink has dp = 0: `dsink −= p_sink·Σ p·dp`.
  ///
  /// Weights are computed again from q and k, not kept: [rows, rows] a head would outgrow everything else.
  public func backward(_ context: BackwardContext) {
    let (q, k, v) = (context.input(0), context.input(1), context.input(valuesInKeys ? 1 : 2))
    let dy = context.outputGradient()
    let (dq, dk, dv) = (context.inputGradient(0), context.inputGradient(1), context.inputGradient(valuesInKeys ? 1 : 2))
    let sinkScores = sinks ? context.parameter().vector : nil
    let dsinks = sinks ? context.parameterGradient() : nil
    let (keyWidth, valueWidth) = (q.width / heads, dy.width / heads)
    let group = heads / keyHeads
    for sequence in context.sequences {
      let first = sequence.rows.lowerBound
      let keys = Keys(base: k[first], first: sequence.start, width: k.width)
      let values = Keys(base: v[first], first: sequence.start, width: v.width)
      // A worker owns whole key heads, so that no two add to one gradient.
      context.parallel(keyHeads) { keyHeadRange, worker in
        for keyHead in keyHeadRange {
          for head in keyHead * group..<(keyHead + 1) * group {
            for row in sequence.rows {
              let position = sequence.start + row - first
              let seen = keysSeen(from: position)
              let p = worker.scratch
              let ds = worker.scratch + seen.count + 1
              let query = q[row] + head * keyWidth
              let out = dy[row] + head * valueWidth
              weigh(query, head: head, keyHead, position, seen, keys, keyWidth, sink: sinkScores?[head], into: p)
              var sum: Float = 0
              for (i, key) in seen.enumerated() {
                ds[i] = dot(out, values.head(keyHead, of: valueWidth, at: key), count: valueWidth)
                sum += p[i] * ds[i]
                if let dv {
                  let target = dv[first + key - sequence.start] + keyHead * valueWidth
                  add(out, scaledBy: p[i], to: target, count: valueWidth)
                }
              }
              if let dsinks { dsinks[head] -= p[seen.count] * sum }
              for (i, key) in seen.enumerated() {
                let vector = keys.head(keyHead, of: keyWidth, at: key)
                var slope = scale * p[i] * (ds[i] - sum)
                if let softcap {
                  // tanh(s/cap) again, for the weights alone do not tell the capped score.
                  let t = hyperbolicTangent(scale * dot(query, vector, count: keyWidth) / softcap)
                  slope *= 1 - t * t
                }
                if let dq { add(vector, scaledBy: slope, to: dq[row] + head * keyWidth, count: keyWidth) }
                if let dk {
                  add(query, scaledBy: slope, to: dk[first + key - sequence.start] + keyHead * keyWidth, count: keyWidth)
                }
              }
            }
          }
        }
      }
    }
  }

  public func flops(step: Step, context: Int) -> Int {
    let seen = min(context, window ?? context)
    return 2 * seen * (step.inputs[0].width + step.outputs[0].width) + 5 * (seen + (sinks ? 1 : 0)) * heads
  }

  public func scratch(step: Step, rows: Int, context: Int) -> Int { 2 * max(context, rows) + 1 }
}

private func hyperbolicTangent(_ x: Float) -> Float {
  withUnsafeTemporaryAllocation(of: Float.self, capacity: 1) { y in
    guard let y = y.baseAddress else { return 0 }
    y.initialize(to: x)
    hyperbolicTangents(of: y, into: y, count: 1)
    return y.pointee
  }
}
