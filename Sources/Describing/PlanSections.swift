import Components
import Composition

/// The steps of a plan in the sections that people think in: before the layers, each distinct layer once, after them.
public struct PlanSections: Sendable {
  /// Steps that stand together.
  public struct Section: Sendable {
    /// The stack that they stand in; nil for the text's.
    public let stack: String?
    /// The layers that these steps stand for; empty outside the layers.
    public let layers: [Int]
    /// The steps, of the first of those layers.
    public let steps: [Step]
    /// Numbers learned in one of them.
    public let parameterCount: Int
    /// Tensors that these layers share, by their numbers in the plan: none's own, and counted once.
    public let shared: Set<Int>
    /// Numbers of the shared tensors.
    public let sharedCount: Int
  }

  /// The sections in order.
  public let sections: [Section]

  /// The sections of `plan`, stack by stack. Layers whose steps read alike share a section.
  public init(_ plan: Plan) {
    var counted: Set<Int> = []
    // What a stack has of its own, tensors that it shares with none, is in its scope; the text's stack is the last.
    let stacks: [String?] = plan.stacks.map(\.name) + [nil]
    sections = stacks.flatMap { stack in
      Self.sections(of: plan, stack: stack, steps: plan.steps.filter { $0.scope.stack == stack }, counted: &counted)
    }
  }

  private static func sections(
    of plan: Plan, stack: String?, steps: [Step], counted: inout Set<Int>
  ) -> [Section] {
    var before: [Step] = []
    var after: [Step] = []
    var layers: [Int: [Step]] = [:]
    // What layers share is written when the first of them asks for it, but stands before them all.
    var fromLayers: Set<Value> = []
    for step in steps {
      if let layer = step.scope.layer {
        layers[layer, default: []].append(step)
        fromLayers.formUnion(step.outputs)
      } else if fromLayers.isDisjoint(with: step.inputs), !step.outputs.contains(where: { $0.axis == .outputs }) {
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
    // A tensor belongs to the section that uses it first: a tied head adds nothing.
    func count(_ steps: [Step]) -> Int {
      steps.flatMap(\.parameters).reduce(0) { counted.insert($1).inserted ? $0 + plan.parameters[$1].count : $0 }
    }
    func section(_ layers: [Int], _ steps: [Step]) -> Section {
      let shared: Set<Int> =
        layers.isEmpty
        ? []
        : Set(steps.flatMap(\.parameters)).filter { plan.parameters[$0].name.layer == nil && !counted.contains($0) }
      counted.formUnion(shared)
      return Section(
        stack: stack, layers: layers, steps: steps, parameterCount: count(steps), shared: shared,
        sharedCount: shared.reduce(0) { $0 + plan.parameters[$1].count })
    }
    var sections = [section([], before)]
    for group in groups {
      sections.append(section(group, layers[group[0]] ?? []))
    }
    sections.append(section([], after))
    return sections.filter { !$0.steps.isEmpty }
  }
}
