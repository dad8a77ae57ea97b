import Components
import Essentials

/// The integral of a learned ELU: a parabola above zero, an exponential below, each with a trained steepness.
///
///     y = a·x² + β·x                       for x > 0        a = softplus(alpha_p)
///     y = b·(exp(min(x, ε)) − 1 − x) + β·x  for x ≤ 0        b = β + softplus(alpha_n)
///
/// Huang and Schlag, 2024, https://arxiv.org/abs/2411.13010; in Apertus.
/// `alpha_p` and `alpha_n` are one number each, for a whole layer, and stored before the softplus. They are tensors, which are trained,
/// unless they are given as numbers, as GGUF files have them.
///
/// Examples: `{}` `{alpha_p: 0.4, alpha_n: -0.7}` `{alpha_n: 0.3, beta: 0.2}`
public struct XIELU: Activation {
  public static let name = "xielu"

  let beta: Float
  let epsilon: Float
  let alphaP: Double?
  let alphaN: Double?

  public init(_ options: Options) {
    beta = Float(options.number("beta", default: 0.5, in: 0...100, "the slope at zero"))
    epsilon = Float(options.number("eps", default: -1e-6, in: -1...0, "the largest argument of exp"))
    alphaP = options.optionalNumber(
      "alpha_p", in: -1e6...1e6, "the steepness above zero, before the softplus, where it is not trained")
    alphaN = options.optionalNumber(
      "alpha_n", in: -1e6...1e6, "the steepness below zero, before the softplus, where it is not trained")
  }

  public func write(_ x: Value, into plan: inout PlanBuilder) -> Value {
    var tensors: [ParameterReference] = []
    // Both start at a steepness of 0.8, as in the paper: log(exp(0.8) − 1), and the same for 0.8 − 0.5.
    for (name, value, start) in [("alpha_p", alphaP, 0.2033), ("alpha_n", alphaN, -1.0502)] where value == nil {
      tensors.append(plan.parameter("act.\(name)", shape: [1], starts: .constant(start), use: .vector))
    }
    let evaluate = Evaluate(
      beta: beta, epsilon: epsilon, alphaP: alphaP.map(Float.init), alphaN: alphaN.map(Float.init))
    return plan.apply(evaluate, to: [x], parameters: tensors)[0]
  }

  struct Evaluate: Kernel {
    let name = "xielu"
    let beta: Float
    let epsilon: Float
    /// Given in place of the first tensor.
    let alphaP: Float?
    /// Given in place of the next.
    let alphaN: Float?

    var attributes: [Attribute] {
      [
        Attribute("beta", beta), Attribute("eps", epsilon), Attribute("alpha_p", alphaP), Attribute("alpha_n", alphaN),
      ]
    }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true, overwritableInput: 0) }

    private var placeOfN: Int { alphaP == nil ? 1 : 0 }

    private func alphas(_ context: some StepContext) -> (above: Float, below: Float) {
      (alphaP ?? context.parameter(0).vector[0], alphaN ?? context.parameter(placeOfN).vector[0])
    }

    func forward(_ context: ForwardContext) {
      let (x, y) = (context.input(), context.output())
      let (alphaP, alphaN) = alphas(context)
      let a = Softplus.value(alphaP)
      let b = beta + Softplus.value(alphaN)
      context.parallel(y.count * y.width, grain: 4096) { numbers, _ in
        for i in numbers {
          let x = x.base[i]
          y.base[i] = beta * x + (x > 0 ? a * x * x : b * (expm1(min(x, epsilon)) - x))
        }
      }
    }

    /// Above zero `dx += dy·(2a·x + β)` and `da += dy·x²`; below `dx += dy·(b·(exp(x) − 1) + β)` and
    /// `db += dy·(exp(x) − 1 − x)`; then `dalpha += da·σ(alpha)`, the softplus's slope.
    func backward(_ context: BackwardContext) {
      let (x, dy, dx) = (context.input(), context.outputGradient(), context.inputGradient())
      let (alphaP, alphaN) = alphas(context)
      let a = Softplus.value(alphaP)
      let b = beta + Softplus.value(alphaN)
      var (da, db): (Double, Double) = (0, 0)
      for i in 0..<dy.count * dy.width {
        let (x, dy) = (x.base[i], dy.base[i])
        if x > 0 {
          dx?.base[i] += dy * (2 * a * x + beta)
          da += Double(dy * x * x)
        } else {
          let grown = expm1(min(x, epsilon))
          // Between ε and zero the exponential stands still.
          dx?.base[i] += dy * (b * ((x < epsilon ? grown + 1 : 0) - 1) + beta)
          db += Double(dy * (grown - x))
        }
      }
      if self.alphaP == nil { context.parameterGradient(0)?[0] += Float(da) / (1 + exp(-alphaP)) }
      if self.alphaN == nil { context.parameterGradient(placeOfN)?[0] += Float(db) / (1 + exp(-alphaN)) }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      call.define(
        "xielu",
        """
        def xielu(x, alpha_p, alpha_n, beta, eps):
            \"""y = a·x² + β·x above zero, b·(exp(min(x, eps)) − 1 − x) + β·x below.\"""
            a, b = F.softplus(alpha_p), beta + F.softplus(alpha_n)
            below = b * (torch.expm1(x.clamp(max=eps)) - x)
            return beta * x + torch.where(x > 0, a * x * x, below)
        """)
      func tensor(_ number: Float) -> PyTorchExpression { .call("torch.tensor", [PyTorchExpression(number)]) }
      let above = alphaP.map(tensor) ?? call.parameter(0)
      let below = alphaN.map(tensor) ?? call.parameter(placeOfN)
      return .call(
        "xielu", [call.elements(), above, below, PyTorchExpression(beta), PyTorchExpression(epsilon)])
    }

    func flops(step: Step, context: Int) -> Int { 8 * step.outputs[0].width }
  }
}
