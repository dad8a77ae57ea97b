import Essentials
import Kernels
import Plans

/// The surprise of each row at what should have followed: the loss of language models.
///
///     y = log Σ_j exp(x_j) − x_target        x: [rows, vocabulary], y: [rows, 1]
///
/// A row whose target is −1 has no loss and no gradient. The logarithm is saved, and probabilities are computed again from
/// it: beside the logits they would be a second matrix as large.
public struct CrossEntropy: Kernel {
  public let name = "cross entropy"

  /// The operator.
  public init() {}

  public var traits: OperatorTraits {
    OperatorTraits(
      isRowwise: true, savedWidths: [1], assignsGradients: true, gradientReplacesInput: 0)
  }
  public func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    inputs.prefix(1).map { $0.with(width: 1) }
  }

  public func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    let saved = context.saved()
    let targets = context.batch.targets
    context.parallel(x.count, grain: rowsWorthSharing(x.width)) { rows, _ in
      for row in rows {
        let most = maximum(x[row], count: x.width)
        let logarithm = most + log(sumOfExponentials(x[row], minus: most, count: x.width))
        saved?[row][0] = logarithm
        y[row][0] = targets[row] < 0 ? 0 : logarithm - x[row][Int(targets[row])]
      }
    }
  }

  /// With p = exp(x − log Σ exp x): `dx += dy·(p − [j = target])`.
  public func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let (x, dy, saved) = (context.input(), context.outputGradient(), context.saved())
    let targets = context.batch.targets
    let adding = context.addsToInputGradient()
    context.parallel(x.count, grain: rowsWorthSharing(x.width)) { rows, _ in
      for row in rows {
        let factor = targets[row] < 0 ? 0 : dy[row][0]
        exponentials(
          of: x[row], minus: saved[row][0], times: factor, into: dx[row], count: x.width, accumulate: adding)
        if targets[row] >= 0 { dx[row][Int(targets[row])] -= factor }
      }
    }
  }

  private func rowsWorthSharing(_ width: Int) -> Int { max(1, 16384 / max(1, width)) }

  public func flops(step: Step, context: Int) -> Int { 10 * step.inputs[0].width }
}
