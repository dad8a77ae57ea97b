import Components

/// The gradients of a plan's values and learned tensors, and what forward keeps for backward.
final class GradientMemory {
  /// The values' gradients, laid out like the values.
  let values: FloatBuffer
  /// The learned tensors' gradients, in the plan's order.
  let parameters: [FloatBuffer]
  private let wanted: [Bool]
  private let keptMemory: FloatBuffer
  private var keptOffsets: [[(offset: Int, width: Int)]] = []
  private let extents: [Value.Extent]
  private let rows: Int

  init(_ plan: Plan, layout: MemoryPlan, rows: Int) throws(ExecutionProblem) {
    self.rows = rows
    values = try FloatBuffer(count: layout.width * rows)
    var parameters: [FloatBuffer] = []
    for tensor in plan.parameters { parameters.append(try FloatBuffer(count: tensor.count)) }
    self.parameters = parameters
    // A value has a gradient when a learned tensor has a part in it.
    var wanted = Array(repeating: false, count: plan.values.count)
    var offset = 0
    for step in plan.steps {
      let learned = !step.parameters.isEmpty || step.inputs.contains { wanted[$0.index] }
      for output in step.outputs { wanted[output.index] = learned }
      keptOffsets.append(
        step.kept.map { width in
          defer { offset += width * rows }
          return (offset, width)
        })
    }
    self.wanted = wanted
    extents = plan.steps.map { $0.outputs.first?.extent ?? .tokens }
    keptMemory = try FloatBuffer(count: offset)
  }

  func isWanted(_ value: Value) -> Bool { wanted[value.index] }

  func kept(of step: Int) -> [BoundValue] {
    keptOffsets[step].map { BoundValue(keptMemory.base + $0.offset, width: $0.width, extent: extents[step]) }
  }

  /// Sets all gradients to zero.
  func clear() {
    values.base.update(repeating: 0, count: values.count)
    for gradient in parameters { gradient.base.update(repeating: 0, count: gradient.count) }
  }
}
