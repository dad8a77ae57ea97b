import Components

/// A gate on what heads give: an activation of a projection of the sublayer's input, for each number or each head.
///
///     y = act(x·Wgᵀ) ⊙ heads
struct OutputGate {
  enum Width: String, CaseIterable { case channel, head }

  let per: Width
  let bias: Bool
  let activation: (any Activation)?

  init(_ options: Options) {
    per = options.choice("per", default: Width.channel, "whether each number has a gate, or each head")
    bias = options.flag("bias", default: false, "whether its projection has a bias")
    activation = options.component("activation", default: "sigmoid", slot: .activation, "its nonlinearity")
  }

  func write(_ mixed: Value, from x: Value, heads: Int, into plan: inout PlanBuilder) -> Value {
    let gate = plan.linear(x, to: per == .head ? heads : mixed.width, named: "gate", bias: bias)
    let opened = activation?.write(gate, into: &plan) ?? gate
    if per == .channel { return plan.multiply(opened, mixed) }
    return plan.apply(ScaleHeads(heads: heads), to: mixed, opened, width: mixed.width)
  }
}

/// Every head of a row times a number of its own.
///
///     y[head h] = x[head h]·g[h]
struct ScaleHeads: Operator {
  let name = "scale heads"
  let heads: Int

  var overwritableInput: Int? { 0 }
  var isRowwise: Bool { true }

  func forward(_ context: ForwardContext) {
    let (x, g, y) = (context.input(0), context.input(1), context.output())
    let width = x.width / heads
    context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
      for row in rows {
        for i in 0..<x.width { y[row][i] = x[row][i] * g[row][i / width] }
      }
    }
  }

  /// `dx += dy·g`, `dg[h] += Σ dy ⊙ x` over head h.
  func backward(_ context: BackwardContext) {
    let (x, g, dy) = (context.input(0), context.input(1), context.outputGradient())
    let (dx, dg) = (context.inputGradient(0), context.inputGradient(1))
    let width = x.width / heads
    for row in 0..<dy.count {
      for i in 0..<dy.width {
        if let dx { dx[row][i] += dy[row][i] * g[row][i / width] }
        if let dg { dg[row][i / width] += dy[row][i] * x[row][i] }
      }
    }
  }

  func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
}
