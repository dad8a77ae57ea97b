import Components
import Kernels

/// Two stacks that are run in cycles: a low one several times, then a high one, each on the sum of both their states.
///
///     z_L ← norm(L(z_L + z_H)), `low_cycles` times;   z_H ← norm(H(z_H + z_L));   all that again; z_H starts as the embedding, z_L learned
///
/// Wang et al., 2025 (hierarchical reasoning models), https://arxiv.org/abs/2506.21734; of text as HRM-Text. The model's layers are the runs
/// one after the other: `layers` of them are one run of a stack, and every run of a stack has the same tensors, `low.0`, `high.0` and
/// so on. Each caches keys and values of its own. The careful reader's mistake: the last norm of a run is no layer's, and what
/// leaves the last run is normalized, so that none is due before the head.
///
/// Examples: `{layers: 1, low_cycles: 1}` `{layers: 1, low_cycles: 1, inner: {placement: sandwich}}`
public struct Cycles: Block {
  public static let name = "cycles"

  /// The states of both stacks.
  private struct States: Sendable {
    var low: Value
    var high: Value
  }

  let layers: Int
  let lowCycles: Int
  let inner: (any Block)?
  let place: Place?

  public init(_ options: Options) {
    place = options.place
    layers = options.requiredInteger("layers", in: 1...65536, "how many layers each of the two stacks has")
    lowCycles = options.requiredInteger("low_cycles", in: 1...1024, "how often the low stack runs before the high one")
    inner = options.component("inner", default: "block", slot: .block, "how sublayers stand in a layer")
    let cycle = layers * (lowCycles + 1)
    if !options.isDescribing, options.shape.layerCount % cycle != 0 {
      options.fail(
        "layers", "\(options.shape.layerCount) layers are not whole cycles of \(cycle)",
        hint: "a cycle has low_cycles + 1 runs of as many layers")
    }
  }

  public var needsFinalNorm: Bool { false }
  public var differsByLayer: Bool { true }

  public func write(_ x: Value, sublayers: [Sublayer], norm: any Normalization, into plan: inout PlanBuilder) -> Value {
    let index = plan.scope.layer ?? 0
    let (run, layer) = index.quotientAndRemainder(dividingBy: layers)
    let isLow = run % (lowCycles + 1) < lowCycles
    var stream = x
    if layer == 0 {
      let states = plan.left(States.self) ?? start(x, into: &plan)
      plan.leave(states)
      stream = isLow ? plan.add(states.low, states.high) : plan.add(states.high, states.low)
    }
    let before = stream
    let y = plan.withTensors(of: "\(isLow ? "low" : "high").\(layer)") { plan in
      inner?.write(before, sublayers: sublayers, norm: norm, into: &plan) ?? before
    }
    guard layer == layers - 1 else { return y }
    let result =
      inner?.needsFinalNorm == false
      ? y
      : plan.withTensors(of: isLow ? "low" : "high") { plan in
        norm.write(y, named: "norm", over: .row, into: &plan)
      }
    if var states = plan.left(States.self) {
      if isLow { states.low = result } else { states.high = result }
      plan.leave(states)
    }
    return result
  }

  private func start(_ x: Value, into plan: inout PlanBuilder) -> States {
    let low = plan.outsideLayers { plan in
      let row = plan.parameter("low.start", shape: [x.width], starts: .zeros, use: .vector)
      return plan.apply(LearnedRow(), to: x, parameters: [row])
    }
    return States(low: low, high: x)
  }

  /// The same learned row for each row of a value.
  ///
  ///     y = b        b: [width]
  struct LearnedRow: Kernel {
    let name = "learned row"

    var traits: OperatorTraits { OperatorTraits(isRowwise: true, backwardReadsInputs: .none) }

    func forward(_ context: ForwardContext) {
      let (y, b) = (context.output(), context.parameter().vector)
      for row in 0..<y.count { y[row].update(from: b, count: y.width) }
    }

    /// `db += Σ dy`.
    func backward(_ context: BackwardContext) {
      guard let db = context.parameterGradient() else { return }
      let dy = context.outputGradient()
      for row in 0..<dy.count { add(dy[row], scaledBy: 1, to: db, count: dy.width) }
    }

    func flops(step: Step, context: Int) -> Int { 0 }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      call.parameter().method("expand_as", call.input())
    }
  }
}
