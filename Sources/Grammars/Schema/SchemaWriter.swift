import Files

/// Writes a schema as the rules of a grammar: JSON, with a space or line ends between what it is made of, and the properties
/// of an object in the order of the schema, those that it does not name behind them.
struct SchemaWriter {
  private let reader: SchemaReader
  private let spacing: Grammar.Spacing
  private(set) var rules: [Grammar.Rule] = [Grammar.Rule(name: "root", expression: .nothing)]
  private var references: [String: Int] = [:]
  private var anyRule: Int?
  private var spaceRule: Int?
  private var depth = 0

  init(_ reader: SchemaReader, spacing: Grammar.Spacing) {
    self.reader = reader
    self.spacing = spacing
  }

  mutating func write() throws(GrammarProblem) {
    let root = try reader.root()
    rules[0].expression = try expression(root, at: "")
  }

  private mutating func addRule(_ name: String, _ expression: Expression = .nothing) -> Expression {
    rules.append(Grammar.Rule(name: name, expression: expression))
    return .rule(rules.count - 1)
  }

  /// What may stand between two parts of a value.
  private mutating func space() -> Expression {
    switch spacing {
    case .compact: return .empty
    case .flexible:
      if let spaceRule { return .rule(spaceRule) }
      let indent = Expression.repeated(.scalars(ScalarSet([0x09, 0x20])), minimum: 0, maximum: 20)
      let lines = Expression.sequence([.repeated(.text("\n"), minimum: 1, maximum: 2), indent])
      rules.append(Grammar.Rule(name: "space", expression: .choice([.empty, .text(" "), lines])))
      spaceRule = rules.count - 1
      return .rule(rules.count - 1)
    }
  }

