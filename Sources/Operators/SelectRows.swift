import Kernels
import Plans

/// The rows whose logits are asked for: what follows works on those alone.
///
///     y[i] = x[output row i]
public struct SelectRows: Kernel {
  public let name = "select rows"

  /// The operator.
  public init() {}

  public var traits: OperatorTraits { OperatorTraits(backwardReadsInputs: .none) }
  public func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    inputs.prefix(1).map { ValueShape(width: $0.width, axis: .outputs) }
  }

  public func forward(_ context: ForwardContext) {
    let x = context.input()
    let y = context.output()
    let rows = context.batch.selected
    context.parallel(rows.count, grain: elementwiseGrain(x.width)) { own, _ in
      for index in own { y[index].update(from: x[Int(rows[index])], count: x.width) }
    }
  }

  /// `dx[output row i] += dy[i]`.
  public func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let dy = context.outputGradient()
    let rows = context.batch.selected
    context.parallel(rows.count, grain: elementwiseGrain(dy.width)) { own, _ in
      for index in own { add(dy[index], scaledBy: 1, to: dx[Int(rows[index])], count: dy.width) }
    }
  }

  public func flops(step: Step, context: Int) -> Int { 0 }
}

extension PlanBuilder {
  /// Writes the choice of the rows whose logits are asked for.
  public mutating func selectRows(_ x: Value) -> Value {
    apply(SelectRows(), to: x)
  }
}

extension Plan {
  /// The plan without what is predicted: its logits are the final states of the rows that are wanted. Nil where its head has
  /// told of none.
  public var withoutHead: Plan? {
    guard let finalStates else { return nil }
    if finalStates.axis == .outputs { return ending(in: finalStates, with: []) }
    let selected = Value(index: values.count, width: finalStates.width, axis: .outputs)
    return ending(
      in: finalStates,
      with: [Step(scope: TensorName(), operation: SelectRows(), inputs: [finalStates], outputs: [selected])])
  }
}
