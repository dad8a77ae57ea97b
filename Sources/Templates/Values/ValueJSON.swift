/// Writes values as Python's `json.dumps` does, which is `tojson` of transformers: nothing is escaped for HTML.
struct ValueJSON {
  /// How it is written; the defaults are those of transformers.
  struct Form {
    var ascii = false
    var indent: String?
    var separators: (item: String, key: String)?
    var sorted = false
  }

  private var text = ""
  private let form: Form
  private let budget: TemplateBudget
  private var item: String { form.separators?.item ?? (form.indent == nil ? ", " : ",") }
  private var colon: String { form.separators?.key ?? ": " }

  /// The JSON of `value`; throws where JSON has no word for it.
  static func text(of value: TemplateValue, _ form: Form, _ budget: TemplateBudget) throws(TemplateFault) -> String {
    var writer = ValueJSON(form, budget)
    try writer.write(value, level: 0)
    return writer.text
  }

  private init(_ form: Form, _ budget: TemplateBudget) {
    self.form = form
    self.budget = budget
  }

  private mutating func add(_ part: String) throws(TemplateFault) {
    try budget.write(part.utf8.count)
    text += part
  }

  private mutating func write(_ value: TemplateValue, level: Int) throws(TemplateFault) {
    switch value {
    case .none: try add("null")
    case .bool(let value): try add(value ? "true" : "false")
    case .int(let value): try add("\(value)")
    case .float(let value): try add(number(value))
    case .string(let text), .markup(let text): try add(quoted(text))
    case .list(let items), .tuple(let items):
      try write(items.list, "[", "]", level) { writer, item throws(TemplateFault) in
        try writer.write(item, level: level + 1)
      }
    case .mapping(let mapping):
      var members = Array(zip(mapping.keys, mapping.values))
      if form.sorted { members = try sorted(members) }
      try write(members, "{", "}", level) { writer, member throws(TemplateFault) in
        try writer.add(writer.quoted(try writer.key(member.0)) + writer.colon)
        try writer.write(member.1, level: level + 1)
      }
    case .undefined(let why): throw TemplateFault("\(why), and has no JSON")
    default: throw TemplateFault("a value of the type '\(value.type)' has no JSON")
    }
  }

  private func sorted(_ members: [(TemplateValue, TemplateValue)]) throws(TemplateFault) -> [(
    TemplateValue, TemplateValue
  )] {
    try stablySorted(members) { left, right throws(TemplateFault) in
      try ValueOrder.compare(left.0, right.0, budget) < 0
    }
  }

  private mutating func write<Item>(
    _ items: [Item], _ begin: String, _ end: String, _ level: Int,
    _ writeItem: (inout ValueJSON, Item) throws(TemplateFault) -> Void
  ) throws(TemplateFault) {
    if items.isEmpty { return try add(begin + end) }
    try add(begin)
    for (place, one) in items.enumerated() {
      if place > 0 { try add(item) }
      try line(level + 1)
      try writeItem(&self, one)
    }
    try line(level)
    try add(end)
  }

  private mutating func line(_ level: Int) throws(TemplateFault) {
    guard let indent = form.indent else { return }
    try budget.write(indent.utf8.count, times: level)
    text += "\n" + String(repeating: indent, count: level)
  }

  private func number(_ value: Double) -> String {
    value.isNaN ? "NaN" : value.isInfinite ? value < 0 ? "-Infinity" : "Infinity" : value.pythonRepr
  }

  private func key(_ key: TemplateValue) throws(TemplateFault) -> String {
    switch key {
    case .string(let text), .markup(let text): text
    case .none: "null"
    case .bool(let value): value ? "true" : "false"
    case .int(let value): "\(value)"
    case .float(let value): number(value)
    default: throw TemplateFault("a key of the type '\(key.type)' has no JSON")
    }
  }

  private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{8}": result += "\\b"
      case "\u{C}": result += "\\f"
      case _ where scalar.value < 0x20 || form.ascii && scalar.value > 0x7E:
        for unit in String(Character(scalar)).utf16 {
          let digits = String(unit, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