  private mutating func expression(_ schema: Schema, at place: String) throws(GrammarProblem) -> Expression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 300, rules.count <= 200_000 else {
      throw reader.problem(place, "the schema is too deep or too large")
    }
    switch schema {
    case .any: return try anything()
    case .nothing: return .nothing
    case .null: return .text("null")
    case .boolean(let value):
      return value.map { .text($0 ? "true" : "false") } ?? .choice([.text("true"), .text("false")])
    case .number(let range):
      do { return try range.expression() } catch {
        throw reader.problem(
          place, "the numbers that are allowed take too many states; use a multipleOf with fewer digits")
      }
    case .string(let rule): return try string(rule, at: place)
    case .array(let rule): return try array(rule, at: place)
    case .object(let rule): return try object(rule, at: place)
    case .anyOf(let options):
      var parts: [Expression] = []
      for option in options { parts.append(try expression(option, at: place)) }
      return .choice(parts)
    case .reference(let pointer):
      if let rule = references[pointer] { return .rule(rule) }
      rules.append(Grammar.Rule(name: pointer.isEmpty ? "#" : pointer, expression: .nothing))
      let rule = rules.count - 1
      references[pointer] = rule
      rules[rule].expression = try expression(try reader.referenced(pointer), at: pointer)
      return .rule(rule)
    }
  }

  /// Any JSON value.
  private mutating func anything() throws(GrammarProblem) -> Expression {
    if let anyRule { return .rule(anyRule) }
    rules.append(Grammar.Rule(name: "value", expression: .nothing))
    let rule = rules.count - 1
    anyRule = rule
    let parts: [Schema] = [
      .null, .boolean(nil), .number(NumberRange()), .string(Schema.StringRule()), .array(Schema.ArrayRule()),
      .object(Schema.ObjectRule()),
    ]
    rules[rule].expression = try expression(.anyOf(parts), at: "")
    return .rule(rule)
  }

  private func string(_ rule: Schema.StringRule, at place: String) throws(GrammarProblem) -> Expression {
    quoted(try content(rule, at: place).mapped(JSONCharacters.expression))
  }

  private func quoted(_ content: Expression) -> Expression { .sequence([.text("\""), content, .text("\"")]) }

  /// What stands in a string, before it is written as JSON.
  private func content(_ rule: Schema.StringRule, at place: String) throws(GrammarProblem) -> Expression {
    if let literal = rule.literal { return .text(literal) }
    if let maximum = rule.maximum, maximum < rule.minimum { return .nothing }
    let length = Expression.repeated(.scalars(.all), minimum: rule.minimum, maximum: rule.maximum)
    guard let first = rule.patterns.first else { return length }
    let hasLength = rule.minimum > 0 || rule.maximum != nil
    if rule.patterns.count == 1, !hasLength { return first.expression }
    do {
      var automaton = try reader.automaton(of: first, at: place)
      for pattern in rule.patterns.dropFirst() {
        automaton = try automaton.intersection(try reader.automaton(of: pattern, at: place))
      }
      if hasLength { automaton = try automaton.intersection(try ContentAutomaton(length)) }
      return automaton.expression
    } catch let problem as GrammarProblem { throw problem } catch { throw reader.tooLarge(place) }
  }

  private mutating func array(_ rule: Schema.ArrayRule, at place: String) throws(GrammarProblem) -> Expression {
    var maximum = rule.maximum ?? .max
    if rule.rest.isNothing { maximum = min(maximum, rule.prefix.count) }
    if let first = rule.prefix.firstIndex(where: \.isNothing) { maximum = min(maximum, first) }
    guard rule.minimum <= maximum else { return .nothing }
    let space = space()
    let prefix = rule.prefix.prefix(maximum)
    // State n: n items are written.
    var network = Network(states: prefix.count + 1)
    for (index, schema) in prefix.enumerated() {
      let item = try expression(schema, at: place)
      network.add(.sequence(index == 0 ? [item] : [space, .text(","), space, item]), from: index, to: index + 1)
    }
    let end = network.addState()
    network.ends = [end]
    // An empty list has one space and not two.
    for count in stride(from: rule.minimum, through: prefix.count, by: 1) {
      network.add(count == 0 ? nil : space, from: count, to: end)
    }
    if maximum > prefix.count {
      let item = addRule("item", try expression(rule.rest, at: place))
      let more = Expression.sequence([space, .text(","), space, item])
      let first = prefix.isEmpty ? item : more
      let least = max(0, rule.minimum - prefix.count - 1)
      let most = maximum == .max ? nil : maximum - prefix.count - 1
      network.add(
        .sequence([first, .repeated(more, minimum: least, maximum: most), space]), from: prefix.count, to: end)
    }
    return .sequence([.text("["), space, .network(network), .text("]")])
  }

  private mutating func object(_ rule: Schema.ObjectRule, at place: String) throws(GrammarProblem) -> Expression {
    var rule = rule
    let names = rule.properties.map(\.key)
    for key in rule.required where !names.contains(where: { $0.utf8.elementsEqual(key.utf8) }) {
      rule.properties.append((key, try reader.schema(of: key, in: rule, at: place)))
    }
    let required = Set(rule.required)
    for property in rule.properties where property.schema.isNothing && required.contains(property.key) {
      return .nothing
    }
    let space = space()
    let further = try furtherProperty(rule, at: place)
    let properties = rule.properties.filter { !$0.schema.isNothing }

    // A state says which property is next, and how many are written, as far as that matters.
    let most = rule.maximum ?? .max
    let cap = max(1, rule.minimum, rule.maximum ?? 0)
    guard rule.minimum <= most, (properties.count + 1) * (min(cap, properties.count) + 1) <= 40_000 else {
      if rule.minimum > most { return .nothing }
      throw reader.problem(place, "so many properties cannot be counted; leave out minProperties and maxProperties")
    }
    let levels = min(cap, properties.count) + 1
    var network = Network(states: (properties.count + 1) * levels)
    func state(_ index: Int, _ count: Int) -> Int { index * levels + min(count, levels - 1) }
    let comma = Expression.sequence([space, .text(","), space])
    for (index, property) in properties.enumerated() {
      let value = try expression(property.schema, at: place + "/properties/" + SchemaReader.escaped(property.key))
      let key = quoted(Expression.text(property.key).mapped(JSONCharacters.expression))
      let member = addRule("property \(property.key)", .sequence([key, space, .text(":"), space, value]))
      for count in 0..<min(levels, index + 1) {
        if !required.contains(property.key) { network.add(nil, from: state(index, count), to: state(index + 1, count)) }
        guard count < most else { continue }
        network.add(
          count == 0 ? member : .sequence([comma, member]), from: state(index, count), to: state(index + 1, count + 1))
      }
    }
    let end = network.addState()
    network.ends = [end]
    for count in 0..<levels {
      let source = state(properties.count, count)
      if count >= rule.minimum, count <= most { network.add(count == 0 ? nil : space, from: source, to: end) }
      guard let further, count < most else { continue }
      let more = Expression.sequence([comma, further])
      let least = max(0, rule.minimum - count - 1)
      let rest = Expression.repeated(more, minimum: least, maximum: rule.maximum.map { $0 - count - 1 })
      network.add(.sequence([count == 0 ? further : more, rest, space]), from: source, to: end)
    }
    return .sequence([.text("{"), space, .network(network), .text("}")])
  }

  /// A property that the schema does not name; nil where there is none.
  private mutating func furtherProperty(_ rule: Schema.ObjectRule, at place: String) throws(GrammarProblem)
    -> Expression?
  {
    var options: [Expression] = []
    let space = space()
    do {
      let taken = rule.properties.map(\.key)
      let isTaken = try ContentAutomaton(.choice(taken.map { .text($0) }))
      var others = taken.isEmpty ? nil : isTaken.complement
      for pattern in rule.patterns {
        let automaton = try reader.automaton(of: pattern.key, at: place)
        others = try others?.intersection(automaton.complement) ?? automaton.complement
        if pattern.schema.isNothing { continue }
        let key = taken.isEmpty ? pattern.key.expression : try automaton.intersection(isTaken.complement).expression
        let value = try expression(pattern.schema, at: place)
        options.append(.sequence([quoted(key.mapped(JSONCharacters.expression)), space, .text(":"), space, value]))
      }
      if !rule.additional.isNothing {
        let key = others?.expression ?? .repeated(.scalars(.all), minimum: 0, maximum: nil)
        let value = try expression(rule.additional, at: place + "/additionalProperties")
        options.append(.sequence([quoted(key.mapped(JSONCharacters.expression)), space, .text(":"), space, value]))
      }
    } catch let problem as GrammarProblem { throw problem } catch { throw reader.tooLarge(place) }
    return options.isEmpty ? nil : addRule("further property", .choice(options))
  }
}

