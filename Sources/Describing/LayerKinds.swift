import Components

/// Tells which layers are the same: the same operators, set to the same, wired alike, over tensors of the same names and
/// shapes.
struct LayerKinds {
  /// What makes a step of one layer the same as one of another.
  struct Kind: Hashable {
    let scope: [String]
    let role: Step.Role
    let operation: AnyHashable
    let widths: [Int]
    let tensors: [String]
    let inputs: [Origin]
  }

  /// Where a value comes from, as seen from a layer.
  enum Origin: Hashable {
    /// The first that the layer reads: the residual stream.
    case stream
    /// Output `output` of the layer's own step `step`.
    case own(step: Int, output: Int)
    /// Output `output` of a step of a layer `distance` layers before.
    case earlier(distance: Int, step: Int, output: Int)
    /// A value from outside the layers.
    case shared(Int)
  }

  private let plan: Plan
  /// For each value that a layer writes, the layer, the place of the step in it and the place among its outputs.
  private var writers: [Int: (stack: String?, layer: Int, step: Int, output: Int)] = [:]

  init(_ plan: Plan) {
    self.plan = plan
    var counts: [TensorName: Int] = [:]
    for step in plan.steps {
      guard let layer = step.scope.layer else { continue }
      let place = TensorName(stack: step.scope.stack, layer: layer)
      for (index, output) in step.outputs.enumerated() {
        writers[output.index] = (step.scope.stack, layer, counts[place, default: 0], index)
      }
      counts[place, default: 0] += 1
    }
  }

  /// The kinds of the steps of one layer, in order: equal for layers that are the same.
  func kinds(of steps: [Step]) -> [Kind] {
    let stream = steps.first?.inputs.first
    return steps.map { step in
      Kind(
        scope: step.scope.path, role: step.role, operation: AnyHashable(step.operation),
        widths: (step.inputs + step.outputs).map(\.width), tensors: step.tensorNames(in: plan),
        inputs: step.inputs.map { value in
          if value == stream { return .stream }
          guard let writer = writers[value.index], let own = step.scope.layer, writer.stack == step.scope.stack else {
            return .shared(value.index)
          }
          return writer.layer == own
            ? .own(step: writer.step, output: writer.output)
            : .earlier(distance: own - writer.layer, step: writer.step, output: writer.output)
        })
    }
  }
}
