/// What a JSON Schema allows, in the form that a grammar is made of.
indirect enum Schema: Sendable {
  case any
  /// Nothing is allowed.
  case nothing
  case null
  /// True, false or either.
  case boolean(Bool?)
  case number(NumberRange)
  case string(StringRule)
  case array(ArrayRule)
  case object(ObjectRule)
  case anyOf([Schema])
  /// What stands at this pointer of the document.
  case reference(String)

  /// The strings that are allowed.
  struct StringRule: Sendable {
    struct Pattern: Sendable, Hashable {
      var source: String
      static func == (a: Pattern, b: Pattern) -> Bool { a.source == b.source }
      func hash(into hasher: inout Hasher) { hasher.combine(source) }
      var expression: Expression
    }
    var minimum = 0
    var maximum: Int?
    var patterns: [Pattern] = []
    /// The only string.
    var literal: String?
  }

  /// The arrays that are allowed.
  struct ArrayRule: Sendable {
    var minimum = 0
    var maximum: Int?
    var prefix: [Schema] = []
    /// Items behind the prefix.
    var rest: Schema = .any
  }

  /// The objects that are allowed.
  struct ObjectRule: Sendable {
    var properties: [(key: String, schema: Schema)] = []
    var required: [String] = []
    var patterns: [(key: StringRule.Pattern, schema: Schema)] = []
    var additional: Schema = .any
    var minimum = 0
    var maximum: Int?

    func schema(of key: String) -> Schema? { properties.first { $0.key == key }?.schema }
  }

  /// One of `schemas`, without those that allow nothing.
  static func any(of schemas: [Schema]) -> Schema {
    var flat: [Schema] = []
    for schema in schemas {
      switch schema {
      case .nothing: continue
      case .any: return .any
      case .anyOf(let inner): flat += inner
      default: flat.append(schema)
      }
    }
    return flat.isEmpty ? .nothing : flat.count == 1 ? flat[0] : .anyOf(flat)
  }

  var isNothing: Bool { if case .nothing = self { true } else { false } }
}
