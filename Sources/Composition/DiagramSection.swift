import Components

/// Gathers the steps of one section of a plan into nodes.
struct DiagramSection {
  private struct Group {
    let kind: Diagram.Node.Kind
    let title: String
    var steps: [Step]
  }

  let plan: Plan
  /// Whether everything belongs to one box: what happens to tokens before the first layer.
  let isBeforeLayers: Bool
  /// Values that steps share without reading anything of the line.
  private let shared: Set<Value>
  private var groups: [Group] = []

  init(plan: Plan, isBeforeLayers: Bool) {
    self.plan = plan
    self.isBeforeLayers = isBeforeLayers
    shared = Set(plan.steps.lazy.filter { $0.inputs.isEmpty && $0.parameters.isEmpty }.flatMap(\.outputs))
  }

  mutating func add(_ step: Step) {
    // What many steps share, such as a table of angles, stands in the words of the steps that use it.
    if step.inputs.isEmpty && step.parameters.isEmpty { return }
    // Choosing rows is bookkeeping.
    if step.parameters.isEmpty, let input = step.inputs.first, input.extent != step.outputs.first?.extent { return }
    let scope =
      isBeforeLayers ? "embed" : step.localScope.split(separator: ".").first.map(String.init) ?? ""
    if !scope.isEmpty, groups.last?.title == scope {
      groups[groups.count - 1].steps.append(step)
    } else if !scope.isEmpty {
      groups.append(Group(kind: .box, title: scope, steps: [step]))
    } else {
      let title = step.parameters.first.map { tensorOwner(plan.parameters[$0].name) } ?? ""
      groups.append(Group(kind: step.operation is Combine ? .sum : .bead, title: title, steps: [step]))
    }
  }

  /// Numbers in a row of what the last of them gives.
  var width: Int { groups.last?.steps.last?.outputs.first?.width ?? 0 }

  /// The nodes. `counted` are the tensors that stand in nodes before: a tied matrix is counted once.
  func finished(counted: inout Set<Int>) -> [Diagram.Node] {
    var nodeOfValue: [Value: Int] = [:]
    var nodes: [Diagram.Node] = []
    for group in drawingOrder {
      var inside: Set<Value> = []
      var inputs: [Int] = []
      for step in group.steps {
        for value in step.inputs where !inside.contains(value) && !shared.contains(value) {
          // What no node of this section gives came in from before.
          let node = nodeOfValue[value] ?? 0
          if group.kind == .sum || !inputs.contains(node) { inputs.append(node) }
        }
        inside.formUnion(step.outputs)
      }
      var count = 0
      var lines = DiagramLines(plan: plan, counted: counted)
      for step in group.steps {
        lines.add(step)
        for index in step.parameters where counted.insert(index).inserted { count += plan.parameters[index].count }
      }
      nodes.append(
        Diagram.Node(
          kind: group.kind, title: group.title, lines: lines.finished, inputs: inputs, parameterCount: count,
          heads: group.steps.lazy.compactMap { $0.operation as? Attend }.first.map {
            Diagram.Heads(queries: $0.heads, keys: $0.keyHeads, window: $0.window)
          }))
      for value in inside { nodeOfValue[value] = nodes.count }
    }
    return nodes
  }

  /// The groups with every sum as late as it may stand, so that branches of one line lie side by side before they join.
  private var drawingOrder: [Group] {
    var waiting = groups
    var missing = Set(groups.flatMap(\.steps).flatMap(\.outputs))
    var order: [Group] = []
    while !waiting.isEmpty {
      let isReady = { (group: Group) in
        let own = Set(group.steps.flatMap(\.outputs))
        return group.steps.allSatisfy { $0.inputs.allSatisfy { !missing.contains($0) || own.contains($0) } }
      }
      let next =
        waiting.firstIndex { $0.kind != .sum && isReady($0) } ?? waiting.firstIndex(where: isReady)
        ?? waiting.startIndex
      let group = waiting.remove(at: next)
      missing.subtract(group.steps.flatMap(\.outputs))
      order.append(group)
    }
    return order
  }

  /// `attn_norm` of `layers.3.attn_norm.weight`.
  private func tensorOwner(_ name: String) -> String {
    let words = name.split(separator: ".").map(String.init)
    return words.count > 1 ? words[words.count - 2] : name
  }
}
