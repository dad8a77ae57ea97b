/// A mapping that keeps the order of its keys, as Python's `dict` does; equal numbers of different types are one key.
struct TemplateMapping {
  private(set) var keys: [TemplateValue] = []
  private(set) var values: [TemplateValue] = []
  private var places: [Key: Int] = [:]
  private(set) var depth = 1

  /// A key as it is compared: by value, strings byte by byte.
  enum Key: Hashable {
    case none
    case number(Double)
    case int(Int)
    case text(Bytes)
    case tuple([Key])
    case other(ObjectIdentifier)

    struct Bytes: Hashable {
      let text: String

      static func == (left: Bytes, right: Bytes) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

      func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
      }
    }

    /// The key that `value` is; throws where it can be none, such as a list.
    init(_ value: TemplateValue) throws(TemplateFault) {
      switch value {
      case .none: self = .none
      case .bool(let value): self = .int(value ? 1 : 0)
      case .int(let value): self = .int(value)
      case .float(let value): self = Int(exactly: value).map(Key.int) ?? .number(value)
      case .string(let text), .markup(let text): self = .text(Bytes(text: text))
      case .tuple(let items):
        var keys: [Key] = []
        for item in items.list { keys.append(try Key(item)) }
        self = .tuple(keys)
      case .undefined: self = .text(Bytes(text: "\u{0}undefined"))
      case .namespace(let namespace): self = .other(ObjectIdentifier(namespace))
      case .macro(let macro): self = .other(ObjectIdentifier(macro))
      case .iterator(let iterator): self = .other(ObjectIdentifier(iterator))
      default: throw TemplateFault("a value of the type '\(value.type)' cannot be a key")
      }
    }
  }

  var count: Int { keys.count }
  var isEmpty: Bool { keys.isEmpty }

  /// The value of `key`; nil when it has none.
  func value(of key: TemplateValue) throws(TemplateFault) -> TemplateValue? {
    places[try Key(key)].map { values[$0] }
  }

  /// The value of a string.
  func value(of name: String) -> TemplateValue? { places[.text(.init(text: name))].map { values[$0] } }

  /// Gives `key` a value: at its place when it is there, else at the end.
  mutating func set(_ key: TemplateValue, _ value: TemplateValue) throws(TemplateFault) {
    try set(key, value, depth: try nestedDepth(max(key.depth, value.depth)))
  }

  /// The same where the depth of the value in a mapping is known.
  mutating func set(_ key: TemplateValue, _ value: TemplateValue, depth level: Int) throws(TemplateFault) {
    depth = max(depth, level)
    let found = try Key(key)
    if let place = places[found] {
      values[place] = value
    } else {
      places[found] = keys.count
      keys.append(key)
      values.append(value)
    }
  }

  /// The members as tuples.
  func items() throws(TemplateFault) -> [TemplateValue] {
    var list: [TemplateValue] = []
    for (key, value) in zip(keys, values) { list.append(try .tuple(of: [key, value])) }
    return list
  }
}
