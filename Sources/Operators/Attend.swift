import Foundation
import Kernels
import Plans

/// Softmax attention of queries over the keys before them.
///
///     s = scale·q·kᵀ,  capped and biased;  p = softmax over the keys seen;  y = p·v
///
/// `q` holds `heads` queries a row and `k`, `v` hold `keyHeads` keys and values: query head h reads key head
/// h / (heads / keyHeads). A window of w keys counts the query's own. Scores, their softmax and the sums are `Float`.
/// With sinks, a learned score for each head joins the softmax, takes weight and adds no value. Where the values are
/// parts of the keys there is no `v`: the values are the first numbers of the keys of the only key head.
/// Ainslie et al., 2023, https://arxiv.org/abs/2305.13245; sinks: Agarwal et al., 2025, https://arxiv.org/abs/2508.10925.
public struct Attend: Kernel {
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
  /// How many first elements of a key are the value, so that only keys are read and cached; nil where values are their
  /// own.
  public let valuesInKeys: Int?
  private let addBias: SoftmaxSums.Bias?

  /// Attention with these settings.
  public init(
    heads: Int, keyHeads: Int, scale: Float, window: Int?, softcap: Float?, bias: (any ScoreBias)?, sinks: Bool = false,
    valuesInKeys: Int? = nil
  ) {
    precondition(heads % keyHeads == 0, "\(heads) query heads cannot share \(keyHeads) key heads evenly")
    precondition(valuesInKeys == nil || keyHeads == 1, "values in the keys of \(keyHeads) heads")
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

  public var attributes: [Attribute] {
    [
      Attribute("heads", heads), Attribute("key_heads", keyHeads, plain: heads), Attribute("scale", scale),
      Attribute("window", window), Attribute("softcap", softcap),
      Attribute("bias", bias.map { Attribute.Value.group($0.name, $0.attributes) }),
      Attribute("sinks", sinks, plain: false), Attribute("value_dim_in_keys", valuesInKeys),
    ]
  }

  /// Backward reads the logarithms of the softmax's denominators, which forward saves.
  public var traits: OperatorTraits {
    OperatorTraits(backwardReadsOutputs: true, savedWidths: [heads], assignsGradients: true)
  }

  public func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    [inputs[0].with(width: heads * (valuesInKeys ?? inputs[2].width / keyHeads))]
  }

  private func sums(_ q: Rows, _ y: Rows) -> SoftmaxSums {
    SoftmaxSums(
      heads: heads, keyHeads: keyHeads, keyWidth: q.width / heads, valueWidth: y.width / heads, scale: scale,
      window: window, cap: softcap, bias: addBias)
  }

  public func forward(_ context: ForwardContext) {
    let q = context.input(0)
    let y = context.output()
    let sums = sums(context.input(0), y.rows)
    let logarithms = context.saved()
    withUnsafeTemporaryAllocation(of: SoftmaxSums.Span.self, capacity: context.sequences.count) { spans in
      for (index, sequence) in context.sequences.enumerated() {
        let keys = context.append(context.input(1), to: 0, of: index)
        let values = valuesInKeys != nil ? keys : context.append(context.input(2), to: 1, of: index)
        let row = sequence.rows.lowerBound
        spans.initializeElement(
          at: index,
          to: SoftmaxSums.Span(
            queries: q[row], queryStride: q.width, count: sequence.rows.count, start: sequence.start,
            keys: keys.rows, values: values.rows, firstKey: keys.firstPosition, sums: y[row], sumStride: y.width,
            logarithms: logarithms?[row]))
      }
      sums.compute(UnsafeBufferPointer(spans), sinks: sinks ? context.parameter().vector : nil, pool: context.pool)
    }
  }

  /// With p the weights and D = Σ dy ⊙ y: `dv += pᵀ·dy`, `dp = dy·vᵀ`, `ds = p ⊙ (dp − D)`, through the cap
  /// `ds ⊙ (1 − (s/cap)²)`, then `dq += scale·ds·k` and `dk += scale·dsᵀ·q`. A sink has dp = 0: `dsink −= p_sink·D`.
  ///
  /// Weights are computed again from q, k and the kept logarithms: [rows, rows] a head would outgrow everything else.
  public func backward(_ context: BackwardContext) {
    let (q, k, v) = (context.input(0), context.input(1), context.input(valuesInKeys != nil ? 1 : 2))
    let (y, dy, logarithms) = (context.output(), context.outputGradient(), context.saved())
    func gradient(_ index: Int, _ row: Int) -> SoftmaxSums.Gradient? {
      context.inputGradient(index).map { rows in
        SoftmaxSums.Gradient(rows[row], stride: rows.width, accumulates: context.addsToInputGradient(index))
      }
    }
    /// The values' part is added to what the keys get.
    func gradientInKeys(_ row: Int) -> SoftmaxSums.Gradient? {
      context.inputGradient(1).map { SoftmaxSums.Gradient($0[row], stride: $0.width, accumulates: true) }
    }
    withUnsafeTemporaryAllocation(of: SoftmaxSums.GradientSpan.self, capacity: context.sequences.count) { spans in
      for (index, sequence) in context.sequences.enumerated() {
        let row = sequence.rows.lowerBound
        let span = SoftmaxSums.Span(
          queries: q[row], queryStride: q.width, count: sequence.rows.count, start: sequence.start,
          keys: StoredRows(k[row], stride: k.width), values: StoredRows(v[row], stride: v.width),
          firstKey: sequence.start,
          // Read alone on the way back.
          sums: UnsafeMutablePointer(mutating: y[row]), sumStride: y.width,
          logarithms: UnsafeMutablePointer(mutating: logarithms[row]))
        spans.initializeElement(
          at: index,
          to: SoftmaxSums.GradientSpan(
            span, outputs: dy[row], outputStride: dy.width, queries: gradient(0, row), keys: gradient(1, row),
            values: valuesInKeys != nil ? gradientInKeys(row) : gradient(2, row)))
      }
      sums(q, y).computeGradients(
        UnsafeBufferPointer(spans), sinks: sinks ? context.parameter().vector : nil, pool: context.pool)
    }
    if sinks { addSinkGradients(context, y, dy, logarithms) }
  }

  private func addSinkGradients(_ context: BackwardContext, _ y: Rows, _ dy: Rows, _ logarithms: Rows) {
    guard let dsinks = context.parameterGradient() else { return }
    let sinks = context.parameter().vector
    let valueWidth = y.width / heads
    let adding = context.addsToParameterGradient()
    context.parallel(heads) { own, _ in
      for head in own {
        var sum: Float = 0
        for row in 0..<y.count {
          let product = dot(dy[row] + head * valueWidth, y[row] + head * valueWidth, count: valueWidth)
          sum += exp(sinks[head] - logarithms[row][head]) * product
        }
        dsinks[head] = (adding ? dsinks[head] : 0) - sum
      }
    }
  }

  public func flops(step: Step, context: Int) -> Int {
    let seen = min(context, window ?? context)
    return 2 * seen * (step.inputs[0].width + step.outputs[0].width) + 5 * (seen + (sinks ? 1 : 0)) * heads
  }
}
