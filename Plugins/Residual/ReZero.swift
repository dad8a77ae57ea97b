import Components
import Kernels

/// A sum in which what a sublayer gives is multiplied by one learned number, which starts at zero.
///
///     x ← α·x + β·s·y        s: [1];   with `bounded` tanh(s) in its place
///
/// Bachlechner et al., 2020, https://arxiv.org/abs/2003.04887; also De and Smith, 2020 (SkipInit),
/// https://arxiv.org/abs/2002.10444. At first every layer passes the residual stream on unchanged, and only s learns: the sublayers'
/// own gradients are zero until it has moved. Bounded by tanh: Alayrac et al., 2022 (Flamingo), https://arxiv.org/abs/2204.14198.
///
/// Examples: `{start: 0.5}` `{start: 0.5, bounded: true}`
///
/// Known as: re_zero_residual `block: {residual: rezero}`
public struct ReZero: Residual {
  public static let name = "rezero"

  let start: Double
  let bounded: Bool

  public init(_ options: Options) {
    bounded = options.flag(
      "bounded", default: false, "whether the factor is the hyperbolic tangent of the learned number")
    start = options.number("start", default: 0, in: -1e3...1e3, "the initial value of the learned number")
  }

  public func join(
    _ stream: Value, _ result: Value, alpha: Double, beta: Double, named name: String, into plan: inout PlanBuilder
  ) -> Value {
    let factor = plan.parameter("\(name).scale", shape: [1], starts: .constant(start))
    let scaled = plan.apply(LearnedFactor(isBounded: bounded), to: result, parameters: [factor])
    return plan.add(stream, scaled, alpha: alpha, beta: beta)
  }

  /// A value times one learned number.
  ///
  ///     y = s·x, or tanh(s)·x
  struct LearnedFactor: Kernel {
    let name = "learned factor"
    let isBounded: Bool

    var attributes: [Attribute] { [Attribute("bounded", isBounded, plain: false)] }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true, overwritableInput: 0, assignsGradients: true) }

    func forward(_ context: ForwardContext) {
      let (x, y, s) = (context.input(), context.output(), factor(context.parameter()))
      context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
        let start = rows.lowerBound * x.width
        multiply(x.base + start, by: s, into: y.base + start, count: rows.count * x.width, accumulate: false)
      }
    }

    private func factor(_ number: Parameter) -> Float {
      var factor = number.vector[0]
      if isBounded { withUnsafeMutablePointer(to: &factor) { hyperbolicTangents(of: $0, into: $0, count: 1) } }
      return factor
    }

    /// `dx += s·dy`, `ds += Σ dy ⊙ x`; bounded, with tanh(s), times 1 − tanh²(s).
    func backward(_ context: BackwardContext) {
      let (x, dy) = (context.input(), context.outputGradient())
      let factor = factor(context.parameter())
      if let ds = context.parameterGradient() {
        // In Double, row by row, so that the sum does not depend on workers and loses nothing by its length.
        var sum = 0.0
        for row in 0..<x.count { sum += Double(dot(dy[row], x[row], count: x.width)) }
        if isBounded { sum *= 1 - Double(factor) * Double(factor) }
        ds[0] = (context.addsToParameterGradient() ? ds[0] : 0) + Float(sum)
      }
      context.passGradient(to: 0, times: factor)
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      (isBounded ? .call("torch.tanh", [call.parameter()]) : call.parameter()) * call.elements()
    }

    func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
  }
}
