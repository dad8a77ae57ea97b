import Components
import Kernels

/// The steps of a plan with the addresses of everything they read and write, bound once.
final class StepBinding {
  let steps: [BoundStep]
  private let values: UnsafeMutablePointer<Float>
  private let layout: MemoryPlan
  private let rows: Int
  private let tables = BindingTables()

  /// Binds `plan` over `values`, laid out by `layout` for passes of `rows` rows that multiply in `computeType`.
  init(
    _ plan: Plan, _ parameters: Parameters, values: UnsafeMutablePointer<Float>, layout: MemoryPlan, rows: Int,
    computeType: ComputeType
  ) {
    self.values = values
    self.layout = layout
    self.rows = rows
    let tables = tables
    func bind(_ value: Value) -> BoundValue {
      BoundValue(values + layout.offsets[value.index] * rows, width: value.width, axis: value.axis)
    }
    steps = plan.steps.map { step in
      BoundStep(
        axis: step.axis, inputs: tables.table(step.inputs.map(bind)), outputs: tables.table(step.outputs.map(bind)),
        parameters: tables.table(step.parameters.map { parameters.bound[$0] }), states: tables.table(step.states),
        computeType: computeType)
    }
  }

  /// Where the rows of `value` start.
  func address(of value: Value) -> UnsafeMutablePointer<Float> { values + layout.offsets[value.index] * rows }
}
