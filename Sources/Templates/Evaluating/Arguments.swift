/// What a function, filter, test or macro is called with.
struct Arguments {
  var positional: [TemplateValue] = []
  private(set) var named: [(name: String, value: TemplateValue)] = []

  init(positional: [TemplateValue] = []) { self.positional = positional }

  /// Adds a named one; throws where the name is given twice.
  mutating func name(_ name: String, _ value: TemplateValue) throws(TemplateFault) {
    if named.contains(where: { $0.name == name }) { throw TemplateFault("the argument '\(name)' is given twice") }
    named.append((name, value))
  }

  /// Takes a named one out.
  mutating func take(_ name: String) -> TemplateValue? {
    guard let place = named.firstIndex(where: { $0.name == name }) else { return nil }
    return named.remove(at: place).value
  }

  /// The arguments of parameters with these names, in their order; throws where there are too many or `what` has no such
  /// parameter. The first `required` must be there.
  func bound(to parameters: String..., required: Int = 0, of what: String) throws(TemplateFault) -> [TemplateValue?] {
    guard positional.count <= parameters.count else {
      throw TemplateFault("\(what) takes at most \(parameters.count) arguments, \(positional.count) are given")
    }
    var found = positional.map(Optional.some) + Array(repeating: nil, count: parameters.count - positional.count)
    for (name, value) in named {
      guard let place = parameters.firstIndex(of: name) else {
        throw TemplateFault("\(what) takes no argument '\(name)'")
      }
      if found[place] != nil { throw TemplateFault("\(what) has its argument '\(name)' twice") }
      found[place] = value
    }
    if let missing = found.prefix(required).firstIndex(where: { $0 == nil }) {
      throw TemplateFault("\(what) needs its argument '\(parameters[missing])'")
    }
    return found
  }
}

extension TemplateValue? {
  /// The text of a string; `fallback` where nothing is given; throws for anything else.
  func text(or fallback: String, of what: String) throws(TemplateFault) -> String {
    guard let self else { return fallback }
    guard let text = self.text else {
      throw TemplateFault("\(what) takes a string, not a value of the type '\(self.type)'")
    }
    return text
  }

  /// The integer; `fallback` where nothing is given; throws for anything else.
  func integer(or fallback: Int, of what: String) throws(TemplateFault) -> Int {
    guard let self else { return fallback }
    guard let integer = self.integer else {
      throw TemplateFault("\(what) takes an integer, not a value of the type '\(self.type)'")
    }
    return integer
  }
}
