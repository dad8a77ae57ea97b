import Components

extension Step {
  /// Where it stands, without the layer: the names of its tensors, such as `attn.q`, or its scope and its operator, such
  /// as `attn.attend`.
  ///
  /// A tensor of another scope does not name a step: a head that is tied to an embedding is the head.
  func place(in plan: Plan) -> String {
    let scope = Step.withoutLayer(self.scope)
    var names: [String] = []
    for parameter in parameters {
      // What belongs to one thing differs in its last word: `attn.q.weight` and `attn.q.bias`.
      let words = Step.withoutLayer(plan.parameters[parameter].name).split(separator: ".").dropLast()
      let name = words.joined(separator: ".")
      if !name.isEmpty, name.hasPrefix(scope), !names.contains(name) { names.append(name) }
    }
    guard let first = names.first else {
      if !parameters.isEmpty, !scope.isEmpty { return scope }
      return scope.isEmpty ? operation.name : "\(scope).\(operation.name)"
    }
    // Several together, `attn.q+k+v`: what follows the first is told by its last word.
    return names.dropFirst().reduce(first) { $0 + "+" + ($1.split(separator: ".").last ?? "") }
  }

  private static func withoutLayer(_ name: String) -> String {
    let words = name.split(separator: ".", omittingEmptySubsequences: false)
    guard words.count > 1, words[0] == "layers", Int(words[1]) != nil else { return name }
    return words.dropFirst(2).joined(separator: ".")
  }
}
