import Components

/// The steps of a plan with the addresses of everything they read and write, bound once.
final class StepBinding {
  let steps: [BoundStep]
  private let values: UnsafeMutablePointer<Float>
  private let layout: MemoryPlan
  private let rows: Int
  private var tables: [UnsafeMutableRawPointer] = []

  /// Binds `plan` over `values`, laid out by `layout` for passes of `rows` rows. With `gradients`, for a backward too.
  init(
    _ plan: Plan, _ parameters: Parameters, values: UnsafeMutablePointer<Float>, layout: MemoryPlan, rows: Int,
    gradients: GradientMemory? = nil
  ) {
    self.values = values
    self.layout = layout
    self.rows = rows
    var tables: [UnsafeMutableRawPointer] = []
    /// A table that lives as long as the binding.
    func table<Element>(_ elements: [Element]) -> UnsafeBufferPointer<Element> {
      if elements.isEmpty { return UnsafeBufferPointer(start: nil, count: 0) }
      let memory = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
      memory.initialize(from: elements, count: elements.count)
      tables.append(UnsafeMutableRawPointer(memory))
      return UnsafeBufferPointer(start: memory, count: elements.count)
    }
    /// A value in memory laid out like the values'.
    func bind(_ value: Value, over base: UnsafeMutablePointer<Float>) -> BoundValue {
      BoundValue(base + layout.offsets[value.index] * rows, width: value.width, extent: value.extent)
    }
    steps = plan.steps.enumerated().map { index, step in
      BoundStep(
        inputs: table(step.inputs.map { bind($0, over: values) }),
        outputs: table(step.outputs.map { bind($0, over: values) }),
        kept: table(gradients?.kept(of: index) ?? []),
        parameters: table(step.parameters.map { parameters.bound[$0] }),
        states: table(step.states),
        inputGradients: table(
          gradients.map { memory in
            step.inputs.map { memory.isWanted($0) ? bind($0, over: memory.values.base) : nil }
          } ?? []),
        outputGradients: table(
          gradients.map { memory in step.outputs.map { bind($0, over: memory.values.base) } } ?? []),
        parameterGradients: table(
          gradients.map { memory in step.parameters.map { memory.parameters[$0].base } } ?? []))
    }
    self.tables = tables
  }

  deinit {
    for table in tables { table.deallocate() }
  }

  /// Where the rows of `value` start.
  func address(of value: Value) -> UnsafeMutablePointer<Float> { values + layout.offsets[value.index] * rows }
}
