import Components

/// Where the buffers of a training pass lie: those that never live at one time share memory, and a step that may works in
/// place.
///
/// There are two regions, for the rows of every other axis and for the rows of a block of the tail; offsets are in
/// elements per row.
struct TrainingMemoryPlan {
  let lifetimes: TrainingLifetimes
  /// For each buffer, where it starts in the region of its rows.
  private(set) var offsets: [Int]
  /// Numbers per row of the two regions.
  private(set) var tokenWidth = 0
  private(set) var outputWidth = 0

  private struct Interval {
    var start: Int
    var end: Int
    var buffer: Int
  }
  /// What lies in the region of the tail's rows, and what in that of all others.
  private var taken: [Bool: [Interval]] = [true: [], false: []]

  init(_ schedule: TrainingSchedule) {
    let lifetimes = TrainingLifetimes(schedule)
    self.lifetimes = lifetimes
    offsets = Array(repeating: 0, count: lifetimes.buffers.count)
    var born: [Int: [Int]] = [:]
    for (index, buffer) in lifetimes.buffers.enumerated() { born[buffer.birth, default: []].append(index) }
    for (time, action) in schedule.actions.enumerated() {
      var aliases = aliases(of: lifetimes.uses[time], action, in: schedule, at: time)
      for buffer in born[time] ?? [] {
        if let aliased = aliases.removeValue(forKey: buffer) { reuse(buffer, aliased) } else { place(buffer) }
      }
      for isTail in taken.keys { taken[isTail]?.removeAll { lifetimes.buffers[$0.buffer].death <= time } }
    }
  }

  /// The buffers that are born in an action and take over the memory of others, which die in it: each with the buffer whose memory it reuses.
  private func aliases(
    of use: TrainingLifetimes.Use, _ action: TrainingSchedule.Action, in schedule: TrainingSchedule, at time: Int
  ) -> [Int: Int] {
    func canAlias(_ alias: Int, _ other: Int) -> Bool {
      let (new, old) = (lifetimes.buffers[alias], lifetimes.buffers[other])
      return new.birth == time && old.death == time && new.width == old.width && new.axis == old.axis
    }
    switch action {
    case .forward(let index):
      let step = schedule.plan.steps[index]
      guard let input = step.operation.traits.overwritableInput, let other = use.inputs[input],
        let alias = use.outputs.first ?? nil,
        step.inputs.count(where: { $0 == step.inputs[input] }) == 1, canAlias(alias, other)
      else { return [:] }
      return [alias: other]
    case .backward(let index):
      let operation = schedule.plan.steps[index].operation
      guard operation.traits.assignsGradients else { return [:] }
      if let input = operation.traits.overwritableGradient, let alias = use.inputGradients[input],
        let other = use.outputGradients.first ?? nil, !use.inputGradientsAccumulate[input], canAlias(alias, other)
      {
        return [alias: other]
      }
      if let input = operation.traits.gradientReplacesInput, let alias = use.inputGradients[input],
        let other = use.inputs[input],
        !use.inputGradientsAccumulate[input], canAlias(alias, other)
      {
        return [alias: other]
      }
      return [:]
    }
  }

  private mutating func reuse(_ alias: Int, _ other: Int) {
    let isTail = lifetimes.buffers[alias].isTail
    offsets[alias] = offsets[other]
    if let index = taken[isTail]?.firstIndex(where: { $0.buffer == other }) { taken[isTail]?[index].buffer = alias }
  }

  /// Takes the first room that is large enough.
  private mutating func place(_ buffer: Int) {
    let (width, isTail) = (lifetimes.buffers[buffer].width, lifetimes.buffers[buffer].isTail)
    var list = taken[isTail] ?? []
    var start = 0
    var index = 0
    while index < list.count, start + width > list[index].start {
      start = max(start, list[index].end)
      index += 1
    }
    list.insert(Interval(start: start, end: start + width, buffer: buffer), at: index)
    taken[isTail] = list
    offsets[buffer] = start
    if isTail {
      outputWidth = max(outputWidth, start + width)
    } else {
      tokenWidth = max(tokenWidth, start + width)
    }
  }
}
