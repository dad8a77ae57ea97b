import Components
import Files

extension BindingExpression {
  static let sources =
    [
      "from", "value", "first", "list", "count", "tensor", "numbers", "runs", "join", "unroll", "letters", "same",
      "listed", "stored", "period", "numbered", "places",
    ]
    + Arithmetic.allCases.map(\.rawValue)
  private static let modifierKeys = [
    "map", "text", "default", "off", "write", "when", "axis", "layers", "offset", "in", "out", "item",
  ]

  init(_ setting: Setting) throws(Problem) {
    guard let entries = setting.entries else {
      guard let path = setting.text else {
        throw Problem("a binding is \(setting.kindInWords); expected a path or a group of keys", at: setting.place)
      }
      self = .path([path])
      return
    }
    let keys = Self.sources + Self.modifierKeys
    for entry in entries where !keys.contains(entry.key) {
      throw Problem(
        "a binding has no key '\(entry.key)'", at: entry.place,
        hint: nearestName(to: entry.key, in: keys).map { "did you mean '\($0)'?" }
          ?? "its keys are \(keys.joined(separator: ", "))")
    }
    let present = entries.filter { Self.sources.contains($0.key) }
    guard present.count == 1, let source = present.first else {
      let found = present.isEmpty ? "none" : present.map(\.key).joined(separator: " and ")
      throw Problem(
        "a binding needs one source, and has \(found)",
        at: setting.place, hint: "a source is one of \(Self.sources.joined(separator: ", "))")
    }
    var axis: Int?
    if let axisSetting = setting["axis"] {
      guard source.key == "tensor", let number = axisSetting.integer, number >= 0 else {
        throw Problem("'axis' is the number of an axis of a 'tensor'", at: axisSetting.place)
      }
      axis = number
    }
    let layers = setting["layers"]
    if let layers, !["join", "listed", "stored", "numbered"].contains(source.key) {
      throw Problem("'layers' belongs to 'join', 'listed', 'stored' and 'numbered'", at: layers.place)
    }
    for key in ["in", "out"] where source.key != "listed" && source.key != "period" {
      if let misplaced = setting[key], source.key != (key == "out" ? "stored" : "places") {
        throw Problem("'\(key)' belongs to 'listed' and 'period'", at: misplaced.place)
      }
    }
    if source.key != "listed", source.key != "period", let misplaced = setting["offset"] {
      throw Problem("'offset' belongs to 'listed' and 'period'", at: misplaced.place)
    }
    if source.key != "numbered", let misplaced = setting["item"] {
      throw Problem("'item' belongs to 'numbered'", at: misplaced.place)
    }
    let inner: BindingExpression =
      switch source.key {
      case "listed": try Self.listed(source, setting)
      case "stored": try Self.stored(source, setting)
      case "numbered": try Self.numbered(source, setting)
      case "places": try Self.places(source, setting)
      case "period": try Self.period(source, setting)
      default: try Self.source(source, axis: axis, layers: layers)
      }
    let modifiers = try Self.modifiers(setting)
    self = modifiers.map { .modified(inner, $0) } ?? inner
  }

  private static func source(
    _ entry: Setting.Entry, axis: Int?, layers: Setting?
  ) throws(Problem) -> BindingExpression {
    switch entry.key {
    case "from": return .path(try texts(entry.value))
    case "value": return .constant(JSONValue(entry.value))
    case "first": return .first(try operands(entry.value))
    case "list": return .list(try operands(entry.value))
    case "count": return .count(try text(entry.value))
    case "tensor": return .tensor(try text(entry.value), axis: axis)
    case "numbers": return .numbers(try text(entry.value))
    case "unroll": return .unroll(try text(entry.value))
    case "letters": return .letters(try text(entry.value))
    case "same": return .same(try texts(entry.value))
    case "runs":
      // A list where a variant comes twice.
      let items = entry.value.list.map { $0.flatMap { $0.entries ?? [] } }
      guard let runs = entry.value.entries ?? items, !runs.isEmpty else {
        throw Problem(
          "'runs' is \(entry.value.kindInWords); expected a count for each variant", at: entry.value.place)
      }
      var counts: [(name: String, count: BindingExpression)] = []
      for run in runs { counts.append((run.key, try operand(run.value))) }
      return .runs(counts)
    case "join":
      guard let layers else {
        throw Problem("'join' needs 'layers', how many there are", at: entry.place)
      }
      return .join(try operands(entry.value), layers: try operand(layers))
    default:
      guard let operation = Arithmetic(rawValue: entry.key) else {
        throw Problem("a binding has no source '\(entry.key)'", at: entry.place)
      }
      let values = try operands(entry.value)
      guard values.count == 2 || (operation == .product && values.count > 2) else {
        throw Problem("'\(entry.key)' takes two values, not \(values.count)", at: entry.place)
      }
      return .arithmetic(operation, values)
    }
  }

