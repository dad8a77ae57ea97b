import Components
import Kernels

/// A learned vector for every position, added to the token's at the embedding.
///
///     y[t] = x[t] + W[position(t) + offset]        W: [max + offset, width]
///
/// Gehring et al., 2017, https://arxiv.org/abs/1705.03122; Radford et al., 2018 (GPT).
/// `offset` skips rows at the start of the table: OPT stores two that no position uses. No sequence can be longer than
/// the table.
///
/// Examples: `{offset: 2}` `{max: 12}`
///
/// Known as: absolute, learned_absolute, wpe, position_embedding, learned_position `position: learned`
public struct LearnedPosition: PositionEncoding {
  public static let name = "learned"
  public let actsAtEmbedding = true

  let max: Int
  let offset: Int

  public init(_ options: Options) {
    max = options.integer("max", default: options.shape.contextLength, "the number of positions")
    offset = options.integer("offset", default: 0, in: 0...1024, "rows of the table before that of the first position")
  }

  public func embed(_ x: Value, into plan: inout PlanBuilder) -> Value {
    let table = plan.parameter("embed.positions.weight", shape: [max + offset, x.width], starts: .normal(0.02))
    plan.limitSequences(to: max)
    return plan.apply(AddRows(offset: offset), to: x, parameters: [table])
  }

  struct AddRows: Kernel {
    let name = "add positions"
    let offset: Int

    var attributes: [Attribute] { [Attribute("offset", offset, plain: 0)] }
    var traits: OperatorTraits { OperatorTraits(overwritableInput: 0, backwardReadsInputs: .none) }

    func forward(_ context: ForwardContext) {
      let table = context.parameter().matrix
      let x = context.input()
      let y = context.output()
      context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, worker in
        let vector = worker.scratch
        for row in rows {
          let start = table.base + (Int(context.positions[row]) + offset) * table.rowBytes
          widen(table.format, start, count: x.width, into: vector)
          let (xs, ys) = (x[row], y[row])
          for i in 0..<x.width { ys[i] = xs[i] + vector[i] }
        }
      }
    }

    func scratch(step: Step, rows: Int, context: Int) -> Int { step.outputs[0].width }

    /// `dx += dy`, `dW[position + offset] += dy`.
    func backward(_ context: BackwardContext) {
      let dy = context.outputGradient()
      if let dx = context.inputGradient() { add(dy.base, scaledBy: 1, to: dx.base, count: dy.count * dy.width) }
      guard let dw = context.parameterGradient() else { return }
      for row in 0..<dy.count {
        let target = dw + (Int(context.positions[row]) + offset) * dy.width
        add(dy[row], scaledBy: 1, to: target, count: dy.width)
      }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
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
