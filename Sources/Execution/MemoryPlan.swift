import Components

/// Where the values of a plan lie while it runs: memory is shared by values that are never needed at one time.
struct MemoryPlan {
  /// For each value, where it starts, in numbers per row of a pass.
  private(set) var offsets: [Int]
  /// Numbers per row of a pass that all values take together.
  private(set) var width: Int

  /// Values share memory by lifetime: each is placed at the first free offset when it is written, and freed after the
  /// last step that reads it. A step that may overwrite an input does so when nobody reads that input later.
  init(sharingIn plan: Plan) {
    offsets = Array(repeating: 0, count: plan.values.count)
    width = 0
    var lastUse = Array(repeating: -1, count: plan.values.count)
    for (index, step) in plan.steps.enumerated() {
      for value in step.inputs + step.outputs { lastUse[value.index] = index }
    }
    lastUse[plan.logits.index] = plan.steps.count
    var taken: [(start: Int, end: Int, value: Int)] = []  // sorted by start
    for (index, step) in plan.steps.enumerated() {
      for (position, output) in step.outputs.enumerated() {
        if position == 0, let overwritten = step.operation.traits.overwritableInput,
          case let input = step.inputs[overwritten], input.width == output.width, input.axis == output.axis,
          lastUse[input.index] == index, step.inputs.count(where: { $0 == input }) == 1,
          let slot = taken.firstIndex(where: { $0.value == input.index })
        {
          offsets[output.index] = offsets[input.index]
          taken[slot].value = output.index
          continue
        }
        var start = 0
        var slot = 0
        while slot < taken.count, start + output.width > taken[slot].start {
          start = max(start, taken[slot].end)
          slot += 1
        }
        taken.insert((start, start + output.width, output.index), at: slot)
        offsets[output.index] = start
        width = max(width, start + output.width)
      }
      taken.removeAll { lastUse[$0.value] <= index }
    }
  }
}
