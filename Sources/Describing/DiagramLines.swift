import Components

/// The words for the steps of one node: matrices of one size side by side, and the same thing done to two values once.
struct DiagramLines {
  private struct Entry {
    var operation: String
    var subjects: [String]
    var detail: String
    /// The value that matrices on one line read.
    var input: Value?
  }

  private let plan: Plan
  private let counted: Set<Int>
  private let isPart: Bool
  private let isStack: Bool
  private var entries: [Entry] = []
  private var labels: [Value: String] = [:]

  /// Lines of steps of `plan`; tensors of `counted` are used a second time. In a part of a box a name's last
  /// word says enough, and in a stack it is plain that a token meets some of several matrices.
  init(plan: Plan, counted: Set<Int>, isPart: Bool = false, isStack: Bool = false) {
    self.plan = plan
    self.counted = counted
    self.isPart = isPart
    self.isStack = isStack
  }

  mutating func add(_ step: Step) {
    if step.operation is Linear, let input = step.inputs.first, let output = step.outputs.first {
      let tensor = plan.parameters[step.parameters[0]]
      let isTied = counted.contains(step.parameters[0])
      // A matrix that belongs to another part goes by the name of the part that uses it here.
      let name = isTied ? step.scope.path.last ?? "" : ownName(tensor.name)
      var detail = "\(input.width.readable) → \(output.width.readable)"
      if step.parameters.count > 1 { detail += ", bias" }
      if isTied { detail += ", tied to \(tensor.name.owner)" }
      // What is computed of another stack's rows says so.
      let other = input.axis.isOfText ? nil : plan.axes[input.axis.index].name
      if let other, other != step.scope.stack { detail += ", of \(other)" }
      labels[output] = name
      add(Entry(operation: "", subjects: [name], detail: detail, input: input))
      return
    }
    if let several = step.parameters.first.map({ plan.parameters[$0] }), several.chosen != nil, several.shape.count == 3
    {
      // Of several matrices a token meets some: which of them is said where they are chosen.
      let name = ownName(several.name)
      let hasBias = step.parameters.contains { plan.parameters[$0].use == .vector }
      let sizes = "\(several.shape[2].readable) → \(several.shape[1].readable)" + (hasBias ? ", bias" : "")
      for output in step.outputs { labels[output] = name }
      add(
        Entry(
          operation: isStack ? "" : step.operation.name, subjects: [name],
          detail: isStack ? sizes : "\(step.operation.attributes.listing), \(sizes)",
          input: step.inputs.first))
      return
    }
    addKept(step)
    let subjects = once(step.inputs.compactMap { labels[$0] })
    let tables = step.parameters.map { plan.parameters[$0] }.filter { $0.use == .matrix }
    let detail =
      tables.map { "\(ownName($0.name)) \($0.shape.map(\.readable).joined(separator: " × "))" } + [
        step.operation.attributes.listing
      ]
    let entry = Entry(
      operation: step.operation.name, subjects: subjects,
      detail: detail.filter { !$0.isEmpty }.joined(separator: ", "), input: nil)
    let parts = once(subjects.flatMap { $0.split(separator: " · ").map(String.init) })
    for output in step.outputs { labels[output] = parts.joined(separator: " · ") }
    if subjects.isEmpty { for output in step.outputs { labels[output] = nil } }
    add(entry)
  }

  /// What is cached of each token, before the step that caches it.
  private mutating func addKept(_ step: Step) {
    for state in step.states.map({ plan.states[$0] }) {
      let extent =
        switch state.extent {
        case .perToken: state.axis.isOfText ? "a token" : "a row of \(plan.axes[state.axis.index].name)"
        case .window(let tokens): "a token, of the last \(tokens.readable)"
        case .fixed: "in all"
        }
      let name = state.name.path.last ?? ""
      add(Entry(operation: "cache", subjects: [name], detail: "\(state.width.readable) \(extent)", input: nil))
    }
  }

  private mutating func add(_ entry: Entry) {
    let same = entries.firstIndex {
      $0.operation == entry.operation && $0.detail == entry.detail && $0.input == entry.input
        && !entry.subjects.isEmpty && !$0.subjects.isEmpty
    }
    if let same {
      entries[same].subjects += entry.subjects
    } else if let beside = entries.lastIndex(where: {
      entry.input != nil && $0.input == entry.input && $0.operation == entry.operation
    }) {
      entries.insert(entry, at: beside + 1)
    } else {
      entries.append(entry)
    }
  }

  /// The lines.
  var finished: [Diagram.Line] {
    entries.map { entry in
      let subjects = entry.subjects.joined(separator: ", ")
      return Diagram.Line(
        call: [entry.operation, subjects].filter { !$0.isEmpty }.joined(separator: " "), detail: entry.detail)
    }
  }

  /// The words in their order, each once: what was parted and joined again is one thing.
  private func once(_ words: [String]) -> [String] {
    var seen: Set<String> = []
    return words.filter { seen.insert($0).inserted }
  }

  /// `q` of `layers.3.attn.q.weight`, `shared gate` of `layers.3.moe.shared.gate.weight`.
  private func ownName(_ name: TensorName) -> String {
    let words = name.owner.path
    if words.count == 3, name.layer != nil, !isPart { return words[1...].joined(separator: " ") }
    return words.last ?? name.text
  }
}

extension Int {
  /// The number, with commas from 10,000 on.
  public var readable: String { magnitude < 10_000 ? String(self) : grouped }
}
