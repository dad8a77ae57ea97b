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
  /// Values that steps share without reading anything of the residual stream, and those of other stacks.
  private let shared: Set<Value>
  private var groups: [Group] = []

  init(plan: Plan, stack: String? = nil, isBeforeLayers: Bool) {
    self.plan = plan
    self.isBeforeLayers = isBeforeLayers
    shared = Set(
      plan.steps.lazy.filter { $0.inputs.isEmpty && $0.parameters.isEmpty || $0.scope.stack != stack }
        .flatMap(\.outputs))
  }

  mutating func add(_ step: Step) {
    // What many steps share, such as a table of angles, stands in the words of the steps that use it.
    if step.inputs.isEmpty && step.parameters.isEmpty { return }
    // Choosing rows is bookkeeping.
    if step.parameters.isEmpty, step.axis == .outputs, let input = step.inputs.first, input.axis != .outputs { return }
    let scope =
      (isBeforeLayers ? Slot.embedding.scope : step.scope.path.first) ?? ""
    if !scope.isEmpty, groups.last?.title == scope {
      groups[groups.count - 1].steps.append(step)
    } else if !scope.isEmpty {
      groups.append(Group(kind: .box, title: scope, steps: [step]))
    } else {
      let title = step.parameters.first.map { Self.owner(plan.parameters[$0].name) } ?? ""
      groups.append(Group(kind: step.isSum ? .sum : .bead, title: title, steps: [step]))
    }
  }

  /// Numbers in a row of what the last of them gives.
  var width: Int { groups.last?.steps.last?.outputs.first?.width ?? 0 }

  /// The nodes. `counted` are the tensors that stand in nodes before: a tied matrix is counted once.
  func finished(counted: inout Set<Int>) -> [Diagram.Node] { nodes(of: groups, isInside: false, counted: &counted) }

  private func nodes(of groups: [Group], isInside: Bool, counted: inout Set<Int>) -> [Diagram.Node] {
    var nodeOfValue: [Value: Int] = [:]
    var nodes: [Diagram.Node] = []
    for group in inDrawingOrder(groups) {
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
      // Inside a box a part follows the part that made something for it, and what the box reads joins it there.
      if isInside, group.kind != .sum { inputs.sort { ($0 == 0 ? Int.max : $0) < ($1 == 0 ? Int.max : $1) } }
      nodes.append(node(of: group, reading: inputs, isInside: isInside, counted: &counted))
      for value in inside { nodeOfValue[value] = nodes.count }
    }
    return nodes
  }

  private func node(of group: Group, reading inputs: [Int], isInside: Bool, counted: inout Set<Int>) -> Diagram.Node {
    let stack = isInside ? stack(of: group.steps) : nil
    var lines = DiagramLines(plan: plan, counted: counted, isPart: isInside, isStack: stack != nil)
    for step in group.steps { lines.add(step) }
    let parts = isInside || group.kind != .box ? [] : parts(of: group.steps)
    let before = counted
    let inner = parts.isEmpty ? [] : nodes(of: parts, isInside: true, counted: &counted)
    counted.formUnion(group.steps.flatMap(\.parameters))
    let count = counted.subtracting(before).reduce(0) { $0 + plan.parameters[$1].count }
    return Diagram.Node(
      kind: group.kind, title: group.title, lines: lines.finished, inputs: inputs, parameterCount: count,
      heads: group.steps.lazy.compactMap { $0.operation as? Attend }.first.map {
        Diagram.Heads(queries: $0.heads, keys: $0.keyHeads, window: $0.window)
      }, stack: stack,
      inner: inner.isEmpty
        ? nil
        : Diagram.Section(
          layers: [], nodes: inner, parameterCount: count, width: group.steps.last?.outputs.first?.width ?? 0))
  }

  /// The parts that a box's component names, and what stands between them; nothing when it names none.
  private func parts(of steps: [Step]) -> [Group] {
    var parts: [Group] = []
    for step in steps {
      if !step.part.isEmpty, let index = parts.firstIndex(where: { $0.title == step.part }) {
        parts[index].steps.append(step)
      } else {
        let kind: Diagram.Node.Kind = !step.part.isEmpty ? .box : step.isSum ? .sum : .bead
        parts.append(Group(kind: kind, title: step.part, steps: [step]))
      }
    }
    return parts.contains { $0.kind == .box } ? parts : []
  }

  /// Of how many the tensors of `steps` are, when a token meets some of several.
  private func stack(of steps: [Step]) -> Diagram.Stack? {
    steps.lazy.flatMap(\.parameters).compactMap { index in
      let tensor = plan.parameters[index]
      return tensor.chosen.map { Diagram.Stack(count: tensor.shape[0], chosen: $0) }
    }.first
  }

  /// The groups with every sum as late as it may stand, so that branches of one line lie side by side before they join.
  private func inDrawingOrder(_ groups: [Group]) -> [Group] {
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
  private static func owner(_ name: TensorName) -> String { name.path.dropLast().last ?? name.text }
}

extension Step {
  /// Whether it is drawn as two lines that join.
  fileprivate var isSum: Bool { role == .sum || role == .residualAdd && inputs.count > 1 }
}
