extension Evaluator {
  /// What follows a statement.
  enum Flow {
    case onward
    case leave
    case next
  }

  /// Executes statements in the current scope.
  func execute(_ body: [Statement]) throws(TemplateFault) -> Flow {
    try deeper { () throws(TemplateFault) in
      for statement in body {
        let flow = try execute(statement)
        if flow != .onward { return flow }
      }
      return .onward
    }
  }

  private func execute(_ statement: Statement) throws(TemplateFault) -> Flow {
    line = statement.line
    try budget.spend()
    switch statement.kind {
    case .text(let text): try write(text)
    case .output(let expression): try write(try string(of: try value(of: expression)))
    case .branches(let branches, let otherwise):
      for (test, body) in branches where try value(of: test).truth { return try execute(body) }
      return try execute(otherwise)
    case .loop(let loop): try execute(loop)
    case .set(let target, let expression): try assign(try value(of: expression), to: target)
    case .setBlock(let target, let filter, let body):
      let text = try text(in: scope) { _ throws(TemplateFault) in _ = try execute(body) }
      line = statement.line
      try assign(try filtered(.string(text), by: filter), to: target)
    case .macro(let name, let signature, let body): define(macro: name, signature, body)
    case .call(let signature, let call, let body):
      captured.append(scope)
      let caller = TemplateMacro(name: "caller", signature, body: body, in: scope)
      try write(try string(of: try value(ofCall: call, caller: .macro(caller))))
    case .filterBlock(let filter, let body):
      let text = try text(in: scope) { _ throws(TemplateFault) in _ = try execute(body) }
      line = statement.line
      try write(try string(of: try filtered(.string(text), by: filter)))
    case .with(let values, let body): try execute(with: values, body)
    case .generation(let body):
      try write(try text(in: scope) { _ throws(TemplateFault) in _ = try execute(body) })
    case .leave: return .leave
    case .next: return .next
    }
    return .onward
  }

  private func define(macro name: Int, _ signature: MacroSignature, _ body: [Statement]) {
    captured.append(scope)
    scope.set(name, .macro(TemplateMacro(name: self.name(of: name), signature, body: body, in: scope)))
  }

  private func execute(with values: [(target: AssignmentTarget, value: Expression)], _ body: [Statement])
    throws(TemplateFault)
  {
    let outer = scope
    let inner = TemplateScope(in: outer)
    var found: [(AssignmentTarget, TemplateValue)] = []
    for (target, expression) in values { found.append((target, try value(of: expression))) }
    scope = inner
    defer { scope = outer }
    for (target, value) in found { try assign(value, to: target) }
    _ = try execute(body)
  }

  /// Gives `target` its value in the current scope.
  func assign(_ value: TemplateValue, to target: AssignmentTarget) throws(TemplateFault) {
    switch target {
    case .name(let symbol): scope.set(symbol, value)
    case .attribute(let symbol, let attribute):
      guard case .namespace(let namespace)? = scope.value(of: symbol) else {
        throw TemplateFault("'\(name(of: symbol))' is no namespace, and only a namespace's attributes can be set")
      }
      try namespace.set(attribute, value)
    case .several(let targets):
      let items = try value.items(budget)
      guard items.count == targets.count else {
        throw TemplateFault("\(items.count) values cannot be assigned to \(targets.count) names")
      }
      for (item, target) in zip(items, targets) { try assign(item, to: target) }
    }
  }

  private func execute(_ loop: ForLoop) throws(TemplateFault) {
    let items = try value(of: loop.items)
    try execute(loop, over: items, depth0: 0, in: scope)
  }

  /// Goes through `items`; a recursive loop's function calls it again, one level deeper.
  func execute(_ loop: ForLoop, over items: TemplateValue, depth0: Int, in outer: TemplateScope)
    throws(TemplateFault)
  {
    let here = scope
    defer { scope = here }
    var list = try items.items(budget)
    if let test = loop.test {
      var kept: [TemplateValue] = []
      for item in list {
        scope = TemplateScope(in: outer)
        try assign(item, to: loop.target)
        if try value(of: test).truth { kept.append(item) }
      }
      list = kept
    }
    let state = try LoopState(list, depth0: depth0, recursive: loop.isRecursive ? (loop, outer) : nil)
    let symbol = number(of: "loop")
    for (place, item) in list.enumerated() {
      try budget.spend()
      state.index0 = place
      scope = TemplateScope(in: outer)
      if let symbol { scope.set(symbol, .loop(state)) }
      try assign(item, to: loop.target)
      if try execute(loop.body) == .leave { break }
    }
    scope = TemplateScope(in: outer)
    if list.isEmpty { _ = try execute(loop.otherwise) }
  }
}
