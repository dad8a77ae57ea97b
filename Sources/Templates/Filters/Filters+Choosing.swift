extension Filters {
  /// `map`, `select`, `reject` and those by attribute; nil for another's name.
  static func choosing(_ name: String, _ value: TemplateValue, _ given: Arguments, _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue?
  {
    guard ["map", "select", "reject", "selectattr", "rejectattr"].contains(name) else { return nil }
    if !value.truth { return .iterator(try TemplateIterator([])) }
    let items = try value.items(evaluator.budget)
    try evaluator.budget.spend(items.count)
    var result: [TemplateValue] = []
    if name == "map" {
      let change = try change(given, evaluator)
      for item in items { result.append(try change(item)) }
    } else {
      let keeps = try choice(name, given, evaluator)
      for item in items where try keeps(item) { result.append(item) }
    }
    return .iterator(try TemplateIterator(result))
  }

  private typealias Change = (TemplateValue) throws(TemplateFault) -> TemplateValue

  private static func change(_ given: Arguments, _ evaluator: Evaluator) throws(TemplateFault) -> Change {
    var given = given
    if given.positional.isEmpty, let path = given.take("attribute") {
      let fallback = given.take("default")
      if let extra = given.named.first { throw TemplateFault("the filter 'map' takes no argument '\(extra.name)'") }
      return { item throws(TemplateFault) in
        try attribute(path, of: item, evaluator, fallback: fallback.flatMap { if case .none = $0 { nil } else { $0 } })
      }
    }
    guard !given.positional.isEmpty else { throw TemplateFault("the filter 'map' takes the name of a filter") }
    guard let name = given.positional.removeFirst().text else {
      throw TemplateFault("the filter 'map' takes the name of a filter")
    }
    let rest = given
    return { item throws(TemplateFault) in
      try evaluator.deeper { () throws(TemplateFault) in try apply(name, to: item, rest, evaluator) }
    }
  }

  private static func choice(_ name: String, _ given: Arguments, _ evaluator: Evaluator) throws(TemplateFault) -> (
    TemplateValue
  ) throws(TemplateFault) -> Bool {
    var given = given
    var path: TemplateValue?
    if name.hasSuffix("attr") {
      guard !given.positional.isEmpty else {
        throw TemplateFault("the filter '\(name)' takes the name of an attribute")
      }
      path = given.positional.removeFirst()
    }
    let test = given.positional.isEmpty ? nil : given.positional.removeFirst()
    let isKept = name.hasPrefix("select")
    let rest = given
    return { item throws(TemplateFault) in
      let value = try attribute(path, of: item, evaluator)
      guard let test else { return value.truth == isKept }
      guard let name = test.text else { throw TemplateFault("a test is named by a string") }
      return try Tests.apply(name, to: value, rest, evaluator) == isKept
    }
  }
}
