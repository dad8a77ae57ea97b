import Components

extension Plan {
  /// The plan with fewer and larger steps, and the same logits: rows that give no logits leave early, steps that read
  /// the same are joined, and steps that feed one other are done with it.
  ///
  /// The passes go by what operators say of themselves, so they hold for compositions that nobody has written yet.
  public func fused() -> Plan { selectingEarly().joiningSiblings().fusingFollowers() }
}

/// Who reads the values of a list of steps.
struct Readers {
  private var steps: [Int: [Int]] = [:]

  init(of steps: [Step]) {
    for (index, step) in steps.enumerated() {
      for value in Set(step.inputs.map(\.index)) { self.steps[value, default: []].append(index) }
    }
  }

  subscript(value: Value) -> [Int] { steps[value.index] ?? [] }
}
