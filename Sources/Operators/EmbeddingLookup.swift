import Kernels
import Plans

/// The rows of a table that the tokens name.
///
///     y[t] = W[token[t]]        W: [vocabulary, width]
public struct EmbeddingLookup: Kernel {
  public let name = "lookup"

  /// What the looked-up rows stand for.
  public let axis: RowAxis

  /// The lookup of the tokens of `axis`.
  public init(axis: RowAxis = .tokens) { self.axis = axis }

  public var attributes: [Attribute] { [Attribute("axis", axis.index, plain: RowAxis.tokens.index)] }
  public var traits: OperatorTraits { OperatorTraits(backwardReadsInputs: .none) }
  public func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    [ValueShape(width: parameters[0][1], axis: axis)]
  }

  public func forward(_ context: ForwardContext) {
    let table = context.parameter().matrix
    let y = context.output()
    let tokens = context.tokens
    context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
      for row in rows {
        let start = table.base + Int(tokens[row]) * table.rowBytes
        widen(table.format, start, count: y.width, into: y[row])
      }
    }
  }

  /// `dW[token[t]] += dy[t]`; on one worker, for two tokens may name one row.
  public func backward(_ context: BackwardContext) {
    guard let gradient = context.parameterGradient() else { return }
    let dy = context.outputGradient()
    for row in 0..<dy.count {
      add(dy[row], scaledBy: 1, to: gradient + Int(context.tokens[row]) * dy.width, count: dy.width)
    }
  }

  public func flops(step: Step, context: Int) -> Int { 0 }
}
