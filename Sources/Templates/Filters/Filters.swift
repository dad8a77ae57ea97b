/// Jinja's filters. What no chat template needs and what has no single answer (`random`, `pprint`, `urlize`, …) is refused by
/// name.
enum Filters {
  /// The filters that are evaluated.
  static let names: Set<String> = [
    "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape", "first",
    "float",
    "forceescape", "format", "groupby", "indent", "int", "items", "join", "last", "length", "list", "lower", "map",
    "max", "min", "reject", "rejectattr", "replace", "reverse", "round", "safe", "select", "selectattr", "slice",
    "sort", "string", "striptags", "sum", "title", "tojson", "trim", "truncate", "unique", "upper", "urlencode",
    "wordcount",
  ]

  private static let known: Set<String> = [
    "filesizeformat", "pprint", "random", "urlize", "wordwrap", "xmlattr",
  ]

  /// Why there is no filter `name`.
  static func unknown(_ name: String) -> String {
    known.contains(name)
      ? "the filter '\(name)' cannot be evaluated in a chat template" : "no filter is named '\(name.prefix(60))'"
  }

  /// What the filter `name` makes of `value`.
  static func apply(_ name: String, to value: TemplateValue, _ given: Arguments, _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue
  {
    if let result = try text(name, value, given, evaluator) { return result }
    if let result = try sequence(name, value, given, evaluator) { return result }
    if let result = try choosing(name, value, given, evaluator) { return result }
    if let result = try other(name, value, given, evaluator) { return result }
    throw TemplateFault(unknown(name), kind: .syntax)
  }

  private static func other(_ name: String, _ value: TemplateValue, _ given: Arguments, _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue?
  {
    let what = "the filter '\(name)'"
    switch name {
    case "d", "default":
      let found = try given.bound(to: "default_value", "boolean", of: what)
      let isMissing = value.isUndefined || found[1]?.truth == true && !value.truth
      return isMissing ? found[0] ?? .string("") : value
    case "attr":
      let attribute = try given.bound(to: "name", required: 1, of: what)[0].text(or: "", of: what)
      if case .undefined(let why) = value { throw TemplateFault(why) }
      if case .mapping(let mapping) = value, mapping.value(of: attribute) != nil,
        !Methods.ofMappings.contains(attribute)
      {
        return .undefined(why: "a value of the type 'dict' has no attribute '\(attribute.prefix(80))'")
      }
      return try evaluator.attribute(attribute, of: value)
    case "abs":
      if let integer = value.integer {
        guard integer != .min else { throw TemplateFault("the integer is too large for 64 bits", kind: .limit) }
        return .int(abs(integer))
      }
      guard case .float(let number) = value else { throw evaluator.wrong(value, for: name) }
      return .float(number.magnitude)
    case "int": return try whole(value, try given.bound(to: "default", "base", of: what))
    case "float":
      let fallback = try given.bound(to: "default", of: what)[0] ?? .float(0)
      if case .undefined(let why) = value { throw TemplateFault(why) }
      return (value.number ?? value.text.flatMap(PythonNumber.float)).map(TemplateValue.float) ?? fallback
    case "round": return try rounded(value, try given.bound(to: "precision", "method", of: what))
    case "tojson":
      return try json(
        value,
        try given.bound(
          to: "ensure_ascii", "indent", "separators", "sort_keys", of: what), evaluator)
    default: return nil
    }
  }

  private static func whole(_ value: TemplateValue, _ given: [TemplateValue?]) throws(TemplateFault) -> TemplateValue {
    let fallback = given[0] ?? .int(0)
    if case .undefined(let why) = value { throw TemplateFault(why) }
    if let integer = value.integer { return .int(integer) }
    let base = try given[1].integer(or: 10, of: "the filter 'int'")
    guard base == 0 || (2...36).contains(base) else { return fallback }
    let number: Double
    if case .float(let found) = value {
      number = found
    } else if let text = value.text {
      if let integer = PythonNumber.integer(text, base: base) { return .int(integer) }
      guard let found = PythonNumber.float(text) else { return fallback }
      number = found
    } else {
      return fallback
    }
    guard number.isFinite else { return fallback }
    guard let integer = Int(exactly: number.rounded(.towardZero)) else {
      throw TemplateFault("the integer is too large for 64 bits", kind: .limit)
    }
    return .int(integer)
  }

  private static func rounded(_ value: TemplateValue, _ given: [TemplateValue?]) throws(TemplateFault) -> TemplateValue
  {
    let what = "the filter 'round'"
    let precision = try given[0].integer(or: 0, of: what)
    let method = try given[1].text(or: "common", of: what)
    if case .undefined(let why) = value { throw TemplateFault(why) }
    guard let number = value.number else { throw TemplateFault("\(what) takes a number, not '\(value.type)'") }
    switch method {
    case "common":
      if let integer = value.integer, precision >= 0 { return .int(integer) }
      let result = PythonNumber.rounded(number, digits: precision)
      return value.integer == nil ? .float(result) : .int(Int(result))
    case "ceil", "floor":
      guard abs(precision) <= 300 else { throw TemplateFault("\(what) takes at most 300 digits") }
      let scale = PythonNumber.powerOfTen(precision)
      let result = (number * scale).rounded(method == "ceil" ? .up : .down) / scale
      return .float(result)
    default: throw TemplateFault("\(what) takes the method 'common', 'ceil' or 'floor'")
    }
  }

  private static func json(_ value: TemplateValue, _ given: [TemplateValue?], _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue
  {
    var form = ValueJSON.Form()
    form.ascii = given[0]?.truth ?? false
    switch given[1] {
    case nil, .some(.none): break
    case .some(let indent):
      if let text = indent.text {
        form.indent = text
      } else {
        let count = try given[1].integer(or: 0, of: "the filter 'tojson'")
        guard count <= 256 else { throw TemplateFault("'tojson' is indented by at most 256 spaces", kind: .limit) }
        form.indent = String(repeating: " ", count: max(0, count))
      }
    }
    if let pair = given[2] {
      if case .none = pair {
      } else {
        let items = try pair.items(evaluator.budget)
        guard items.count == 2, let item = items[0].text, let key = items[1].text else {
          throw TemplateFault("'separators' of 'tojson' are two strings")
        }
        form.separators = (item, key)
      }
    }
    form.sorted = given[3]?.truth ?? false
    return .string(try ValueJSON.text(of: value, form, evaluator.budget))
  }
}
