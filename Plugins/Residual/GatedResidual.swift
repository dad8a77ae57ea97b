import Components

/// A sum in which a gate, computed from the residual stream, weights each element of a sublayer's result.
///
///     output:   x ← α·x + β·σ(x·Wᵀ + b) ⊙ y
///     highway:  x ← α·(1 − g) ⊙ x + β·g ⊙ y,   g = σ(x·Wᵀ + b)
///
/// Parisotto et al., 2019, https://arxiv.org/abs/1910.06764; highway: Srivastava et al., 2015,
/// https://arxiv.org/abs/1505.00387. b starts at `start`: below zero, a layer passes the residual stream on almost unchanged.
///
/// Examples: `{form: highway, start: -1}`
///
/// Known as: highway `block: {residual: {type: gated, form: highway}}`
public struct GatedResidual: Residual {
  public static let name = "gated"

  enum Form: String, CaseIterable { case output, highway }

  let form: Form
  let start: Double
  let activation: (any Activation)?

  public init(_ options: Options) {
    form = options.choice(
      "form", default: Form.output,
      "output: the gate weights the result; highway: it also weights the residual stream, by 1 − gate")
    start = options.number("start", default: -2, in: -100...100, "the initial bias of the gates")
    activation = options.component("activation", default: "sigmoid", slot: .activation, "the nonlinearity of the gates")
  }

  public func join(
    _ stream: Value, _ result: Value, alpha: Double, beta: Double, named name: String, into plan: inout PlanBuilder
  ) -> Value {
    let weight = plan.parameter("\(name).gate.weight", shape: [stream.width, stream.width], starts: .normal(0.02))
    let bias = plan.parameter("\(name).gate.bias", shape: [stream.width], starts: .constant(start))
    let asked = plan.apply(Linear(bias: true), to: stream, parameters: [weight, bias])
    let gate = activation?.write(asked, into: &plan) ?? asked
    // (1 − g)·x + g·y is x + g·(y − x).
    let wanted = form == .highway ? plan.add(result, stream, alpha: beta, beta: -alpha) : result
    let taken = plan.multiply(gate, wanted)
    return plan.add(stream, taken, alpha: alpha, beta: form == .highway ? 1 : beta)
  }
}
