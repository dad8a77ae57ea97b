import Components
import Kernels

/// As many rows as there are learned queries, each a mixture of what a stack gives and of the queries themselves.
///
///     s = c·norm(x)·Wᵀ + b;   y = softmax(scale·(L·Wqᵀ)·((s, L)·Wkᵀ)ᵀ)·((s, L)·Wvᵀ)·Woᵀ        L: [count, the text's width]
///
/// Peng et al., 2023 (Kosmos-2), https://arxiv.org/abs/2306.14824; a single layer of the resampler of Alayrac et al., 2022,
/// https://arxiv.org/abs/2204.14198. The stack's own norm stands before it, unless the last block ends in one; `norm` and the factor c
/// behind that, with which rows are of length 1 (`{type: rmsnorm, weight: false, eps: 0}` and `inverse_sqrt_hidden`). The matrices of
/// queries, keys and values are those of the text's width, with biases. The careful reader's mistake: queries are keys and values too.
/// There are at most as many queries as the stack has rows.
///
/// Examples: `{count: 16, num_heads: 2}` `{count: 13, num_heads: 4, norm: {type: rmsnorm, weight: false}, scale: inverse_sqrt_hidden}`
///
/// Known as: resampler, latent_query, perceiver `output: {type: latent_queries, count: 64, num_heads: 32}`
public struct LatentQueries: Output {
  public static let name = "latent_queries"

  let count: Int
  let heads: Int
  let norm: (any Normalization)?
  let scale: Double
  let place: Place?

  public init(_ options: Options) {
    count = options.requiredInteger("count", in: 1...65536, "the learned queries, each of which becomes a row")
    heads = options.requiredInteger("num_heads", in: 1...65536, "the heads, which divide the width of the text")
    norm = options.component("norm", default: "none", slot: .norm, "a norm behind the stack's own")
    scale = options.number(
      "scale", default: 1, words: ["inverse_sqrt_hidden": 1 / Double(options.shape.hiddenSize).squareRoot()],
      "a factor behind that")
    place = options.place
  }

  public func write(
    _ hidden: [Value], norm component: any Normalization, normIsDue: Bool, into plan: inout PlanBuilder
  ) -> Value {
    var x = hidden[hidden.count - 1]
    if normIsDue { x = component.write(x, named: "final_norm", over: .row, into: &plan) }
    let (width, rows) = (plan.textShape.hiddenSize, plan.shape.contextLength)
    if width % heads != 0 {
      plan.fail("the text's width \(width) does not divide into \(heads) heads", at: place)
      return x
    }
    if rows < count {
      plan.fail(
        "the stack has \(rows) rows, and \(count) queries are more", at: place,
        hint: "'context_length' of the stack is the number of its rows")
      return x
    }
    let axis = plan.axis(from: x.axis, dropping: rows - count, joining: 1)
    return plan.within("project") { plan in
      let normed = norm?.write(x, named: "norm", over: .row, into: &plan) ?? x
      let states = plan.linear(plan.scale(normed, by: scale), to: width, named: "in", bias: true)
      let table = plan.parameter("queries.weight", shape: [count, width], starts: .normal(1))
      let latent = plan.apply(LearnedRows(axis: axis), to: [], parameters: [table])[0]
      let q = plan.linear(latent, to: width, named: "q", bias: true)
      let own = (
        k: plan.linear(latent, to: width, named: "k", bias: true),
        v: plan.linear(latent, to: width, named: "v", bias: true)
      )
      let given = (
        k: plan.linear(states, to: width, named: "k", bias: true),
        v: plan.linear(states, to: width, named: "v", bias: true)
      )
      let attend = AttendBoth(heads: heads, scale: 1 / Float(width / heads).squareRoot(), keys: rows + count)
      let mixed = plan.apply(attend, to: q, given.k, given.v, own.k, own.v)
      return plan.linear(mixed, to: width, named: "out", bias: true)
    }
  }
}

/// The rows of a table, for every sequence of an axis that has as many.
///
///     y[i] = W[i]        W: [count, width]
struct LearnedRows: Kernel {
  let name = "learned rows"
  let axis: RowAxis

  var attributes: [Attribute] { [Attribute("axis", axis.index)] }
  var traits: OperatorTraits { OperatorTraits(backwardReadsInputs: .none) }
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    [ValueShape(width: parameters[0][1], axis: axis)]
  }

  func forward(_ context: ForwardContext) {
    let (table, y) = (context.parameter().matrix, context.output())
    for sequence in context.sequences {
      for (index, row) in sequence.rows.enumerated() {
        widen(table.format, table.base + (sequence.start + index) * table.rowBytes, count: y.width, into: y[row])
      }
    }
  }

  /// `dW[i] += dy[i]`.
  func backward(_ context: BackwardContext) {
    guard let dw = context.parameterGradient() else { return }
    let dy = context.outputGradient()
    for sequence in context.sequences {
      for (index, row) in sequence.rows.enumerated() {
        add(dy[row], scaledBy: 1, to: dw + (sequence.start + index) * dy.width, count: dy.width)
      }
    }
  }

  func flops(step: Step, context: Int) -> Int { 0 }
}

