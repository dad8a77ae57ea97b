import Plans

extension PartWriter {
  /// The class's settings so far, each with its value.
  var known: [String: String] { Dictionary(settings.map { ($0.0, $0.1.text) }) { first, _ in first } }

  /// The call of `step`, as its values can be read now.
  func call(_ step: Step) -> PyTorchCall {
    let holder = holderPath(of: step).map { PyTorchExpression(PythonText.place(["self"] + $0)) }
    var call = PyTorchCall(
      step, for: file.facts.form, shapes: file.facts.shapes(of: step),
      peers: file.facts.peers[step.operation.name] ?? [],
      inputs: step.inputs.map { value in
        let binding = bindings[value.index]
        return .init(
          binding?.expression ?? "x", binding?.layout ?? .rows, headCount: file.facts.headCounts[value.index]?.name,
          width: file.facts.width(of: value, scope: step.scope))
      },
      parameters: step.parameters.map { index in
        places[index].map { PyTorchExpression(PythonText.place(["self"] + $0)) }
          ?? sharedTensor(index, of: step).map { PyTorchExpression($0) }
          ?? file.expression(of: file.plan.parameters[index], below: part)
      },
      holder: canHold(step) ? holder : nil, states: step.states.map { file.stateName($0, in: step) },
      outputWidths: step.outputs.map { file.facts.width(of: $0, scope: step.scope) }, settings: known)
    call.tokens = PyTorchExpression(tokens)
    return call
  }

  /// The argument that holds the tensor at `index`, where layers share it and `step` stands in one of them.
  func sharedTensor(_ index: Int, of step: Step) -> String? {
    step.scope.layer == nil ? nil : file.sharedTensors[index]
  }

  /// Whether a module can hold the tensors of `step`: no step before it reads them.
  func canHold(_ step: Step) -> Bool {
    if step.outputs.first == head { return true }
    return step.parameters.allSatisfy {
      file.firstReader(of: $0).map { $0.outputs.first == step.outputs.first } ?? false
    }
  }

  /// The place of the module that could hold all tensors of `step`.
  func holderPath(of step: Step) -> [String]? {
    guard !places.isEmpty else { return file.holderPath(of: step, below: part) }
    let owners = Set(step.parameters.map { places[$0].map { Array($0.dropLast()) } })
    guard owners.count == 1, let owner = owners.first, let owner, owner.first != "model", !owner.isEmpty else {
      return nil
    }
    return owner
  }

  /// What variables that hold the outputs of `step` are called.
  func names(of step: Step, _ notes: PyTorchNotes) -> [String] {
    let input = step.inputs.first.map { name(of: $0) } ?? "x"
    var names: [String] = []
    for (index, output) in step.outputs.enumerated() {
      if output == file.plan.logits {
        names.append("logits")
      } else if step.role == .residualAdd || step.role == .embedding {
        names.append("x")
      } else if index < notes.names.count {
        names.append(notes.names[index])
      } else if let owner = step.parameters.first.map({ file.plan.parameters[$0] }), owner.use == .matrix,
        let word = owner.name.owner.path.last, !PythonText.isKeyword(word)
      {
        names.append(word)
      } else if step.outputs.count > 1 {
        names.append("\(input)\(index + 1)")
      } else {
        names.append(input == "x" ? "h" : input)
      }
    }
    return names
  }
}
