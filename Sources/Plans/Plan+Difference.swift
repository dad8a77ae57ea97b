extension Plan {
  /// Where two plans first compute something else: what this one has there, and what the other has.
  public struct Difference: Sendable, Equatable {
    /// What stands in this plan.
    public let own: String
    /// What stands in its place in the other.
    public let other: String

    /// A difference between `own` and `other`.
    public init(own: String, other: String) {
      self.own = own
      self.other = other
    }
  }

  /// The first thing that makes `other` compute something else; nil when both compute the same.
  ///
  /// Names, and how tensors start, make no difference. All steps are compared, and all of their attributes.
  public func difference(from other: Plan) -> Difference? {
    for (a, b) in zip(parameters, other.parameters) where a.name != b.name || a.shape != b.shape || a.use != b.use {
      return Difference(own: "\(a.name) \(a.shape)", other: "\(b.name) \(b.shape)")
    }
    if let lone = lone(parameters.map(\.name.text), other.parameters.map(\.name.text)) { return lone }
    for (a, b) in zip(steps, other.steps) where !a.computes(like: b) {
      return Difference(own: a.words(against: b), other: b.words(against: a))
    }
    if let lone = lone(steps.map { $0.words() }, other.steps.map { $0.words() }) { return lone }
    for (a, b) in zip(states, other.states) where a != b {
      return Difference(own: "the state \(a.name), \(a.extent)", other: "\(b.name), \(b.extent)")
    }
    if logits != other.logits {
      return Difference(own: "logits of width \(logits.width)", other: "logits of width \(other.logits.width)")
    }
    if longestSequence != other.longestSequence {
      return Difference(
        own: "sequences of up to \(longestSequence.map(String.init) ?? "any number of") tokens",
        other: "of up to \(other.longestSequence.map(String.init) ?? "any number of")")
    }
    return nil
  }

  /// The first of the longer list that the shorter has no more.
  private func lone(_ own: [String], _ other: [String]) -> Difference? {
    if own.count > other.count { return Difference(own: own[other.count], other: "nothing") }
    if other.count > own.count { return Difference(own: "nothing", other: other[own.count]) }
    return nil
  }
}

extension Step {
  /// Whether it is the same operator over the same values, tensors and states; where drawings show it is no matter.
  fileprivate func computes(like other: Step) -> Bool {
    operation.isEqual(to: other.operation) && inputs == other.inputs && outputs == other.outputs
      && parameters == other.parameters && states == other.states && scope == other.scope
  }

  /// The step in a few words; of the same operator, only the attributes in which `other` differs.
  fileprivate func words(against other: Step? = nil) -> String {
    let named = "\(operation.name)" + (scope == TensorName() ? "" : " in \(scope)")
    guard let other, other.operation.name == operation.name, other.scope == scope else { return named }
    let own = operation.attributes.filter { !other.operation.attributes.contains($0) }
    if own.isEmpty {
      return "\(named) of \(inputs.map { "x\($0.index) (\($0.width))" }.joined(separator: ", "))"
    }
    return "\(named): " + own.map(\.description).joined(separator: ", ")
  }
}
