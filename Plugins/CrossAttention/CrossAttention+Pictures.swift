import Components
import Essentials
import Kernels

/// Which pictures of a text each token reads: those whose marks stand last before it, one behind the other.
///
///     y[t] = (first, end): pictures first ..< end, counted from 0;   (0, 0) before any
struct PicturesOfTokens: Kernel {
  let name = "pictures of tokens"
  let token: Int

  var attributes: [Attribute] { [Attribute("token", token)] }
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] { [ValueShape(width: 2, axis: .tokens)] }

  /// Writes the step once for all that read it.
  static func write(token: Int, into plan: inout PlanBuilder) -> Value {
    let operation = PicturesOfTokens(token: token)
    return plan.shared(operation) { plan in
      let state = plan.state("pictures", width: 3, extent: .fixed)
      return plan.apply(operation, to: [], states: [state])[0]
    }
  }

  func forward(_ context: ForwardContext) {
    let y = context.output()
    for (index, sequence) in context.sequences.enumerated() {
      let state = context.state(0, of: index)
      var (first, end) = (state?[0] ?? 0, state?[1] ?? 0)
      var isBehindMark = (state?[2] ?? 0) > 0
      for row in sequence.rows {
        let isMark = Int(context.tokens[row]) == token
        if isMark {
          if !isBehindMark { first = end }
          end += 1
        }
        isBehindMark = isMark
        (y[row][0], y[row][1]) = (first, end)
      }
      guard let state else { continue }
      (state[0], state[1], state[2]) = (first, end, isBehindMark ? 1 : 0)
    }
  }

  /// Nothing: they depend on no learned number.
  func backward(_ context: BackwardContext) {}

  func flops(step: Step, context: Int) -> Int { 0 }
}

/// Zeros in the rows of tokens before any picture.
///
///     y[t] = x[t] where a picture stands at or before t, else 0
struct ClearBeforePictures: Kernel {
  let name = "clear before pictures"

  var traits: OperatorTraits { OperatorTraits(isRowwise: true, backwardReadsInputs: .only([1])) }

  func forward(_ context: ForwardContext) {
    let (x, pictures, y) = (context.input(0), context.input(1), context.output())
    for row in 0..<y.count {
      if pictures[row][1] > 0 {
        y[row].update(from: x[row], count: y.width)
      } else {
        y[row].update(repeating: 0, count: y.width)
      }
    }
  }

  /// `dx[t] += dy[t]` where a picture stands at or before t.
  func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient(0) else { return }
    let (pictures, dy) = (context.input(1), context.outputGradient())
    for row in 0..<dy.count where pictures[row][1] > 0 { add(dy[row], scaledBy: 1, to: dx[row], count: dy.width) }
  }

  func flops(step: Step, context: Int) -> Int { 0 }
}

/// Softmax attention of a text's tokens over the pictures that each reads.
///
///     s = scale·q·kᵀ over the rows of its pictures whose tiles are there;   a token before any picture sees every row, those of absent tiles too
///     y = softmax(s)·v
///
/// Inputs are q, k and v, the marks of the pictures' rows where they lie in tiles (`TileMarks`), and the pictures of each token
/// (`PicturesOfTokens`).
struct PictureAttend: Kernel {
  let name = "attend pictures"
  let heads: Int
  let keyHeads: Int
  let scale: Float
  /// Rows of a picture.
  let rows: Int
  /// Whether marks tell which rows are there; all are elsewhere.
  let isMarked: Bool

