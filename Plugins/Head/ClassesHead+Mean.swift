import Components
import Kernels

/// The mean of all rows of the text that each wanted row belongs to.
///
///     y[i] = Σ x[t] / T  over the T rows t of the text of output row i
struct MeanOfTexts: Kernel {
  let name = "mean of texts"

  var lengthUse: LengthUse { .whole }
  var traits: OperatorTraits { OperatorTraits(backwardReadsInputs: .none) }

  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    inputs.prefix(1).map { ValueShape(width: $0.width, axis: .outputs) }
  }

  func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    let (selected, sequences) = (context.batch.selected, context.batch(ofInput: 0).sequences)
    context.parallel(selected.count) { own, _ in
      for index in own {
        y[index].update(repeating: 0, count: x.width)
        let rows = Self.rows(of: Int(selected[index]), sequences)
        for row in rows { add(x[row], scaledBy: 1 / Float(rows.count), to: y[index], count: x.width) }
      }
    }
  }

  /// The rows of the text that `row` is part of.
  private static func rows(of row: Int, _ sequences: UnsafeBufferPointer<SequenceSpan>) -> Range<Int> {
    sequences.first { $0.rows.contains(row) }?.rows ?? row..<row + 1
  }

  /// `dx[t] += dy[i] / T`; on one worker, for two rows may be of one text.
  func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let dy = context.outputGradient()
    let (selected, sequences) = (context.batch.selected, context.batch(ofInput: 0).sequences)
    for index in 0..<selected.count {
      let rows = Self.rows(of: Int(selected[index]), sequences)
      for row in rows { add(dy[index], scaledBy: 1 / Float(rows.count), to: dx[row], count: dy.width) }
    }
  }

  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? { call.input().method("mean", named: [("dim", "1")]) }

  func flops(step: Step, context: Int) -> Int { context * step.outputs[0].width }
}
