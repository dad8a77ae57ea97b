import Essentials
import Kernels
import Plans

/// Softmax attention of queries over the keys that a mask lets them see.
///
///     s = scale·q·kᵀ,  capped and biased, by positions or by a learned table;  p = softmax over the keys seen;  y = p·v
///
/// `q` holds `heads` queries a row and `k`, `v` hold `keyHeads` keys and values: query head h reads key head
/// h / (heads / keyHeads). Keys and values may stand on another axis than the queries: cross-attention, where positions have
/// nothing to do with each other and the mask is full. A causal window of w keys counts the query's own. Scores, their softmax and the sums are `Float`.
/// With sinks, a learned score for each head joins the softmax, takes weight and adds no value. Where the values are
/// parts of the keys there is no `v`: the values are the first numbers of the keys of the only key head. With a `choice` the
/// step's last input names the keys that a query sees, of those that the mask shows; who is chosen has no gradient.
/// With `windows` the rows are a picture's patches in the order of its windows, each of which is attended to by itself.
/// Ainslie et al., 2023, https://arxiv.org/abs/2305.13245; sinks: Agarwal et al., 2025, https://arxiv.org/abs/2508.10925.
public struct Attend: Kernel {
  /// Which keys a query sees.
  public enum Mask: String, Sendable, Hashable, CaseIterable {
    /// Those up to its own position.
    case causal
    /// All.
    case full
    /// The first positions of a sequence, as many as its span says, see each other; all others are causal.
    case prefix
    /// Those up to its own position, and all tokens of the picture that its own is one of.
    case image
  }

  public let name = "attend"
  /// Which keys a query sees.
  public let mask: Mask
  /// Queries a row.
  public let heads: Int
  /// Keys and values a row.
  public let keyHeads: Int
  /// The factor of the scores.
  public let scale: Float
  /// How many keys a query sees under a causal mask, its own included, and under a full one before its own; nil for all.
  public let window: Int?
  /// How many keys after its own a query sees under a full mask; nil for all.
  public let windowAfter: Int?
  /// The smooth limit of the scores, before the bias.
  public let softcap: Float?
  /// What positions add to the scores.
  public let bias: (any ScoreBias)?
  /// What a learned table of the step's last tensor adds to the scores.
  public let table: ScoreTable?
  /// Whether the step's first tensor holds a score for each head that takes weight but adds no value.
  public let sinks: Bool
  /// How many first elements of a key are the value, so that only keys are read and cached; nil where values are their
  /// own.
  public let valuesInKeys: Int?
  /// How the step's last input names the keys that each query sees alone; nil where there is no such input.
  public let choice: KeyChoice?
  /// The windows of a picture in whose order its rows stand; nil where all of them see each other.
  public let windows: PatchWindows?
  /// The tiles of a picture that its rows are: what fills a tile up, and tiles that are absent, see none of their like. Rows on no canvas see
  /// each other.
  public let canvas: CanvasTiles?
  private let addBias: AttentionKernel.Bias?

