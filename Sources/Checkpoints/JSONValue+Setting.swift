import Components
import Files

extension JSONValue {
  /// The value a setting spells; read as YAML it spells the setting again.
  public init(_ setting: Setting) {
    switch setting.content {
    case .scalar(let text, let quoted):
      if quoted {
        self = .string(text)
      } else if setting.isNull {
        self = .null
      } else if let flag = setting.flag {
        self = .bool(flag)
      } else if let integer = setting.integer {
        self = .integer(integer)
      } else if let number = setting.number {
        self = .number(number)
      } else {
        self = .string(text)
      }
    case .list(let items): self = .array(items.map { JSONValue($0) })
    case .group(let entries):
      var object = JSONObject()
      for entry in entries { object[entry.key] = JSONValue(entry.value) }
      self = .object(object)
    }
  }

  /// The setting that spells the value.
  public var setting: Setting { setting(at: nil) }

  /// The setting that spells the value, all of it at `place`.
  func setting(at place: Place?) -> Setting {
    switch self {
    case .null: Setting(text: "null", at: place)
    case .bool(let value): Setting(text: value ? "true" : "false", at: place)
    case .integer(let value): Setting(text: String(value), at: place)
    case .number(let value): Setting(text: "\(value)", at: place)
    case .string(let value): Setting(.scalar(value, quoted: true), at: place)
    // Its items have the place; the list itself was not written there, where a reader would look for each of its words.
    case .array(let items): Setting(.list(items.map { $0.setting(at: place) }))
    case .object(let members):
      Setting(.group(members.map { Setting.Entry($0.0, $0.1.setting(at: place), at: place) }), at: place)
    }
  }

  /// The text of a value that is neither list nor object, as a key of a map spells it.
  var word: String {
    if case .string(let text) = self { text } else { serialized() }
  }

  /// Whether both are the same, integers being the same however written.
  func means(_ other: JSONValue) -> Bool {
    if let a = number, let b = other.number { return a == b }
    if let a = array, let b = other.array { return a.count == b.count && zip(a, b).allSatisfy { $0.means($1) } }
    return self == other
  }
}
