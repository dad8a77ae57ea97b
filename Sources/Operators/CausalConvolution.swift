import Kernels
import Plans

/// A short convolution over time: every channel by itself is a weighted sum of the last few tokens, its own the last.
///
///     y_t = Σ_j w_j ⊙ x_{t−k+1+j} + b,  j = 0 … k − 1        w: [channels, k], b: [channels]
///
/// What lies before the sequence is zero. Between passes the last k − 1 rows of x are cached, whatever the length.
/// The last column of w meets the token itself, as in Mamba's and torch's `conv1d`.
public struct CausalConvolution: Kernel {
  public let name = "convolve"
  /// How many tokens a sum takes in, its own included.
  public let kernel: Int
  /// Whether a learned bias is added.
  public let bias: Bool

  /// A convolution over `kernel` tokens.
  public init(kernel: Int, bias: Bool) {
    precondition(kernel > 1, "a convolution over \(kernel) tokens mixes none")
    self.kernel = kernel
    self.bias = bias
  }

  /// w as a row for each tap of the kernel, so that channels lie side by side.
  private func transposed(_ w: UnsafePointer<Float>, channels: Int, into rows: UnsafeMutablePointer<Float>) {
    for channel in 0..<channels {
      for tap in 0..<kernel { rows[tap * channels + channel] = w[channel * kernel + tap] }
    }
  }

  public var attributes: [Attribute] { [Attribute("kernel", kernel), Attribute("bias", bias, plain: bias)] }
  public var traits: OperatorTraits { OperatorTraits(assignsGradients: true) }

  public func forward(_ context: ForwardContext) {
    let (x, y, w) = (context.input(), context.output(), context.sharedScratch)
    let b = bias ? context.parameter(1).vector : nil
    let channels = x.width
    transposed(context.parameter().vector, channels: channels, into: w)
    for (index, sequence) in context.sequences.enumerated() {
      let (first, state) = (sequence.rows.lowerBound, context.state(0, of: index))
      context.parallel(sequence.rows.count, grain: elementwiseGrain(kernel * channels)) { own, _ in
        for offset in own {
          let to = y[first + offset]
          if let b { to.update(from: b, count: channels) } else { to.update(repeating: 0, count: channels) }
          for tap in 0..<kernel {
            // Row `before` of the pass, or of what is cached when negative.
            let before = offset - (kernel - 1) + tap
            let from =
              before >= 0 ? x[first + before] : state.map { UnsafePointer($0 + (before + kernel - 1) * channels) }
            if let from { multiply(w + tap * channels, with: from, into: to, count: channels, accumulate: true) }
          }
        }
      }
      if let state { cache(x[first], rows: sequence.rows.count, channels: channels, in: state) }
    }
  }

  /// The last k − 1 rows of what was cached and of the new `rows` at `x`.
  private func cache(_ x: UnsafePointer<Float>, rows: Int, channels: Int, in state: UnsafeMutablePointer<Float>) {
    let cached = kernel - 1
    let new = min(rows, cached)
    for row in 0..<cached - new {
      (state + row * channels).update(from: state + (row + new) * channels, count: channels)
    }
    (state + (cached - new) * channels).update(from: x + (rows - new) * channels, count: new * channels)
  }

  /// `dx_t += Σ_j w_j ⊙ dy_{t+k−1−j}`, `dw_j += Σ_t dy_t ⊙ x_{t−k+1+j}`, `db += Σ_t dy_t`; nothing is saved by forward.
  public func backward(_ context: BackwardContext) {
    let (x, dy, w) = (context.input(), context.outputGradient(), context.sharedScratch)
    let channels = x.width
    transposed(context.parameter().vector, channels: channels, into: w)
    if let dx = context.inputGradient() {
      let adding = context.addsToInputGradient()
      for sequence in context.sequences {
        context.parallel(sequence.rows.count, grain: elementwiseGrain(kernel * channels)) { own, _ in
          for row in own.lowerBound + sequence.rows.lowerBound..<own.upperBound + sequence.rows.lowerBound {
            if !adding { dx[row].update(repeating: 0, count: channels) }
            for tap in 0..<kernel {
              let after = row + kernel - 1 - tap
              guard after < sequence.rows.upperBound else { continue }
              multiply(w + tap * channels, with: dy[after], into: dx[row], count: channels, accumulate: true)
            }
          }
        }
      }
    }
    addWeightGradients(context, x, dy)
  }

  /// A worker owns channels, so that the order of a sum does not depend on their number.
  private func addWeightGradients(_ context: BackwardContext, _ x: Rows, _ dy: Rows) {
    let (dw, db) = (context.parameterGradient(0), bias ? context.parameterGradient(1) : nil)
    let channels = x.width
    let sums = context.sharedScratch + kernel * channels
    context.parallel(channels, grain: max(16, elementwiseGrain(x.count * kernel))) { own, _ in
      let (from, count) = (own.lowerBound, own.count)
      for tap in 0..<kernel { (sums + tap * channels + from).update(repeating: 0, count: count) }
      if let db, !context.addsToParameterGradient(1) { (db + from).update(repeating: 0, count: count) }
      for sequence in context.sequences {
        for row in sequence.rows {
          for tap in max(0, kernel - 1 - (row - sequence.rows.lowerBound))..<kernel {
            multiply(
              dy[row] + from, with: x[row - (kernel - 1) + tap] + from, into: sums + tap * channels + from,
              count: count,
              accumulate: true)
          }
          if let db { add(dy[row] + from, scaledBy: 1, to: db + from, count: count) }
        }
      }
      guard let dw else { return }
      let adding = context.addsToParameterGradient(0)
      for channel in own {
        for tap in 0..<kernel {
          let at = channel * kernel + tap
          dw[at] = (adding ? dw[at] : 0) + sums[tap * channels + channel]
        }
      }
    }
  }

  public func flops(step: Step, context: Int) -> Int { step.outputs[0].width * (2 * kernel - (bias ? 0 : 1)) }

  public func sharedScratch(step: Step, rows: Int) -> Int { 2 * kernel * step.inputs[0].width }
}

extension PlanBuilder {
  /// Writes a convolution of `x` over the last `kernel` tokens, named `name`.
  public mutating func convolve(_ x: Value, over kernel: Int, named name: String, bias: Bool) -> Value {
    // As torch starts it: evenly within 1/√(inputs of a sum).
    let limit = 1 / Double(kernel).squareRoot()
    var tensors = [parameter("\(name).weight", shape: [x.width, kernel], starts: .uniform(limit), use: .vector)]
    if bias { tensors.append(parameter("\(name).bias", shape: [x.width], starts: .uniform(limit))) }
    let cached = state(name, width: (kernel - 1) * x.width, extent: .fixed)
    return apply(
      CausalConvolution(kernel: kernel, bias: bias), to: x, parameters: tensors, states: [cached])
  }
}