  /// Attention with these settings.
  public init(
    mask: Mask = .causal, heads: Int, keyHeads: Int, scale: Float, window: Int?, windowAfter: Int? = nil,
    softcap: Float?, bias: (any ScoreBias)?, table: ScoreTable? = nil, sinks: Bool = false, valuesInKeys: Int? = nil,
    choice: KeyChoice? = nil, windows: PatchWindows? = nil, canvas: CanvasTiles? = nil
  ) {
    self.table = table
    self.choice = choice
    self.windows = windows
    self.canvas = canvas
    precondition(canvas == nil || (mask == .full && windows == nil), "tiles of a picture under a \(mask.rawValue) mask")
    precondition(
      windows == nil || (mask == .full && window == nil && windowAfter == nil),
      "windows of a picture under a \(mask.rawValue) mask")
    precondition(mask == .full || windowAfter == nil, "a window after the query under a \(mask.rawValue) mask")
    precondition(mask != .prefix || window == nil, "a window under a prefix mask")
    self.mask = mask
    self.windowAfter = windowAfter
    precondition(heads % keyHeads == 0, "\(heads) query heads cannot share \(keyHeads) key heads evenly")
    precondition(valuesInKeys == nil || keyHeads == 1, "values in the keys of \(keyHeads) heads")
    precondition(
      choice.map { heads % $0.groups == 0 && mask == .causal } ?? true,
      "chosen keys of \(heads) heads, \(mask.rawValue)")
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
      Attribute("mask", mask.rawValue, plain: Mask.causal.rawValue), Attribute("heads", heads),
      Attribute("key_heads", keyHeads, plain: heads), Attribute("scale", scale), Attribute("window", window),
      Attribute("window_after", windowAfter), Attribute("softcap", softcap),
      Attribute("bias", bias.map { Attribute.Value.group($0.name, $0.attributes) }),
      Attribute("table", table.map { Attribute.Value.group($0.name, $0.attributes) }),
      Attribute("sinks", sinks, plain: false), Attribute("value_dim_in_keys", valuesInKeys),
      Attribute("choice", choice.map { Attribute.Value.group("keys", $0.attributes) }),
      Attribute("canvas", canvas.map { Attribute.Value.group("tiles", $0.attributes) }),
      Attribute("windows", windows.map { Attribute.Value.group("squares", $0.attributes) }),
    ]
  }

  /// Backward reads the log-sum-exp of each query's scores, which forward saves.
  public var traits: OperatorTraits {
    OperatorTraits(backwardReadsOutputs: true, savedWidths: [heads], assignsGradients: true)
  }

  public var lengthUse: LengthUse { mask == .full ? .whole : .none }
  public var together: TokensTogether {
    switch mask {
    case .prefix: .prompt
    case .image: .picture
    case .causal, .full: .none
    }
  }

  public func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    [inputs[0].with(width: heads * (valuesInKeys ?? inputs[2].width / keyHeads))]
  }

  /// A bias goes by positions: refused where keys stand on another axis, and where the mask shows keys that it has none for.
  public func fault(_ inputs: [ValueShape]) -> String? {
    if windows != nil, bias != nil || table != nil { return "adds a bias by positions within windows of a picture" }
    if windows != nil, inputs.contains(where: { $0.axis != inputs[0].axis }) {
      return "has keys on another axis for the windows of a picture"
    }
    if table != nil, inputs.count > 1, inputs[1].axis != inputs[0].axis {
      return "adds a table, which goes by distances, to scores of keys on another axis"
    }
    guard let bias else { return nil }
    if bias.keys == .none {
      return "adds the bias '\(bias.name)', which is learned: its mixer must ask for the position's 'scoreTable'"
    }
    if inputs.count > 1, inputs[1].axis != inputs[0].axis {
      return "adds the bias '\(bias.name)', which goes by positions, to scores of keys on another axis"
    }
    if mask != .causal, bias.keys == .upToQuery {
      return "adds the bias '\(bias.name)', which is for keys up to the query's own, under a \(mask.rawValue) mask"
    }
    return nil
  }

  private func kernel(
    _ q: Rows, _ y: Rows, _ context: some StepContext, chosen: Rows? = nil, of sequence: SequenceSpan? = nil
  ) -> AttentionKernel {
    var added = addBias
    if let table { added = bias(table, context.parameter(tableTensor).vector) }
    if let canvas, let sequence, sequence.canvas > 0 { added = hiding(canvas, after: added, sequence) }
    if let choice, let chosen, let sequence {
      added = choice.hiding(after: added, rows: chosen, first: sequence.rows.lowerBound - sequence.start, heads: heads)
    }
    return AttentionKernel(
      heads: heads, keyHeads: keyHeads, keyWidth: q.width / heads, valueWidth: y.width / heads, scale: scale,
      cap: softcap, bias: added)
  }

  /// The bias that hides from rows which fill tiles up or are of absent ones all others of that kind, after `bias`. Each canvas
  /// has a tile at least, which all rows see: a query that sees none would have weights that the way back cannot compute again.
  private func hiding(
    _ canvas: CanvasTiles, after bias: AttentionKernel.Bias?, _ sequence: SequenceSpan
  ) -> AttentionKernel.Bias {
    let real = canvas.tiles(ofCanvas: sequence.canvas)
    let isPicture: @Sendable (Int) -> Bool = { $0 / canvas.rows < real && $0 % canvas.rows < canvas.used }
    return { scores, count, head, query, firstKey in
      bias?(scores, count, head, query, firstKey)
      if isPicture(query) { return }
      for place in 0..<count where !isPicture(firstKey + place) { scores[place] = -1e30 }
    }
  }

  /// The index among the step's tensors of the table.
  private var tableTensor: Int { sinks ? 1 : 0 }

  /// The rows of `sequence`, in runs of those of one picture and of those of none, with the end of each.
  private func runs(of sequence: SequenceSpan, _ ends: UnsafeBufferPointer<Int32>) -> [(rows: Range<Int>, end: Int)] {
    var runs: [(rows: Range<Int>, end: Int)] = []
    for row in sequence.rows {
      let end = Int(ends[row])
      if let last = runs.last, last.end == end {
        runs[runs.count - 1].rows = last.rows.lowerBound..<row + 1
      } else {
        runs.append((row..<row + 1, end))
      }
    }
    return runs
  }

  /// A span for each run of rows that have one picture: what the rest of a sequence computes beside it is the same.
  private func computeTogether(_ context: ForwardContext) {
    let (q, y) = (context.input(0), context.output())
    let logSumExp = context.saved()
    let ends = context.batch.ends
    var spans: [AttentionKernel.Span] = []
    for (index, sequence) in context.sequences.enumerated() {
      let keys = context.append(input: 1, to: 0, of: index)
      let values = valuesInKeys != nil ? keys : context.append(input: 2, to: 1, of: index)
      for run in runs(of: sequence, ends) {
        let row = run.rows.lowerBound
        spans.append(
          AttentionKernel.Span(
            queries: q[row], queryStride: q.width, count: run.rows.count,
            start: sequence.start + row - sequence.rows.lowerBound, mask: .together(end: run.end, window: window),
            keys: keys.rows, values: values.rows, firstKey: keys.firstPosition, keyCount: keys.count,
            outputs: y[row], outputStride: y.width, logSumExp: logSumExp?[row]))
      }
    }
    spans.withUnsafeBufferPointer {
      kernel(q, y.rows, context).compute(
        $0, sinks: sinks ? context.parameter().vector : nil, pool: context.pool)
    }
  }

  /// The rows of each window of `sequence`; all of them where there are none.
  func windowRows(of sequence: SequenceSpan) -> [Range<Int>] {
    guard let windows else { return [sequence.rows] }
    var next = sequence.rows.lowerBound
    return windows.counts(of: sequence.rows.count, columns: sequence.columns).map { count in
      defer { next += count }
      return next..<next + count
    }
  }

  /// A span for each window: its rows are queries and keys.
  private func computeInWindows(_ context: ForwardContext) {
    let (q, k, v, y) = (
      context.input(0), context.input(1), context.input(valuesInKeys != nil ? 1 : 2), context.output()
    )
    let logSumExp = context.saved()
    let spans = context.sequences.flatMap(windowRows).map { rows in
      let row = rows.lowerBound
      return AttentionKernel.Span(
        queries: q[row], queryStride: q.width, count: rows.count, start: 0, mask: .full(left: nil, right: nil),
        keys: StoredRows(k[row], stride: k.width), values: StoredRows(v[row], stride: v.width), firstKey: 0,
        keyCount: rows.count, outputs: y[row], outputStride: y.width, logSumExp: logSumExp?[row])
    }
    spans.withUnsafeBufferPointer {
      kernel(q, y.rows, context).compute($0, sinks: sinks ? context.parameter().vector : nil, pool: context.pool)
    }
  }

  /// Whether what is hidden goes by the rows of each sequence.
  private var hidesByRows: Bool { choice != nil || canvas != nil }

  /// The index of the input that names the chosen keys.
  var choiceInput: Int { valuesInKeys != nil ? 2 : 3 }

  private func kernelMask(of sequence: SequenceSpan) -> AttentionMask {
    switch mask {
    case .causal: .causal(window: window)
    case .full: .full(left: window, right: windowAfter)
    case .prefix: .prefix(sequence.prefix)
    // On the way back no picture is known: training refuses them.
    case .image: .causal(window: window)
    }
  }

  public func forward(_ context: ForwardContext) {
    if mask == .image, context.batch.ends.contains(where: { $0 > 0 }) { return computeTogether(context) }
    if windows != nil { return computeInWindows(context) }
    let q = context.input(0)
    let y = context.output()
    let logSumExp = context.saved()
    withUnsafeTemporaryAllocation(of: AttentionKernel.Span.self, capacity: context.sequences.count) { spans in
      for (index, sequence) in context.sequences.enumerated() {
        let keys = context.append(input: 1, to: 0, of: index)
        let values = valuesInKeys != nil ? keys : context.append(input: 2, to: 1, of: index)
        let row = sequence.rows.lowerBound
        spans.initializeElement(
          at: index,
          to: AttentionKernel.Span(
            queries: q[row], queryStride: q.width, count: sequence.rows.count, start: sequence.start,
            mask: kernelMask(of: sequence), keys: keys.rows, values: values.rows, firstKey: keys.firstPosition,
            keyCount: keys.count, outputs: y[row], outputStride: y.width, logSumExp: logSumExp?[row]))
      }
      let sinkScores = sinks ? context.parameter().vector : nil
      guard hidesByRows else {
        return kernel(q, y.rows, context).compute(UnsafeBufferPointer(spans), sinks: sinkScores, pool: context.pool)
      }
      // Each sequence by itself, for what is hidden goes by its rows.
      let chosen = choice.map { _ in context.input(choiceInput) }
      for (index, sequence) in context.sequences.enumerated() {
        kernel(q, y.rows, context, chosen: chosen, of: sequence).compute(
          UnsafeBufferPointer(rebasing: spans[index...index]), sinks: sinkScores, pool: context.pool)
      }
    }
  }

  /// With p the weights and D = Σ dy ⊙ y: `dv += pᵀ·dy`, `dp = dy·vᵀ`, `ds = p ⊙ (dp − D)`, through the cap
  /// `ds ⊙ (1 − (s/cap)²)`, then `dq += scale·ds·k` and `dk += scale·dsᵀ·q`. A sink has dp = 0: `dsink −= p_sink·D`.
  ///
  /// Weights are computed again from q, k and the log-sum-exps saved by forward: [rows, rows] a head would outgrow
  /// everything else.
  public func backward(_ context: BackwardContext) {
    let (q, k, v) = (context.input(0), context.input(1), context.input(valuesInKeys != nil ? 1 : 2))
    let (y, dy, logSumExp) = (context.output(), context.outputGradient(), context.saved())
    let keySpans = context.batch(ofInput: 1).sequences
    func gradient(_ index: Int, _ row: Int) -> AttentionKernel.Gradient? {
      context.inputGradient(index).map { rows in
        AttentionKernel.Gradient(rows[row], stride: rows.width, accumulates: context.addsToInputGradient(index))
      }
    }
    /// The values' part is added to what the keys get.
    func gradientInKeys(_ row: Int) -> AttentionKernel.Gradient? {
      context.inputGradient(1).map { AttentionKernel.Gradient($0[row], stride: $0.width, accumulates: true) }
    }
    /// The gradients of the queries in `rows`, the first of which has the position `start`, and of the keys in `keyRows`.
    func span(
      _ rows: Range<Int>, start: Int, mask: AttentionMask, keys keyRows: Range<Int>, firstKey: Int
    ) -> AttentionKernel.GradientSpan {
      let (row, keyRow) = (rows.lowerBound, keyRows.lowerBound)
      let span = AttentionKernel.Span(
        queries: q[row], queryStride: q.width, count: rows.count, start: start, mask: mask,
        keys: StoredRows(k[keyRow], stride: k.width), values: StoredRows(v[keyRow], stride: v.width),
        firstKey: firstKey, keyCount: keyRows.count,
        // Read alone on the way back.
        outputs: UnsafeMutablePointer(mutating: y[row]), outputStride: y.width,
        logSumExp: UnsafeMutablePointer(mutating: logSumExp[row]))
      return AttentionKernel.GradientSpan(
        span, outputGradients: dy[row], outputGradientStride: dy.width, queries: gradient(0, row),
        keys: gradient(1, keyRow), values: valuesInKeys != nil ? gradientInKeys(keyRow) : gradient(2, keyRow))
    }
    let sinkScores = sinks ? context.parameter().vector : nil
    if windows != nil {
      let spans = context.sequences.flatMap(windowRows).map {
        span($0, start: 0, mask: .full(left: nil, right: nil), keys: $0, firstKey: 0)
      }
      spans.withUnsafeBufferPointer {
        kernel(q, y, context).computeGradients($0, sinks: sinkScores, pool: context.pool)
      }
      if sinks { addSinkGradients(context, y, dy, logSumExp) }
      return
    }
    withUnsafeTemporaryAllocation(of: AttentionKernel.GradientSpan.self, capacity: context.sequences.count) { spans in
      for (index, sequence) in context.sequences.enumerated() {
        let keys = keySpans[index]
        spans.initializeElement(
          at: index,
          to: span(
            sequence.rows, start: sequence.start, mask: kernelMask(of: sequence), keys: keys.rows, firstKey: keys.start
          ))
      }
      guard hidesByRows else {
        return kernel(q, y, context).computeGradients(
          UnsafeBufferPointer(spans), sinks: sinkScores, pool: context.pool)
      }
      let chosen = choice.map { _ in context.input(choiceInput) }
      for (index, sequence) in context.sequences.enumerated() {
        kernel(q, y, context, chosen: chosen, of: sequence).computeGradients(
          UnsafeBufferPointer(rebasing: spans[index...index]), sinks: sinkScores, pool: context.pool)
      }
      if choice != nil, let dchosen = context.inputGradient(choiceInput), !context.addsToInputGradient(choiceInput) {
        dchosen.base.update(repeating: 0, count: dchosen.count * dchosen.width)
      }
    }
    if sinks { addSinkGradients(context, y, dy, logSumExp) }
    if let table { addTableGradients(context, table, tensor: tableTensor) }
  }

  private func addSinkGradients(_ context: BackwardContext, _ y: Rows, _ dy: Rows, _ logSumExp: Rows) {
    guard let dsinks = context.parameterGradient() else { return }
    let sinks = context.parameter().vector
    let valueWidth = y.width / heads
    let adding = context.addsToParameterGradient()
    context.parallel(heads) { own, _ in
      for head in own {
        var sum: Float = 0
        for row in 0..<y.count {
          let product = dot(dy[row] + head * valueWidth, y[row] + head * valueWidth, count: valueWidth)
          sum += exp(sinks[head] - logSumExp[row][head]) * product
        }
        dsinks[head] = (adding ? dsinks[head] : 0) - sum
      }
    }
  }

  public func flops(step: Step, context: Int) -> Int {
    let most = windows.map { $0.size * $0.size } ?? context
    let seen = min(
      most, context, mask == .full ? (window ?? context) + (windowAfter ?? context) + 1 : window ?? context)
    return 2 * seen * (step.inputs[0].width + step.outputs[0].width) + 5 * (seen + (sinks ? 1 : 0)) * heads
  }
}
