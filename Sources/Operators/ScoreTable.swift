import Essentials
import Kernels
import Plans

/// Learned numbers that are added to attention scores, one for each head and kind of distance between query and key.
///
///     s(q, k)_h += W[row(k − q), h]        W: [rows, heads]
///
/// The distances from −`reach` to `reach` have rows of their own; beyond, those of the ends. The careful reader's mistake: what
/// is added is not scaled with the scores.
public struct ScoreTable: Sendable, Hashable {
  /// The word that stands for it in listings: `relative`.
  public let name: String
  /// What it is set to: everything that decides which distance has which row.
  public let attributes: [Attribute]
  /// Rows of the table.
  public let rows: Int
  /// The row of each distance from −reach to reach.
  let rowOfDistance: [Int32]

  /// The table `name` of `rows` rows, of which `row` says for each distance from −`reach` to `reach` the one that is added.
  public init(
    name: String, attributes: [Attribute], rows: Int, reach: Int, row: (_ distance: Int) -> Int
  ) {
    precondition(reach >= 0, "a reach of \(reach)")
    self.name = name
    self.attributes = attributes
    self.rows = rows
    rowOfDistance = (-reach...reach).map { distance in
      let row = row(distance)
      precondition((0..<rows).contains(row), "row \(row) of \(rows) for the distance \(distance)")
      return Int32(truncatingIfNeeded: row)
    }
  }

  /// The row for a key `distance` positions after the query.
  public func row(_ distance: Int) -> Int {
    let reach = rowOfDistance.count / 2
    return Int(rowOfDistance[min(max(distance, -reach), reach) + reach])
  }

  /// What is added to the scores of `query` with `key` by `table`, `[heads, tokens, keys]`, in PyTorch; nil where distances do not
  /// share rows as a formula says: one for each up to half of them, then by their logarithm up to `reach`.
  func pytorch(_ call: inout PyTorchCall, _ table: PyTorchExpression) -> PyTorchExpression? {
    let reach = rowOfDistance.count / 2
    let isTwoSided = row(reach) != row(0)
    let count = isTwoSided ? rows / 2 : rows
    let exact = count / 2
    guard exact > 0, reach > exact else { return nil }
    func bucket(_ distance: Int) -> Int {
      let start = isTwoSided && distance > 0 ? count : 0
      let n = isTwoSided ? abs(distance) : max(0, -distance)
      if n < exact { return start + n }
      let part = log(Float(n) / Float(exact)) / Float(log(Double(reach) / Double(exact))) * Float(count - exact)
      return start + min(exact + Int(part), count - 1)
    }
    guard (-reach...reach).allSatisfy({ bucket($0) == row($0) }) else { return nil }
    call.imports("math")
    call.define(
      "relative_bias",
      """
      def relative_bias(query, key, table):
          \"""table[bucket(key − query)], [heads, tokens, keys]: distances share buckets, the wider the farther.\"""
          n = \(isTwoSided ? "(query - key).abs()" : "(query - key).clamp(min=0)")
          far = torch.log(n.clamp(min=1).float() / \(exact)) / math.log(\(reach) / \(exact))
          far = \(exact) + (far * \(count - exact)).long()
          bucket = torch.where(n < \(exact), n, far.clamp(max=\(count - 1)))\(isTwoSided ? "\n    bucket = bucket + \(count) * (key > query)" : "")
          return table[bucket].permute(2, 0, 1)
      """)
    return .call("relative_bias", ["query", "key", table])
  }

  public static func == (a: ScoreTable, b: ScoreTable) -> Bool { a.name == b.name && a.attributes == b.attributes }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(attributes)
  }
}

extension Attend {
  /// What is added to scores, the table's numbers at `weights` included: [rows, heads].
  func bias(_ table: ScoreTable, _ weights: UnsafePointer<Float>) -> AttentionKernel.Bias {
    // Read by workers while the pass lasts, and written by none.
    nonisolated(unsafe) let weights = weights
    let (heads, bias) = (heads, bias)
    return { scores, count, head, query, firstKey in
      bias?.add(to: scores, count: count, head: head, query: query, firstKey: firstKey)
      for i in 0..<count { scores[i] += weights[table.row(firstKey + i - query) * heads + head] }
    }
  }

  /// With ds = p ⊙ (dp − D) for each query, key and head: `dW[row(k − q), h] += ds`. Scores are computed a second time, for
  /// none is saved; each head by one worker, so that no sums meet.
  func addTableGradients(_ context: BackwardContext, _ table: ScoreTable, tensor: Int) {
    guard let dTable = context.parameterGradient(tensor) else { return }
    let (q, k, v) = (context.input(0), context.input(1), context.input(valuesInKeys != nil ? 1 : 2))
    let (y, dy, logSumExp) = (context.output(), context.outputGradient(), context.saved())
    let keySpans = context.batch(ofInput: 1).sequences
    let added = self.bias(table, context.parameter(tensor).vector)
    let (keyWidth, valueWidth, share) = (q.width / heads, y.width / heads, heads / keyHeads)
    if !context.addsToParameterGradient(tensor) { dTable.update(repeating: 0, count: table.rows * heads) }
    context.parallel(heads) { own, _ in
      for head in own {
        for (index, sequence) in context.sequences.enumerated() {
          let keys = keySpans[index]
          for (offset, row) in sequence.rows.enumerated() {
            let query = sequence.start + offset
            let d = dot(dy[row] + head * valueWidth, y[row] + head * valueWidth, count: valueWidth)
            for (place, keyRow) in keys.rows.enumerated() {
              let key = keys.start + place
              guard sees(query, key, sequence) else { continue }
              let keyBase = k[keyRow] + head / share * keyWidth
              var score = scale * dot(q[row] + head * keyWidth, keyBase, count: keyWidth)
              if let softcap { score = softcap * tanh(score / softcap) }
              added(&score, 1, head, query, key)
              let valueBase = v[keyRow] + head / share * (valuesInKeys != nil ? keyWidth : valueWidth)
              let dp = dot(dy[row] + head * valueWidth, valueBase, count: valueWidth)
              dTable[table.row(key - query) * heads + head] += exp(score - logSumExp[row][head]) * (dp - d)
            }
          }
        }
      }
    }
  }

  /// Whether the query at one position sees the key at another.
  private func sees(_ query: Int, _ key: Int, _ sequence: SequenceSpan) -> Bool {
    switch mask {
    case .causal, .image: key <= query && query - key < window ?? Int.max
    case .full: key >= query ? key - query <= windowAfter ?? Int.max : query - key <= window ?? Int.max
    case .prefix: key <= query || max(query, key) < sequence.prefix
    }
  }
}
