/// Writes values as Python's `str` and `repr` do.
struct ValueText {
  private var text = ""
  private let budget: TemplateBudget

  /// What `{{ value }}` prints.
  static func string(of value: TemplateValue, _ budget: TemplateBudget) throws(TemplateFault) -> String {
    switch value {
    case .string(let text), .markup(let text): return text
    case .undefined: return ""
    default:
      var writer = ValueText(budget)
      try writer.write(value, level: 0)
      return writer.text
    }
  }

  /// What a value is inside a list that is printed.
  static func repr(of value: TemplateValue, _ budget: TemplateBudget) throws(TemplateFault) -> String {
    var writer = ValueText(budget)
    try writer.write(value, level: 0)
    return writer.text
  }

  private init(_ budget: TemplateBudget) { self.budget = budget }

  private mutating func add(_ part: String) throws(TemplateFault) {
    try budget.write(part.utf8.count)
    text += part
  }

  private mutating func write(_ value: TemplateValue, level: Int) throws(TemplateFault) {
    // A namespace may hold itself.
    guard level < TemplateLimits.values * 2 else {
      throw TemplateFault("a value that holds itself cannot be printed", kind: .limit)
    }
    switch value {
    case .undefined: try add("Undefined")
    case .none: try add("None")
    case .bool(let value): try add(value ? "True" : "False")
    case .int(let value): try add("\(value)")
    case .float(let value): try add(value.pythonRepr)
    case .string(let text): try add(text.pythonRepr)
    case .markup(let text): try add("Markup(\(text.pythonRepr))")
    case .list(let items): try write(items.list, "[", "]", level)
    case .tuple(let items): try write(items.list, "(", items.list.count == 1 ? ",)" : ")", level)
    case .mapping(let mapping): try write(mapping, level)
    case .view(let mapping, let kind):
      try add(kind.rawValue + "(")
      switch kind {
      case .keys: try write(mapping.keys, "[", "]", level)
      case .values: try write(mapping.values, "[", "]", level)
      case .items: try write(try mapping.items(), "[", "]", level)
      }
      try add(")")
    case .range(let range):
      try add("range(\(range.start), \(range.stop)" + (range.step == 1 ? ")" : ", \(range.step))"))
    case .namespace(let namespace):
      try add("<Namespace ")
      try write(namespace.values, level)
      try add(">")
    case .macro(let macro): try add("<Macro '\(macro.name)'>")
    case .loop(let loop): try add("<LoopContext \(loop.index0 + 1)/\(loop.items.count)>")
    // Python writes an address of its memory here.
    case .iterator, .function, .cycler, .method:
      throw TemplateFault("a value of the type '\(value.type)' has no text: it is to be called or gone through")
    }
  }

  private mutating func write(_ items: [TemplateValue], _ begin: String, _ end: String, _ level: Int)
    throws(TemplateFault)
  {
    try add(begin)
    for (place, item) in items.enumerated() {
      if place > 0 { try add(", ") }
      try write(item, level: level + 1)
    }
    try add(end)
  }

  private mutating func write(_ mapping: TemplateMapping, _ level: Int) throws(TemplateFault) {
    try add("{")
    for (place, (key, value)) in zip(mapping.keys, mapping.values).enumerated() {
      if place > 0 { try add(", ") }
      try write(key, level: level + 1)
      try add(": ")
      try write(value, level: level + 1)
    }
    try add("}")
  }
}