  private static func listed(_ entry: Setting.Entry, _ setting: Setting) throws(Problem) -> BindingExpression {
    guard let inside = setting["in"]?.text, let outside = setting["out"]?.text, let layers = setting["layers"] else {
      throw Problem("'listed' needs 'in', 'out' and 'layers'", at: entry.place)
    }
    let first = setting["offset"]?.integer ?? 0
    guard setting["offset"]?.integer != nil || setting["offset"] == nil, abs(first) <= layerLimit else {
      throw Problem("the 'offset' of 'listed' is the number of the first layer", at: setting["offset"]?.place)
    }
    return .listed(
      try text(entry.value), first: first, inside: inside, outside: outside, layers: try operand(layers))
  }

  private static func stored(_ entry: Setting.Entry, _ setting: Setting) throws(Problem) -> BindingExpression {
    guard let entries = entry.value.entries, !entries.isEmpty, let layers = setting["layers"] else {
      throw Problem("'stored' needs a tensor's name for each kind of layer, and 'layers'", at: entry.place)
    }
    var kinds: [(kind: String, tensor: String)] = []
    for kind in entries {
      let name = try text(kind.value)
      guard TensorNamePattern(name).starCount == 1 else {
        throw Problem("'\(name)' has no '*' for the layer's number", at: kind.value.place)
      }
      kinds.append((kind.key, name))
    }
    return .stored(kinds, outside: setting["out"]?.text, layers: try operand(layers))
  }

  private static func numbered(_ entry: Setting.Entry, _ setting: Setting) throws(Problem) -> BindingExpression {
    guard let item = setting["item"]?.text, let layers = setting["layers"] else {
      throw Problem("'numbered' needs 'item' and 'layers'", at: entry.place)
    }
    return .numbered(try text(entry.value), item: item, layers: try operand(layers))
  }

  private static func places(_ entry: Setting.Entry, _ setting: Setting) throws(Problem) -> BindingExpression {
    guard let inside = setting["in"]?.text else { throw Problem("'places' needs 'in'", at: entry.place) }
    return .places(try text(entry.value), inside: inside)
  }

  private static func period(_ entry: Setting.Entry, _ setting: Setting) throws(Problem) -> BindingExpression {
    guard let inside = setting["in"]?.text, let outside = setting["out"]?.text, let offset = setting["offset"] else {
      throw Problem("'period' needs 'offset', 'in' and 'out'", at: entry.place)
    }
    return .period(try operand(entry.value), offset: try operand(offset), inside: inside, outside: outside)
  }

  private static func modifiers(_ setting: Setting) throws(Problem) -> Modifiers? {
    var modifiers = Modifiers()
    if let map = setting["map"] {
      guard let entries = map.entries, !entries.isEmpty else {
        throw Problem("'map' is \(map.kindInWords); expected a value for each word", at: map.place)
      }
      modifiers.map = entries.map { ($0.key, JSONValue($0.value)) }
    }
    if let text = setting["text"] {
      modifiers.text = try Self.text(text)
      guard modifiers.text?.contains("{}") == true else {
        throw Problem("'text' has no '{}' for the value", at: text.place)
      }
    }
    modifiers.fallback = setting["default"].map { JSONValue($0) }
    if let off = setting["off"] {
      guard let items = off.list else {
        throw Problem("'off' is \(off.kindInWords); expected a list of values", at: off.place)
      }
      modifiers.off = items.map { JSONValue($0) }
    }
    modifiers.written = try setting["write"].map { setting throws(Problem) in try Self.text(setting) }
    if let when = setting["when"] {
      guard let entries = when.entries else {
        throw Problem("'when' is \(when.kindInWords); expected a value for each path", at: when.place)
      }
      modifiers.conditions = entries.map { entry in
        Condition(entry.key, values: (entry.value.list ?? [entry.value]).map { JSONValue($0) })
      }
    }
    let isPlain =
      modifiers.map == nil && modifiers.text == nil && modifiers.fallback == nil && modifiers.off.isEmpty
      && modifiers.written == nil && modifiers.conditions.isEmpty
    return isPlain ? nil : modifiers
  }

  /// Expressions of a list, in which numbers stand for themselves.
  private static func operands(_ setting: Setting) throws(Problem) -> [BindingExpression] {
    guard let items = setting.list, !items.isEmpty else {
      throw Problem("a binding's source is \(setting.kindInWords); expected a list of bindings", at: setting.place)
    }
    var expressions: [BindingExpression] = []
    for item in items { expressions.append(try operand(item)) }
    return expressions
  }

  private static func operand(_ setting: Setting) throws(Problem) -> BindingExpression {
    setting.number == nil ? try BindingExpression(setting) : .constant(JSONValue(setting))
  }

  private static func text(_ setting: Setting) throws(Problem) -> String {
    guard let text = setting.text else {
      throw Problem("a binding names \(setting.kindInWords); expected a text", at: setting.place)
    }
    return text
  }

  private static func texts(_ setting: Setting) throws(Problem) -> [String] {
    guard let items = setting.list else { return [try text(setting)] }
    var texts: [String] = []
    for item in items { texts.append(try text(item)) }
    return texts
  }
}
