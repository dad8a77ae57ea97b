import Components
import Execution

/// One step run by itself: in memory between walls, with nothing in it but what the step is owed.
final class StepRun {
  let step: Step
  private let kernel: any Kernel
  private let plan: Plan
  private let pass: WalkPass
  private let inputs: [GuardedMemory]
  private let outputs: [GuardedMemory]
  private let saved: [GuardedMemory]
  private let inputGradients: [GuardedMemory?]
  private let outputGradients: [GuardedMemory]
  private let parameterGradients: [GuardedMemory]
  private let scratch: GuardedMemory
  private let scratchWidth: Int
  private let sharedScratch: GuardedMemory
  private let parameters: [Parameter]
  private let tables = Tables()

  /// The step over the rows of `pass`; the inputs that `isLearned` have gradients.
  init?(_ step: Step, of plan: Plan, _ parameters: Parameters, over pass: WalkPass, threads: Int, isLearned: [Bool]) {
    guard let kernel = step.operation as? any Kernel else { return nil }
    self.step = step
    self.kernel = kernel
    self.plan = plan
    self.pass = pass
    self.parameters = step.parameters.map(parameters.parameter)
    let rows = pass.rows
    inputs = step.inputs.map { GuardedMemory($0.width * rows) }
    outputs = step.outputs.map { GuardedMemory($0.width * rows) }
    saved = step.saved.map { GuardedMemory($0 * rows) }
    inputGradients = step.inputs.map { isLearned[$0.index] ? GuardedMemory($0.width * rows) : nil }
    outputGradients = step.outputs.map { GuardedMemory($0.width * rows) }
    parameterGradients = step.parameters.map { GuardedMemory(plan.parameters[$0].count) }
    // Exactly what the step asks for.
    scratchWidth = kernel.scratch(step: step, rows: rows, context: max(rows, pass.context))
    scratch = GuardedMemory(scratchWidth * threads)
    sharedScratch = GuardedMemory(kernel.sharedScratch(step: step, rows: rows))
  }

  /// The outputs for `values` of the inputs, and what is wrong with how they came about.
  func forward(_ values: [[Float]]) -> (outputs: [[Float]], faults: [String]) {
    for (memory, numbers) in zip(inputs, values) { memory.fill(numbers) }
    for memory in outputs + saved + [scratch, sharedScratch] { memory.fill(.nan) }
    kernel.forward(
      ForwardContext(bound(), in: pass.pass(scratch: scratch, width: scratchWidth, shared: sharedScratch)))
    clearBeyond(outputs, step.outputs)
    let results = outputs.map(\.numbers)
    var faults = walls()
    for (index, memory) in inputs.enumerated()
    where memory.numbers != values[index] && !values[index].contains(where: \.isNaN) {
      faults.append("writes over its input \(index)")
    }
    for (index, numbers) in results.enumerated() {
      if let place = numbers.firstIndex(where: \.isNaN), !values.joined().contains(where: \.isNaN) {
        let width = step.outputs[index].width
        faults.append(
          "leaves its output unwritten, or gives no number, at row \(place / width), number \(place % width)")
      }
    }
    return (results, faults)
  }

  /// Gradients of the inputs and tensors, given those of the outputs, after a forward; with `adding` they are added to
  /// numbers that are there already, and what is told is the sum.
  func backward(_ gradients: [[Float]], adding before: Float? = nil) -> (
    inputs: [[Float]?], parameters: [[Float]], faults: [String]
  ) {
    for (memory, numbers) in zip(outputGradients, gradients) { memory.fill(numbers) }
    for memory in [scratch, sharedScratch] { memory.fill(.nan) }
    // What it says that it does not read is not there.
    for (index, memory) in inputs.enumerated() where !step.operation.traits.backwardReadsInputs.contains(index) {
      memory.fill(.nan)
    }
    if !step.operation.traits.backwardReadsOutputs { for memory in outputs { memory.fill(.nan) } }
    let start = before ?? (step.operation.traits.assignsGradients ? .nan : 0)
    for memory in inputGradients.compactMap({ $0 }) + parameterGradients { memory.fill(start) }
    let accumulates = before != nil || !step.operation.traits.assignsGradients
    kernel.backward(
      BackwardContext(
        bound(accumulates: accumulates), in: pass.pass(scratch: scratch, width: scratchWidth, shared: sharedScratch)))
    for (memory, value) in zip(inputGradients, step.inputs) {
      if let memory { clearBeyond([memory], [value], to: before ?? 0) }
    }
    return (inputGradients.map { $0?.numbers }, parameterGradients.map(\.numbers), walls())
  }

  /// Sets what stands behind the rows of axes that have fewer than the pass: nobody writes those.
  private func clearBeyond(_ memory: [GuardedMemory], _ values: [Value], to number: Float = 0) {
    for (memory, value) in zip(memory, values) {
      for place in pass.rows(on: value.axis) * value.width..<memory.count { memory.base[place] = number }
    }
  }

  private func walls() -> [String] {
    var faults: [String] = []
    if outputs.contains(where: { !$0.isIntact }) { faults.append("writes beyond its output") }
    if inputs.contains(where: { !$0.isIntact }) { faults.append("writes beyond its input") }
    if saved.contains(where: { !$0.isIntact }) { faults.append("saves more than its savedWidths \(step.saved)") }
    for memory in [scratch, sharedScratch] where !memory.isIntact {
      faults.append("uses more scratch memory than the \(memory.count) numbers that it declares")
    }
    if (inputGradients.compactMap { $0 } + parameterGradients).contains(where: { !$0.isIntact }) {
      faults.append("writes beyond a gradient")
    }
    return faults
  }

  private func bound(accumulates: Bool = false) -> BoundStep {
    func values(_ memory: [GuardedMemory], _ values: [Value]) -> [BoundValue] {
      zip(memory, values).map { BoundValue($0.base, width: $1.width, axis: $1.axis) }
    }
    var bound = BoundStep(
      axis: step.axis, inputs: tables.table(values(inputs, step.inputs)),
      outputs: tables.table(values(outputs, step.outputs)),
      parameters: tables.table(parameters), states: tables.table(step.states), computeType: .f32)
    bound.saved = tables.table(zip(saved, step.saved).map { BoundValue($0.base, width: $1, axis: step.axis) })
    bound.outputGradients = tables.table(values(outputGradients, step.outputs))
    bound.inputGradients = tables.table(
      zip(inputGradients, step.inputs).map { memory, value in
        memory.map { BoundValue($0.base, width: value.width, axis: value.axis) }
      })
    bound.inputGradientsAccumulate = tables.table(step.inputs.map { _ in accumulates })
    bound.parameterGradients = tables.table(parameterGradients.map { $0.base })
    bound.parameterGradientsAccumulate = tables.table(step.parameters.map { _ in accumulates })
    return bound
  }
}

/// Tables that live as long as this does.
private final class Tables {
  private var release: [() -> Void] = []

  func table<Element>(_ elements: [Element]) -> UnsafeBufferPointer<Element> {
    let table = UnsafeMutableBufferPointer<Element>.allocate(capacity: elements.count)
    _ = table.initialize(from: elements)
    release.append { table.deallocate() }
    return UnsafeBufferPointer(table)
  }

  deinit { for release in release { release() } }
}
