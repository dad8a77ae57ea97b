import Components
import Files

/// How one value of a spec follows from a configuration.
///
/// ```yaml
/// vocab_size                                     # the value at a path
/// {from: [rope_parameters.rope_theta, rope_theta], default: 10000}     # the first that is there
/// {from: hidden_act, map: {gelu_new: gelu_tanh, silu: silu}}   # item by item where the value is a list
/// {from: sliding_window, when: {use_sliding_window: true}}     # only under a condition; [true, absent] for several
/// {value: 1, when: {multi_query: true}}          # a constant
/// {first: [expression, …]}                       # the first that gives a value
/// {list: [expression, …]}                        # the values that there are
/// {product: [d_model, expansion_ratio]}          # also ratio, difference, power; numbers stand for themselves
/// {from: first_k_dense_replace, text: '{}*dense'}       # the value within a text
/// {count: tokenizer.ggml.tokens}                 # how many items a list has
/// {tensor: lm_head.weight}                       # whether a tensor is stored; with `axis: 0`, how long that axis is
/// ```
indirect enum BindingExpression: Sendable {
  case path([String])
  case constant(JSONValue)
  case first([BindingExpression])
  case list([BindingExpression])
  case arithmetic(Arithmetic, [BindingExpression])
  case count(String)
  case tensor(String, axis: Int?)
  case modified(BindingExpression, Modifiers)

  enum Arithmetic: String, CaseIterable, Sendable {
    case product, ratio, difference, power
  }

  struct Modifiers: Sendable {
    /// The values by the word that the configuration has.
    var map: [(word: String, value: JSONValue)]?
    var text: String?
    var fallback: JSONValue?
    /// For each path the values of which one must be there.
    var conditions: [(path: String, values: [JSONValue])] = []
  }

  private static let sources =
    ["from", "value", "first", "list", "count", "tensor"] + Arithmetic.allCases.map(\.rawValue)
  private static let modifierKeys = ["map", "text", "default", "when", "axis"]

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
    let inner = try Self.source(source, axis: axis)
    let modifiers = try Self.modifiers(setting)
    self = modifiers.map { .modified(inner, $0) } ?? inner
  }

  private static func source(_ entry: Setting.Entry, axis: Int?) throws(Problem) -> BindingExpression {
    switch entry.key {
    case "from": return .path(try texts(entry.value))
    case "value": return .constant(JSONValue(entry.value))
    case "first": return .first(try operands(entry.value))
    case "list": return .list(try operands(entry.value))
    case "count": return .count(try text(entry.value))
    case "tensor": return .tensor(try text(entry.value), axis: axis)
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
    if let when = setting["when"] {
      guard let entries = when.entries else {
        throw Problem("'when' is \(when.kindInWords); expected a value for each path", at: when.place)
      }
      modifiers.conditions = entries.map { entry in
        (entry.key, (entry.value.list ?? [entry.value]).map { JSONValue($0) })
      }
    }
    let isPlain =
      modifiers.map == nil && modifiers.text == nil && modifiers.fallback == nil && modifiers.conditions.isEmpty
    return isPlain ? nil : modifiers
  }

  /// Expressions of a list, in which numbers stand for themselves.
  private static func operands(_ setting: Setting) throws(Problem) -> [BindingExpression] {
    guard let items = setting.list, !items.isEmpty else {
      throw Problem("a binding's source is \(setting.kindInWords); expected a list of bindings", at: setting.place)
    }
    var expressions: [BindingExpression] = []
    for item in items {
      expressions.append(item.number == nil ? try BindingExpression(item) : .constant(JSONValue(item)))
    }
    return expressions
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
