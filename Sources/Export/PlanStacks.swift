import Describing
import Plans

/// The steps of a plan by the stacks that they stand in, each before its layers, in them and after them.
struct PlanStacks {
  /// A stack: the steps before its layers, a section for each kind of layer, and the steps after them.
  struct Stack {
    /// What it is called; nil for the text's.
    let name: String?
    let before: [Step]
    let layers: [PlanSections.Section]
    let after: [Step]

    /// Its steps, those of layers of one kind once.
    var steps: [Step] { before + layers.flatMap(\.steps) + after }
  }

  /// The stacks beside the text's, in the order in which they are written.
  let others: [Stack]
  /// The text's; that of the pictures in a model of pictures alone.
  let text: Stack

  /// The stacks of `plan`.
  init(_ plan: Plan) {
    let sections = PlanSections(plan).sections
    func stack(_ name: String?) -> Stack {
      let own = sections.filter { $0.stack == name }
      let layers = own.filter { !$0.layers.isEmpty }
      let start = own.firstIndex { !$0.layers.isEmpty } ?? own.endIndex
      return Stack(
        name: name, before: own[..<start].flatMap(\.steps), layers: layers,
        after: own[min(own.endIndex, start + layers.count)...].flatMap(\.steps))
    }
    var names: [String] = []
    for section in sections {
      if let name = section.stack, !names.contains(name) { names.append(name) }
    }
    others = names.map { stack($0) }
    text = stack(nil)
  }
}
