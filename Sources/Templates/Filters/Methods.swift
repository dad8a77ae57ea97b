/// The methods of Python's types that a template may call: those that change nothing.
enum Methods {
  static let ofStrings: Set<String> = [
    "capitalize", "casefold", "center", "count", "endswith", "expandtabs", "find", "format", "index", "isalnum",
    "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isprintable", "isspace",
    "istitle", "isupper", "join", "ljust", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace",
    "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip",
    "swapcase", "title", "upper", "zfill",
  ]
  static let ofMappings: Set<String> = ["get", "items", "keys", "values", "copy", "fromkeys"]
  static let changingMappings: Set<String> = ["clear", "pop", "popitem", "setdefault", "update"]
  static let changingLists: Set<String> = [
    "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove",
  ]

  enum Side {
    case left
    case right
    case center
  }

  /// What the method `name` of `object` gives.
  static func call(_ name: String, of object: TemplateValue, _ given: Arguments, _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue
  {
    let what = "'\(name)'"
    switch object {
    case .string(let text), .markup(let text):
      try evaluator.budget.spend(1 + text.utf8.count >> 5)
      if let result = try splitting(name, text, object, given, evaluator) { return result }
      if let result = try searching(name, text, given, evaluator) { return result }
      if let result = try changing(name, text, object, given, evaluator) { return result }
      _ = try given.bound(of: what)
      return .bool(Self.holds(name, text))
    case .mapping(let mapping):
      switch name {
      case "get":
        let found = try given.bound(to: "key", "default", required: 1, of: what)
        return try mapping.value(of: found[0] ?? .none) ?? found[1] ?? .none
      case "items", "keys", "values":
        _ = try given.bound(of: what)
        return .view(mapping, of: name == "items" ? .items : name == "keys" ? .keys : .values)
      case "copy":
        _ = try given.bound(of: what)
        return object
      default: return try fromKeys(given, evaluator)
      }
    case .function(.dict): return try fromKeys(given, evaluator)
    case .list, .tuple, .range:
      if name == "copy" {
        _ = try given.bound(of: what)
        return object
      }
      let wanted = try given.bound(to: "value", required: 1, of: what)[0] ?? .none
      var places: [Int] = []
      for (place, item) in try object.items(evaluator.budget).enumerated()
      where try ValueOrder.areEqual(item, wanted, evaluator.budget) { places.append(place) }
      if name == "count" { return .int(places.count) }
      guard let first = places.first else { throw TemplateFault("the value is not in the list") }
      return .int(first)
    case .float(let number): return .bool(number == number.rounded() && number.isFinite)
    case .loop(let loop): return try call(name, of: loop, given, evaluator)
    case .cycler(let cycler):
      _ = try given.bound(of: what)
      if name == "reset" {
        cycler.place = 0
        return .none
      }
      defer { cycler.place = (cycler.place + 1) % cycler.items.list.count }
      return cycler.items.list[cycler.place]
    default: throw TemplateFault("a value of the type '\(object.type)' has no method '\(name)'")
    }
  }

  private static func fromKeys(_ given: Arguments, _ evaluator: Evaluator) throws(TemplateFault) -> TemplateValue {
    let found = try given.bound(to: "iterable", "value", required: 1, of: "'fromkeys'")
    var mapping = TemplateMapping()
    for key in try (found[0] ?? .none).items(evaluator.budget) { try mapping.set(key, found[1] ?? .none) }
    return .mapping(mapping)
  }

  private static func call(_ name: String, of loop: LoopState, _ given: Arguments, _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue
  {
    guard given.named.isEmpty else { throw TemplateFault("'\(name)' takes its arguments by place") }
    if name == "cycle" {
      guard !given.positional.isEmpty else { throw TemplateFault("'cycle' needs an item") }
      return given.positional[loop.index0 % given.positional.count]
    }
    let value = try TemplateValue.tuple(of: given.positional)
    if let before = loop.changed, try ValueOrder.areEqual(before, value, evaluator.budget) { return .bool(false) }
    loop.changed = value
    return .bool(true)
  }

  /// `text` filled with `fill` to `width` characters.
  static func padded(_ text: String, to width: Int, _ fill: Character, _ side: Side, _ evaluator: Evaluator)
    throws(TemplateFault) -> String
  {
    let count = text.unicodeScalars.count
    let missing = width > count ? width - count : 0
    if missing == 0 { return text }
    try evaluator.budget.write(fill.utf8.count, times: missing)
    let before: Int
    switch side {
    case .left: before = 0
    case .right: before = missing
    // As CPython does it: the odd one goes left where the width is odd.
    case .center: before = missing / 2 + (missing & width & 1)
    }
    return String(repeating: fill, count: before) + text + String(repeating: fill, count: missing - before)
  }
}