  var attributes: [Attribute] {
    [
      Attribute("heads", heads), Attribute("key_heads", keyHeads, plain: heads), Attribute("scale", scale),
      Attribute("picture_rows", rows), Attribute("marks", isMarked, plain: true),
    ]
  }
  /// The input that says which pictures a token reads.
  private var pictures: Int { isMarked ? 4 : 3 }
  var traits: OperatorTraits {
    OperatorTraits(backwardReadsOutputs: true, savedWidths: [heads], assignsGradients: true)
  }
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    [inputs[0].with(width: heads * (inputs[2].width / keyHeads))]
  }

  func forward(_ context: ForwardContext) {
    let (q, pictures) = (context.input(0), context.input(self.pictures))
    let (y, logSumExp) = (context.output(), context.saved())
    for (index, sequence) in context.sequences.enumerated() {
      let keys = context.append(input: 1, to: 0, of: index)
      let values = context.append(input: 2, to: 1, of: index)
      let marks = isMarked ? context.append(input: 3, to: 2, of: index).rows : nil
      let row = sequence.rows.lowerBound
      let span = AttentionKernel.Span(
        queries: q[row], queryStride: q.width, count: sequence.rows.count, start: sequence.start,
        mask: .full(left: nil, right: nil), keys: keys.rows, values: values.rows, firstKey: 0, keyCount: keys.count,
        outputs: y[row], outputStride: y.width, logSumExp: logSumExp?[row])
      withUnsafePointer(to: span) {
        kernel(q.width, y.width, pictures, marks.map(Marks.init), sequence).compute(
          UnsafeBufferPointer(start: $0, count: 1), pool: context.pool)
      }
    }
  }

  /// As of softmax attention (`Attend`): what is hidden has no weight.
  func backward(_ context: BackwardContext) {
    let (q, k, v) = (context.input(0), context.input(1), context.input(2))
    let (marks, pictures) = (isMarked ? context.input(3) : nil, context.input(self.pictures))
    let (y, dy, logSumExp) = (context.output(), context.outputGradient(), context.saved())
    let keySpans = context.batch(ofInput: 1).sequences
    func gradient(_ index: Int, _ row: Int) -> AttentionKernel.Gradient? {
      context.inputGradient(index).map { rows in
        AttentionKernel.Gradient(rows[row], stride: rows.width, accumulates: context.addsToInputGradient(index))
      }
    }
    for (index, sequence) in context.sequences.enumerated() {
      let (row, keys) = (sequence.rows.lowerBound, keySpans[index].rows)
      let span = AttentionKernel.Span(
        queries: q[row], queryStride: q.width, count: sequence.rows.count, start: sequence.start,
        mask: .full(left: nil, right: nil), keys: StoredRows(k[keys.lowerBound], stride: k.width),
        values: StoredRows(v[keys.lowerBound], stride: v.width), firstKey: 0, keyCount: keys.count,
        // Read alone on the way back.
        outputs: UnsafeMutablePointer(mutating: y[row]), outputStride: y.width,
        logSumExp: UnsafeMutablePointer(mutating: logSumExp[row]))
      let given = AttentionKernel.GradientSpan(
        span, outputGradients: dy[row], outputGradientStride: dy.width, queries: gradient(0, row),
        keys: gradient(1, keys.lowerBound), values: gradient(2, keys.lowerBound))
      let own = marks.map { Marks(rows: StoredRows($0[keys.lowerBound], stride: $0.width)) }
      withUnsafePointer(to: given) {
        kernel(q.width, y.width, pictures, own, sequence).computeGradients(
          UnsafeBufferPointer(start: $0, count: 1), sinks: nil, pool: context.pool)
      }
    }
    for index in 3...self.pictures where !context.addsToInputGradient(index) {
      if let dx = context.inputGradient(index) { dx.base.update(repeating: 0, count: dx.count * dx.width) }
    }
  }

  /// The marks of a sequence's rows.
  private struct Marks: @unchecked Sendable {
    // Sendable although it holds a pointer: marks are not written while a step runs.
    let rows: StoredRows

    subscript(row: Int) -> Float { (rows.base + row * rows.rowBytes).loadUnaligned(as: Float.self) }
  }

  private func kernel(
    _ queryWidth: Int, _ outputWidth: Int, _ pictures: Rows, _ marks: Marks?, _ sequence: SequenceSpan
  ) -> AttentionKernel {
    let (size, first) = (rows, sequence.rows.lowerBound - sequence.start)
    return AttentionKernel(
      heads: heads, keyHeads: keyHeads, keyWidth: queryWidth / heads, valueWidth: outputWidth / heads, scale: scale
    ) { scores, count, _, query, firstKey in
      let own = pictures[first + query]
      let seen = Int(own[0]) * size..<Int(own[1]) * size
      for place in 0..<count {
        let mark = marks?[firstKey + place] ?? 1
        let isSeen = seen.isEmpty ? mark >= 0 : mark > 0 && seen.contains(firstKey + place)
        // Not −∞: a block of keys may be hidden as a whole, and its weights are relative to its own greatest score.
        if !isSeen { scores[place] = -1e30 }
      }
    }
  }

  func flops(step: Step, context: Int) -> Int {
    2 * context * (step.inputs[0].width + step.outputs[0].width) + 5 * context * heads
  }
}
