import Kernels
import Plans

/// The row of the token before.
///
///     y_t = x_{t−1},  y_0 = 0
///
/// Between passes the last row is cached, however long the text.
public struct PreviousToken: Kernel {
  public let name = "previous token"

  /// The operator.
  public init() {}

  public var traits: OperatorTraits { OperatorTraits(backwardReadsInputs: .none) }

  public func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    for (index, sequence) in context.sequences.enumerated() where !sequence.rows.isEmpty {
      let (first, count, cached) = (sequence.rows.lowerBound, sequence.rows.count, context.state(0, of: index))
      if let cached {
        y[first].update(from: cached, count: x.width)
      } else {
        y[first].update(repeating: 0, count: x.width)
      }
      y[first + 1].update(from: x[first], count: (count - 1) * x.width)
      cached?.update(from: x[first + count - 1], count: x.width)
    }
  }

  /// `dx_t += dy_{t+1}`.
  public func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let dy = context.outputGradient()
    for sequence in context.sequences where sequence.rows.count > 1 {
      let first = sequence.rows.lowerBound
      add(dy[first + 1], scaledBy: 1, to: dx[first], count: (sequence.rows.count - 1) * dy.width)
    }
  }

  public func flops(step: Step, context: Int) -> Int { 0 }

  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.define(
      "previous_token",
      """
      def previous_token(x, cache, name):
          \"""y_t = x_{t−1}; zeros before the first.\"""
          before = (cache or {}).get(name, torch.zeros_like(x[:, :1]))
          if cache is not None:
              cache[name] = x[:, -1:]
          return torch.cat([before, x[:, :-1]], dim=1)
      """)
    let name = PyTorchExpression("\"\(call.state(0))\"")
    return .call("previous_token", [call.withoutPadding(call.input()), call.cache(), name])
  }
}

/// A learned mean of two values, each element with a weight of its own.
///
///     y = μ ⊙ x + (1 − μ) ⊙ z        μ: [width]
public struct LearnedMean: Kernel {
  public let name = "learned mean"

  /// The operator.
  public init() {}

  public var traits: OperatorTraits { OperatorTraits(isRowwise: true) }

  public func forward(_ context: ForwardContext) {
    let (x, z, y, mu) = (context.input(0), context.input(1), context.output(), context.parameter().vector)
    context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
      for row in rows {
        let (xs, zs, ys) = (x[row], z[row], y[row])
        for i in 0..<y.width { ys[i] = mu[i] * xs[i] + (1 - mu[i]) * zs[i] }
      }
    }
  }

  /// `dx += μ ⊙ dy`, `dz += (1 − μ) ⊙ dy`, `dμ += Σ dy ⊙ (x − z)`.
  public func backward(_ context: BackwardContext) {
    let (x, z, dy, mu) = (context.input(0), context.input(1), context.outputGradient(), context.parameter().vector)
    let (dx, dz, dmu) = (context.inputGradient(0), context.inputGradient(1), context.parameterGradient())
    for row in 0..<dy.count {
      for i in 0..<dy.width {
        let slope = dy[row][i]
        if let dx { dx[row][i] += mu[i] * slope }
        if let dz { dz[row][i] += (1 - mu[i]) * slope }
        dmu?[i] += slope * (x[row][i] - z[row][i])
      }
    }
  }

  public func flops(step: Step, context: Int) -> Int { 4 * step.outputs[0].width }

  /// `torch.lerp(z, x, μ)`
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    .call("torch.lerp", [call.input(1), call.input(0), call.parameter()])
  }
}

extension PlanBuilder {
  /// Writes the rows of the tokens before those of `x`.
  public mutating func previousToken(_ x: Value) -> Value {
    let cached = state("previous", width: x.width, extent: .fixed)
    return apply(PreviousToken(), to: x, states: [cached])
  }

  /// Writes the mean of `x` and `other` with learned weights, named `name`, that start at a half.
  public mutating func mean(_ x: Value, _ other: Value, named name: String) -> Value {
    let weights = parameter(name, shape: [x.width], starts: .constant(0.5), use: .vector)
    return apply(LearnedMean(), to: x, other, parameters: [weights])
  }
}
