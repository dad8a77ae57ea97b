import Plans

/// What sublayers of one name read in any layer, besides what runs through the layer.
///
/// Layers that differ in the kind of a sublayer alone are one class, which is told the kind. For that its call has to be
/// the same whichever kind it is: each then takes what any of them reads.
struct SharedArguments {
  private var inputs: [String: [Value]] = [:]
  private var needs: [String: WrittenClass.Needs] = [:]

  /// Nothing that is shared: each part takes what it reads.
  init() {}

  /// What the parts of `layers` read of `shared`, and what their classes among `classes` need.
  init(_ layers: [ModelPart], _ shared: [Value], _ classes: [WrittenClass]) {
    for layer in layers {
      for case .part(let part) in layer.items {
        guard let word = part.path.last else { continue }
        let known = inputs[word] ?? []
        inputs[word] = shared.filter { known.contains($0) || part.inputs.contains($0) }
      }
    }
    for written in classes where written.path.count == 1 && written.stack == nil {
      needs[written.path[0], default: .init()].form(written.needs)
    }
  }

  /// What the class of the part at `path` needs beside what it reads itself.
  func needs(at path: [String]) -> WrittenClass.Needs {
    path.count == 1 ? needs[path[0]] ?? .init() : .init()
  }

  /// `part` with the inputs of its like: its own first, then those that any of them reads, in one order.
  func completed(_ part: ModelPart) -> ModelPart {
    guard part.path.count == 1, part.steps.first?.scope.stack == nil, let all = inputs[part.path[0]] else {
      return part
    }
    let own = part.inputs.filter { !all.contains($0) }
    return ModelPart(path: part.path, items: part.items, inputs: own + all, result: part.result)
  }
}
