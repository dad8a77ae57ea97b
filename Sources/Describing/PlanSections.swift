import Components

/// The steps of a plan in the sections that people think in: before the layers, each distinct layer once, after them.
public struct PlanSections: Sendable {
  /// Steps that stand together.
  public struct Section: Sendable {
    /// The layers that these steps stand for; empty outside the layers.
    public let layers: [Int]
    /// The steps, of the first of those layers.
    public let steps: [Step]
    /// Numbers learned in one of them.
    public let parameterCount: Int
  }

  /// The sections in order.
  public let sections: [Section]

  /// The sections of `plan`. Layers whose steps read alike share a section.
  public init(_ plan: Plan) {
    var before: [Step] = []
    var after: [Step] = []
    var layers: [Int: [Step]] = [:]
    // What layers share is written when the first of them asks for it, but stands before them all.
    var fromLayers: Set<Value> = []
    for step in plan.steps {
      if let layer = step.scope.layer {
        layers[layer, default: []].append(step)
        fromLayers.formUnion(step.outputs)
      } else if fromLayers.isDisjoint(with: step.inputs) {
        before.append(step)
      } else {
        after.append(step)
        fromLayers.formUnion(step.outputs)
      }
    }
    let kindOfSteps = LayerKinds(plan)
    var kinds: [[LayerKinds.Kind]: Int] = [:]
    var groups: [[Int]] = []
    for layer in layers.keys.sorted() {
      let key = kindOfSteps.kinds(of: layers[layer] ?? [])
      if let group = kinds[key] {
        groups[group].append(layer)
      } else {
        kinds[key] = groups.count
        groups.append([layer])
      }
    }
    var counted: Set<Int> = []
    // A tensor belongs to the section that uses it first: a tied head adds nothing.
    let count = { (steps: [Step]) in
      steps.flatMap(\.parameters).reduce(0) { counted.insert($1).inserted ? $0 + plan.parameters[$1].count : $0 }
    }
    var sections = [Section(layers: [], steps: before, parameterCount: count(before))]
    for group in groups {
      let steps = layers[group[0]] ?? []
      sections.append(Section(layers: group, steps: steps, parameterCount: count(steps)))
    }
    sections.append(Section(layers: [], steps: after, parameterCount: count(after)))
    self.sections = sections.filter { !$0.steps.isEmpty }
  }
}