/// Softmax attention over the rows of another axis and, behind them, over those of the queries' own.
///
///     p = softmax(scale·q·(k₁, k₂)ᵀ);   y = p·(v₁, v₂)        inputs q, k₁, v₁, k₂, v₂: of q's axis but k₁ and v₁
struct AttendBoth: Kernel {
  let name = "attend both"
  let heads: Int
  let scale: Float
  /// How many keys there are at most.
  let keys: Int

  var attributes: [Attribute] { [Attribute("heads", heads), Attribute("scale", scale), Attribute("keys", keys)] }
  var lengthUse: LengthUse { .whole }

  func forward(_ context: ForwardContext) {
    let (q, y) = (context.input(0), context.output())
    let (firstKeys, firstValues) = (context.input(1), context.input(2))
    let (lastKeys, lastValues) = (context.input(3), context.input(4))
    let width = q.width / heads
    let given = context.batch(ofInput: 1).sequences
    for (index, sequence) in context.sequences.enumerated() {
      let others = given[index].rows
      context.parallel(sequence.rows.count, grain: 1) { own, worker in
        let weights = worker.scratch
        for offset in own {
          let row = sequence.rows.lowerBound + offset
          for at in stride(from: 0, to: q.width, by: width) {
            let count = Self.weigh(
              q[row] + at, scale, width, firstKeys, others, lastKeys, sequence.rows, at: at, into: weights)
            let sum = y[row] + at
            sum.update(repeating: 0, count: width)
            for key in 0..<count {
              let (part, place) = Self.place(of: key, others, sequence.rows)
              let value = part == 0 ? firstValues[place] : lastValues[place]
              add(value + at, scaledBy: weights[key], to: sum, count: width)
            }
          }
        }
      }
    }
  }

  /// `dv += p·dy`, `ds = p ⊙ (dy·v − Σ p·(dy·v))`, `dq += scale·ds·k`, `dk += scale·ds·q`; the weights p are computed again.
  func backward(_ context: BackwardContext) {
    let q = context.input(0)
    let (keys, values) = ([context.input(1), context.input(3)], [context.input(2), context.input(4)])
    let dy = context.outputGradient()
    let dq = context.inputGradient(0)
    let (dk, dv) = (
      [context.inputGradient(1), context.inputGradient(3)], [context.inputGradient(2), context.inputGradient(4)]
    )
    let width = q.width / heads
    let given = context.batch(ofInput: 1).sequences
    for (index, sequence) in context.sequences.enumerated() {
      let others = given[index].rows
      let weights = context.pass.scratch
      let slopes = weights + others.count + sequence.rows.count
      for row in sequence.rows {
        for at in stride(from: 0, to: q.width, by: width) {
          let count = Self.weigh(
            q[row] + at, scale, width, keys[0], others, keys[1], sequence.rows, at: at, into: weights)
          var mean: Float = 0
          for key in 0..<count {
            let (part, place) = Self.place(of: key, others, sequence.rows)
            slopes[key] = dot(dy[row] + at, values[part][place] + at, count: width)
            mean += weights[key] * slopes[key]
          }
          for key in 0..<count {
            let (part, place) = Self.place(of: key, others, sequence.rows)
            let slope = scale * weights[key] * (slopes[key] - mean)
            if let dv = dv[part] { add(dy[row] + at, scaledBy: weights[key], to: dv[place] + at, count: width) }
            if let dk = dk[part] { add(q[row] + at, scaledBy: slope, to: dk[place] + at, count: width) }
            if let dq { add(keys[part][place] + at, scaledBy: slope, to: dq[row] + at, count: width) }
          }
        }
      }
    }
  }

  /// Which part the key `key` is of, the given or the queries' own, and its row.
  private static func place(of key: Int, _ others: Range<Int>, _ own: Range<Int>) -> (part: Int, row: Int) {
    key < others.count ? (0, others.lowerBound + key) : (1, own.lowerBound + key - others.count)
  }

  /// The weights of all keys for the query `q` of one head, and how many they are.
  private static func weigh(
    _ q: UnsafePointer<Float>, _ scale: Float, _ width: Int, _ given: Rows, _ others: Range<Int>, _ last: Rows,
    _ own: Range<Int>, at: Int, into weights: UnsafeMutablePointer<Float>
  ) -> Int {
    let count = others.count + own.count
    for key in 0..<count {
      let (part, place) = place(of: key, others, own)
      weights[key] = scale * dot(q, (part == 0 ? given[place] : last[place]) + at, count: width)
    }
    softmax(inPlace: weights, count: count)
    return count
  }

  /// The weights of keys, and their slopes.
  func scratch(step: Step, rows: Int, context: Int) -> Int { 2 * max(keys, 2 * rows) }

  func flops(step: Step, context: Int) -> Int { 4 * keys * step.outputs[0].width }
}
