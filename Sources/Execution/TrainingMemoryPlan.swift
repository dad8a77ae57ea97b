import Components

/// Where the buffers of a training pass lie: those that never live at one time share memory, and a step that may works in
/// place.
///
/// There are two regions, for the rows of every other axis and for the rows of a block of the tail; offsets are in
/// elements per row.
struct TrainingMemoryPlan {
  let lives: TrainingLives
  /// For each buffer, where it starts in the region of its rows.
  private(set) var offsets: [Int]
  /// Numbers per row of the two regions.
  private(set) var tokenWidth = 0
  private(set) var outputWidth = 0

  private struct Taken {
    var start: Int
    var end: Int
    var buffer: Int
  }
  /// What lies in the region of the tail's rows, and what in that of all others.
  private var taken: [Bool: [Taken]] = [true: [], false: []]

  init(_ schedule: TrainingSchedule) {
    let lives = TrainingLives(schedule)
    self.lives = lives
    offsets = Array(repeating: 0, count: lives.buffers.count)
    var born: [Int: [Int]] = [:]
    for (index, buffer) in lives.buffers.enumerated() { born[buffer.birth, default: []].append(index) }
    for (time, action) in schedule.actions.enumerated() {
      var heirs = heirs(of: lives.uses[time], action, in: schedule, at: time)
      for buffer in born[time] ?? [] {
        if let inherited = heirs.removeValue(forKey: buffer) { inherit(buffer, inherited) } else { place(buffer) }
      }
      for isTail in taken.keys { taken[isTail]?.removeAll { lives.buffers[$0.buffer].death <= time } }
    }
  }

  /// The buffers that are born in an action and take over the memory of others, which die in it: heirs and theirs.
  private func heirs(
    of use: TrainingLives.Use, _ action: TrainingSchedule.Action, in schedule: TrainingSchedule, at time: Int
  ) -> [Int: Int] {
    func canInherit(_ heir: Int, _ other: Int) -> Bool {
      let (new, old) = (lives.buffers[heir], lives.buffers[other])
      return new.birth == time && old.death == time && new.width == old.width && new.axis == old.axis
    }
    switch action {
    case .forward(let index):
      let step = schedule.plan.steps[index]
      guard let place = step.operation.traits.overwritableInput, let other = use.inputs[place],
        let heir = use.outputs.first ?? nil,
        step.inputs.count(where: { $0 == step.inputs[place] }) == 1, canInherit(heir, other)
      else { return [:] }
      return [heir: other]
    case .backward(let index):
      let operation = schedule.plan.steps[index].operation
      guard operation.traits.assignsGradients else { return [:] }
      if let place = operation.traits.overwritableGradient, let heir = use.inputGradients[place],
        let other = use.outputGradients.first ?? nil, !use.inputGradientsHoldSome[place], canInherit(heir, other)
      {
        return [heir: other]
      }
      if let place = operation.traits.gradientReplacesInput, let heir = use.inputGradients[place],
        let other = use.inputs[place],
        !use.inputGradientsHoldSome[place], canInherit(heir, other)
      {
        return [heir: other]
      }
      return [:]
    }
  }

  private mutating func inherit(_ heir: Int, _ other: Int) {
    let isTail = lives.buffers[heir].isTail
    offsets[heir] = offsets[other]
    if let index = taken[isTail]?.firstIndex(where: { $0.buffer == other }) { taken[isTail]?[index].buffer = heir }
  }

  /// Takes the first room that is large enough.
  private mutating func place(_ buffer: Int) {
    let (width, isTail) = (lives.buffers[buffer].width, lives.buffers[buffer].isTail)
    var list = taken[isTail] ?? []
    var start = 0
    var index = 0
    while index < list.count, start + width > list[index].start {
      start = max(start, list[index].end)
      index += 1
    }
    list.insert(Taken(start: start, end: start + width, buffer: buffer), at: index)
    taken[isTail] = list
    offsets[buffer] = start
    if isTail {
      outputWidth = max(outputWidth, start + width)
    } else {
      tokenWidth = max(tokenWidth, start + width)
    }
  }
}
