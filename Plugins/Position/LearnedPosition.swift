import Components
import Kernels

/// A learned vector for every position, added to the token's at the embedding.
///
///     y[t] = x[t] + W[position(t) + offset]        W: [max + offset, width]
///
/// Gehring et al., 2017, https://arxiv.org/abs/1705.03122; Radford et al., 2018 (GPT).
/// `offset` skips rows at the start of the table: OPT stores two that no position uses. No sequence can be longer than
/// the table. With `skip` a token has no position and those after it are counted without it, as where the rows of pictures stand in GIT
/// (Wang et al., 2022, https://arxiv.org/abs/2205.14100). `wraps` gives the first position the table's last row, as Llama 4's class has it.
///
/// Examples: `{offset: 2}` `{max: 12}` `{skip: 3}` `{wraps: true}`
///
/// Known as: absolute, learned_absolute, wpe, position_embedding, learned_position `position: learned`
public struct LearnedPosition: PositionEncoding {
  public static let name = "learned"
  public let actsAtEmbedding = true

  let max: Int
  let offset: Int
  let skip: Int?
  let wraps: Bool

  public init(_ options: Options) {
    max = options.integer("max", default: options.shape.contextLength, "the number of positions")
    offset = options.integer("offset", default: 0, in: 0...1024, "rows of the table before that of the first position")
    skip = options.optionalInteger(
      "skip", in: 0...(1 << 31), "a token that has no position, and without which the others are counted")
    wraps = options.flag(
      "wraps", default: false, "whether the first position's row is the table's last, before all others")
    if wraps, skip != nil || offset != 0 {
      options.fail("wraps", "positions that wrap around the table are counted from its start, and all tokens have one")
    }
  }

  public func embed(_ x: Value, into plan: inout PlanBuilder) -> Value {
    let table = plan.parameter("embed.positions.weight", shape: [max + offset, x.width], starts: .normal(0.02))
    plan.limitSequences(to: max)
    let states = skip == nil ? [] : [plan.state("skipped", width: 1, extent: .fixed)]
    let rows = AddRows(offset: offset, skip: skip, wraps: wraps ? max : nil)
    return plan.apply(rows, to: x, parameters: [table], states: states)
  }

  struct AddRows: Kernel {
    let name = "add positions"
    let offset: Int
    var skip: Int?
    /// Rows of the table, of which the first position has the last; nil where it has the first.
    var wraps: Int?

    var attributes: [Attribute] {
      [Attribute("offset", offset, plain: 0), Attribute("skip", skip), Attribute("wraps", wraps)]
    }
    var traits: OperatorTraits { OperatorTraits(overwritableInput: 0, backwardReadsInputs: .none) }

    func forward(_ context: ForwardContext) {
      let table = context.parameter().matrix
      let x = context.input()
      let y = context.output()
      if skip != nil {
        if x.base != UnsafePointer(y.base) { y.base.update(from: x.base, count: x.count * x.width) }
        for (index, sequence) in context.sequences.enumerated() {
          let counter = context.state(0, of: index)
          let skipped = forEachPlaced(sequence, tokens: context.tokens, skipped: Int(counter?.pointee ?? 0)) {
            row, place in
            let vector = context.pass.scratch
            widen(table.format, table.base + (place + offset) * table.rowBytes, count: x.width, into: vector)
            add(vector, scaledBy: 1, to: y[row], count: x.width)
          }
          counter?.pointee = Float(skipped)
        }
        return
      }
      context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, worker in
        let vector = worker.scratch
        for row in rows {
          let start = table.base + place(at: Int(context.positions[row])) * table.rowBytes
          widen(table.format, start, count: x.width, into: vector)
          let (xs, ys) = (x[row], y[row])
          for i in 0..<x.width { ys[i] = xs[i] + vector[i] }
        }
      }
    }

    /// The row of the table for `position`.
    private func place(at position: Int) -> Int {
      if let wraps { return position == 0 ? wraps - 1 : position - 1 }
      return position + offset
    }

    /// Each row of `sequence` that has a position, and that position, where `skipped` tokens before had none; and how many have none
    /// with those of this pass.
    private func forEachPlaced(
      _ sequence: SequenceSpan, tokens: UnsafeBufferPointer<Int32>, skipped: Int,
      _ body: (_ row: Int, _ place: Int) -> Void
    ) -> Int {
      var skipped = skipped
      for row in sequence.rows {
        if Int(tokens[row]) == skip {
          skipped += 1
        } else {
          body(row, sequence.start + row - sequence.rows.lowerBound - skipped)
        }
      }
      return skipped
    }

    func scratch(step: Step, rows: Int, context: Int) -> Int { step.outputs[0].width }

    /// `dx += dy`, `dW[position + offset] += dy`.
    func backward(_ context: BackwardContext) {
      let dy = context.outputGradient()
      if let dx = context.inputGradient() { add(dy.base, scaledBy: 1, to: dx.base, count: dy.count * dy.width) }
      guard let dw = context.parameterGradient() else { return }
      if skip != nil {
        for sequence in context.sequences {
          _ = forEachPlaced(sequence, tokens: context.tokens, skipped: 0) { row, place in
            add(dy[row], scaledBy: 1, to: dw + (place + offset) * dy.width, count: dy.width)
          }
        }
        return
      }
      for row in 0..<dy.count {
        let target = dw + place(at: Int(context.positions[row])) * dy.width
        add(dy[row], scaledBy: 1, to: target, count: dy.width)
      }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      if skip != nil || wraps != nil { return nil }
      let places = offset == 0 ? call.positions() : call.positions() + PyTorchExpression(offset)
      let rows = call.constant("num_positions", PyTorchExpression(call.shapes[0][0]))
      if let table = call.module("nn.Embedding(\(rows), \(call.outputWidths[0]))") {
        return call.input() + .call(table.text, [places])
      }
      return call.input() + .call("F.embedding", [places, call.parameter()])
    }

    func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
  }
}
