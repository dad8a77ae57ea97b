import Components

extension Step {
  /// Where it stands, without the layer: the names of its tensors, such as `attn.q`, or its scope and its operator, such
  /// as `attn.attend`.
  ///
  /// A tensor of another scope does not name a step: a head that is tied to an embedding is the head.
  public func label(in plan: Plan) -> String {
    var names: [TensorName] = []
    for parameter in parameters {
      // What belongs to one thing differs in its last word: `attn.q.weight` and `attn.q.bias`.
      let tensor = plan.parameters[parameter].name
      let name = TensorName(path: tensor.path.dropLast())
      if !name.path.isEmpty, name.path.starts(with: self.scope.path), !names.contains(name) { names.append(name) }
    }
    let scope = self.scope.localText
    guard let first = names.first else {
      if !parameters.isEmpty, !scope.isEmpty { return scope }
      return scope.isEmpty ? operation.name : "\(scope).\(operation.name)"
    }
    // Several together, `attn.q+k+v`: what follows the first is told by its last word.
    return names.dropFirst().reduce(first.text) { $0 + "+" + ($1.path.last ?? "") }
  }
}
