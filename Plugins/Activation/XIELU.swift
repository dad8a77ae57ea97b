import Components
import Essentials

/// The integral of a learned ELU: a parabola above zero, an exponential below, each with a trained steepness.
///
///     y = a·x² + β·x                       for x > 0        a = softplus(alpha_p)
///     y = b·(exp(min(x, ε)) − 1 − x) + β·x  for x ≤ 0        b = β + softplus(alpha_n)
///
/// Huang and Schlag, 2024, https://arxiv.org/abs/2411.13010; in Apertus.
/// `alpha_p` and `alpha_n` are one number each, for a whole layer, and stored before the softplus.
public struct XIELU: Activation {
  public static let name = "xielu"

  let beta: Float
  let epsilon: Float

  public init(_ options: Options) {
    beta = Float(options.number("beta", default: 0.5, in: 0...100, "the slope at zero"))
    epsilon = Float(options.number("eps", default: -1e-6, in: -1...0, "the largest argument of exp"))
  }

  public func write(_ x: Value, into plan: inout PlanBuilder) -> Value {
    // Both start at a steepness of 0.8, as in the paper: log(exp(0.8) − 1), and the same for 0.8 − 0.5.
    let above = plan.parameter("act.alpha_p", shape: [1], starts: .constant(0.2033), use: .vector)
    let below = plan.parameter("act.alpha_n", shape: [1], starts: .constant(-1.0502), use: .vector)
    return plan.apply(Evaluate(beta: beta, epsilon: epsilon), to: x, parameters: [above, below])
  }

  struct Evaluate: Kernel {
    let name = "xielu"
    let beta: Float
    let epsilon: Float

    var attributes: [Attribute] { [Attribute("beta", beta), Attribute("eps", epsilon)] }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true, overwritableInput: 0) }

    func forward(_ context: ForwardContext) {
      let (x, y) = (context.input(), context.output())
      let a = Softplus.value(context.parameter(0).vector[0])
      let b = beta + Softplus.value(context.parameter(1).vector[0])
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
      let (alphaP, alphaN) = (context.parameter(0).vector[0], context.parameter(1).vector[0])
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
      context.parameterGradient(0)?[0] += Float(da) / (1 + exp(-alphaP))
      context.parameterGradient(1)?[0] += Float(db) / (1 + exp(-alphaN))
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
      return .call(
        "xielu",
        [
          call.elements(), call.parameter(0), call.parameter(1), PyTorchExpression(beta), PyTorchExpression(epsilon),
        ])
    }

    func flops(step: Step, context: Int) -> Int { 8 * step.outputs[0].width }
  }
}