/// How a string's characters are written in JSON: as they are where that may be, control characters by an escape, and by
/// a letter what has one. (Not everything that JSON can say: `\u0061` for an a is more tokens and no other text.)
enum JSONCharacters {
  private static let short: [(character: UInt32, letter: UInt32)] = [
    (0x22, 0x22), (0x5C, 0x5C), (0x08, 0x62), (0x0C, 0x66), (0x0A, 0x6E), (0x0D, 0x72), (0x09, 0x74),
  ]
  private static let controls = ScalarSet([0x00...0x1F, 0x7F...0x7F])
  private static let escaped = ScalarSet(short.map(\.character)).union(controls)
  private static let all = written(.all)

  /// One of the characters of `set`, as JSON writes it.
  static func expression(_ set: ScalarSet) -> Expression { set == .all ? all : written(set) }

  private static func written(_ set: ScalarSet) -> Expression {
    let plain = set.subtracting(escaped)
    let special = set.intersection(escaped)
    if special.isEmpty {
      // One character of text stays text, so that words share their beginnings.
      return plain.single.map { .bytes(UTF8Ranges.encoded($0)) } ?? .scalars(plain)
    }
    var parts: [Expression] = plain.isEmpty ? [] : [.scalars(plain)]
    let letters = short.filter { special.contains($0.character) }.map(\.letter)
    if !letters.isEmpty { parts.append(.sequence([.text("\\"), .scalars(ScalarSet(letters))])) }
    for high in [0, 1, 7] as [UInt32] {
      let digits = (0..<16 as Range<UInt32>).filter {
        special.contains(high << 4 | $0) && controls.contains(high << 4 | $0)
      }
      if digits.isEmpty { continue }
      let low = digits.flatMap { $0 < 10 ? [0x30 + $0] : [0x41 + $0 - 10, 0x61 + $0 - 10] }
      parts.append(.sequence([.text("\\u00\(high)"), .scalars(ScalarSet(low))]))
    }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }
}

extension Grammar {
  /// What may stand between the parts of a JSON value.
  public enum Spacing: Sendable {
    /// Nothing.
    case compact
    /// Nothing, a space, or one or two line ends with up to 20 spaces or tabs behind them, as in llama.cpp.
    case flexible
  }

  /// The JSON values that a JSON Schema allows; `name` stands for it in messages.
  ///
  /// Throws `GrammarProblem` with the pointer of what is not supported.
  public init(jsonSchema schema: JSONValue, name: String, spacing: Spacing = .flexible) throws(GrammarProblem) {
    var writer = SchemaWriter(SchemaReader(schema, name: name), spacing: spacing)
    try writer.write()
    try self.init(writer.rules, name: name)
  }

  /// Texts that are `marks.before`, a JSON value that a JSON Schema allows, and `marks.after`; or several such texts, with
  /// line feeds between them, where it `repeats`. Throws as the other does.
  public init(
    jsonSchema schema: JSONValue, between marks: (before: String, after: String), repeats: Bool = false, name: String
  ) throws(GrammarProblem) {
    var writer = SchemaWriter(SchemaReader(schema, name: name), spacing: .flexible)
    try writer.write()
    var rules = writer.rules
    let marked = Expression.sequence([.text(marks.before), rules[0].expression, .text(marks.after)])
    rules.append(Rule(name: "one", expression: marked))
    let one = Expression.rule(rules.count - 1)
    let more = Expression.repeated(.sequence([.text("\n"), one]), minimum: 0, maximum: nil)
    rules[0].expression = repeats ? .sequence([one, more]) : one
    try self.init(rules, name: name)
  }
}
