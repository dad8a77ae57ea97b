extension Formatting {
  /// `format.format(…)`: fields by place or name, with attributes and items of them that the sandbox allows.
  func braces(_ format: String, _ given: Arguments) throws(TemplateFault) -> String {
    var automatic = 0
    var result = ""
    var text = Substring(format)
    while let character = text.popFirst() {
      if character == "}" {
        guard text.popFirst() == "}" else { throw TemplateFault("the format has a single '}'") }
        result += "}"
      } else if character != "{" {
        result.append(character)
      } else if text.first == "{" {
        text.removeFirst()
        result += "{"
      } else {
        guard let end = text.firstIndex(of: "}") else { throw TemplateFault("a field of the format is not closed") }
        let field = text[..<end]
        text = text[text.index(after: end)...]
        if field.contains("{") { throw TemplateFault("a field within a field of a format cannot be evaluated") }
        result += try brace(field, given, &automatic)
      }
    }
    try evaluator.budget.write(result.utf8.count)
    return result
  }

  private func brace(_ field: Substring, _ given: Arguments, _ automatic: inout Int) throws(TemplateFault) -> String {
    let parts = field.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let named = parts[0].split(separator: "!", maxSplits: 1, omittingEmptySubsequences: false)
    var path = named.first ?? ""
    let first = path.prefix { $0 != "." && $0 != "[" }
    path = path.dropFirst(first.count)
    var value: TemplateValue
    if first.isEmpty || Int(first) != nil {
      let place = first.isEmpty ? automatic : Int(first) ?? 0
      if first.isEmpty { automatic += 1 }
      guard given.positional.indices.contains(place) else {
        throw TemplateFault("the format asks for more values than there are")
      }
      value = given.positional[place]
    } else {
      guard let found = given.named.first(where: { $0.name == first }) else {
        throw TemplateFault("the format finds no '\(first.prefix(60))'")
      }
      value = found.value
    }
    while let mark = path.popFirst() {
      if mark == "." {
        let name = path.prefix { $0 != "." && $0 != "[" }
        path = path.dropFirst(name.count)
        value = try evaluator.attribute(String(name), of: value)
      } else {
        let index = path.prefix { $0 != "]" }
        path = path.dropFirst(index.count + 1)
        value = try evaluator.item(Int(index).map(TemplateValue.int) ?? .string(String(index)), of: value)
      }
    }
    if named.count == 2 {
      switch named[1] {
      case "s": value = .string(try evaluator.string(of: value))
      case "r", "a": value = .string(try ValueText.repr(of: value, evaluator.budget))
      default: throw TemplateFault("the format has no conversion '!\(named[1].prefix(20))'")
      }
    }
    return try formatted(value, parts.count == 2 ? parts[1] : "")
  }

  private func formatted(_ value: TemplateValue, _ specification: Substring) throws(TemplateFault) -> String {
    if specification.isEmpty { return try evaluator.string(of: value) }
    var rest = specification
    var form = Form()
    if let second = rest.dropFirst().first, "<>^=".contains(second), let fill = rest.popFirst() {
      form.fill = fill
      form.align = rest.removeFirst()
    } else if let first = rest.first, "<>^=".contains(first) {
      form.align = rest.removeFirst()
    }
    if let sign = rest.first, "+- ".contains(sign) {
      rest.removeFirst()
      form.sign = sign == "-" ? nil : sign
    }
    if rest.first == "#" {
      rest.removeFirst()
      form.isAlternate = true
    }
    if rest.first == "0" {
      rest.removeFirst()
      form.isZeroPadded = true
    }
    form.width = try digits(&rest) ?? 0
    if let groups = rest.first, ",_".contains(groups) { form.groups = rest.removeFirst() }
    if rest.first == "." {
      rest.removeFirst()
      form.precision = try digits(&rest)
    }
    form.type = rest.popFirst()
    guard rest.isEmpty else { throw TemplateFault("the format '\(specification.prefix(60))' cannot be read") }
    if let text = value.text {
      guard form.type == nil || form.type == "s" else {
        throw TemplateFault("a string has no format '\(specification.prefix(60))'")
      }
      if form.isZeroPadded, form.align == nil { form.fill = "0" }
      let side: Methods.Side = form.align == ">" ? .right : form.align == "^" ? .center : .left
      return try Methods.padded(cut(text, form), to: form.width, form.fill, side, evaluator)
    }
    if value.number != nil {
      if case .float = value {} else if form.type == "n" || form.type == nil { form.type = "d" }
      if let type = form.type, !"dxXobeEfFgG%".contains(type) {
        throw TemplateFault("a number has no format '\(specification.prefix(60))'")
      }
      return try number(value, form, right: true)
    }
    throw TemplateFault("a value of the type '\(value.type)' has no format")
  }
}
