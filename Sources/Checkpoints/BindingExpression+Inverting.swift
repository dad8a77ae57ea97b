import Files

import Essentials

extension BindingExpression {
  /// The ways to extend `config` so that this expression may have `value`; none where that cannot be.
  ///
  /// Of several spellings the first is written. Arithmetic is solved for the one operand that `config` does not have
  /// yet.
  func inversions(of value: JSONValue, in config: JSONObject) -> [JSONObject] {
    switch self {
    case .path(let paths):
      return paths.first.flatMap { config.assigning(value, at: $0) }.map { [$0] } ?? []
    case .constant(let constant):
      return constant.means(value) ? [config] : []
    case .first(let expressions):
      return expressions.flatMap { $0.inversions(of: value, in: config) }
    case .arithmetic(let operation, let operands):
      return Self.solutions(operation, operands, of: value, in: config)
    case .list(let expressions):
      // Item by item; a value of fewer items may be any of several lists, which nothing is guessed about.
      guard let items = value.array, items.count == expressions.count else { return [] }
      return zip(expressions, items).reduce([config]) { configs, pair in
        configs.flatMap { pair.0.inversions(of: pair.1, in: $0) }
      }
    case .count, .tensor, .numbers, .places, .stored:
      // Tensors are what they are.
      return []
    case .runs(let runs):
      return Self.inversions(of: value, runs, in: config)
    case .join(let patterns, _):
      return Self.inversions(of: value, joined: patterns, in: config)
    case .same(let paths):
      return config.assigning(value, at: paths[0]).map { [$0] } ?? []
    case .period(let period, let offset, let inside, _):
      return Self.inversions(of: value, period, offset, inside, in: config)
    case .listed(let path, let first, let inside, _, _):
      guard let layers = value.array.flatMap({ Self.layers(of: $0) }) else { return [] }
      let numbers = layers.indices.filter { layers[$0] == inside }.map { JSONValue.integer($0 + first) }
      return config.assigning(.array(numbers), at: path).map { [$0] } ?? []
    case .numbered(let path, let item, _):
      return (value.array ?? []).enumerated().reduce([config]) { configs, layer in
        layer.element.isNull
          ? configs : configs.compactMap { $0.assigning(layer.element, at: "\(path).\(layer.offset).\(item)") }
      }
    case .letters(let path):
      let letters = (value.array ?? []).compactMap(\.string)
      guard letters.count == value.array?.count, letters.allSatisfy({ $0.count == 1 }) else { return [] }
      return config.assigning(.string(letters.joined()), at: path).map { [$0] } ?? []
    case .unroll(let path):
      let once = value.array.flatMap { Self.layers(of: $0) }.map { layers in
        JSONValue.array([.array([.array(layers.map { .string($0) }), 1])])
      }
      return once.flatMap { config.assigning($0, at: path) }.map { [$0] } ?? []
    case .grouped(let groups, let alternatives):
      let source = ConfigSource(name: "", values: config, tensors: [:])
      let chosen = groups.firstIndex(where: source.hasGroup) ?? alternatives.count - 1
      return alternatives[chosen].inversions(of: value, in: config)
    case .modified(let inner, let modifiers):
      return modifiers.inversions(of: value, by: inner, in: config)
    }
  }

  /// The same expression that has no value where its keys are absent.
  private var withoutFallback: BindingExpression {
    switch self {
    case .modified(let inner, var modifiers):
      modifiers.fallback = nil
      return .modified(inner.withoutFallback, modifiers)
    case .first(let inner): return .first(inner.map(\.withoutFallback))
    case .grouped(let groups, let inner): return .grouped(groups, inner.map(\.withoutFallback))
    default: return self
    }
  }

  /// Whether an absent key and one that switches the value off are two things, so that the second must be written.
  var canSwitchOff: Bool {
    switch self {
    case .modified(_, let modifiers): modifiers.fallback != nil && !modifiers.off.isEmpty
    case .first(let inner), .grouped(_, let inner): inner.contains { $0.canSwitchOff }
    default: false
    }
  }

  /// Whether numbers that other bindings write may be needed first.
  var hasArithmetic: Bool {
    switch self {
    case .arithmetic: true
    case .first(let inner), .list(let inner), .join(let inner, _), .grouped(_, let inner):
      inner.contains { $0.hasArithmetic }
    case .modified(let inner, _): inner.hasArithmetic
    case .runs(let runs): runs.contains { $0.count.hasArithmetic }
    case .period(let period, let offset, _, _): period.hasArithmetic || offset.hasArithmetic
    case .path, .constant, .count, .tensor, .numbers, .unroll, .letters, .same, .listed, .numbered, .places, .stored:
      false
    }
  }

  /// Whether the value is that of a key, under no condition.
  var isPlain: Bool {
    switch self {
    case .path: true
    case .grouped(_, let inner): inner.last?.isPlain == true
    case .modified(let inner, let modifiers): inner.isPlain && modifiers.conditions.isEmpty
    default: false
    }
  }

  /// The first key that a plain value is at.
  var firstPath: String? {
    switch self {
    case .path(let paths): paths.first
    case .grouped(_, let inner): inner.last?.firstPath
    case .modified(let inner, _): inner.firstPath
    default: nil
    }
  }

  private static func solutions(
    _ operation: Arithmetic, _ operands: [BindingExpression], of value: JSONValue, in config: JSONObject
  ) -> [JSONObject] {
    guard let result = value.number else { return [] }
    let source = ConfigSource(name: "", values: config, tensors: [:])
    var seen: Set<String> = []
    let known = operands.map { operand -> Double? in (try? operand.value(in: source, seen: &seen))?.number }
    let unknown = known.indices.filter { known[$0] == nil }
    guard unknown.count <= 1 else { return [] }
    if let index = unknown.first {
      return solutions(operation, operands, for: index, known, of: result, in: config)
    }
    // What only its default makes known may say something else, one at a time; as it is comes last.
    let unsaid = operands.indices.filter {
      ((try? operands[$0].withoutFallback.value(in: source, seen: &seen)) ?? nil) == nil
    }
    return unsaid.flatMap { solutions(operation, operands, for: $0, known, of: result, in: config) } + [config]
  }

  /// The ways to extend `config` so that the operand at `index` gives `result` with the others, which are `known`.
  private static func solutions(
    _ operation: Arithmetic, _ operands: [BindingExpression], for index: Int, _ known: [Double?], of result: Double,
    in config: JSONObject
  ) -> [JSONObject] {
    let others = known.indices.filter { $0 != index }.compactMap { known[$0] }
    let solution =
      switch operation {
      case .product: result / others.reduce(1, *)
      case .ratio: index == 0 ? result * others[0] : others[0] / result
      case .difference: index == 0 ? result + others[0] : others[0] - result
      case .power: index == 0 ? pow(result, 1 / others[0]) : log(result) / log(others[0])
      }
    // Roots and quotients come back as the integer that they are meant to be.
    let rounded = solution.rounded()
    let exact = abs(solution - rounded) <= abs(rounded) * 1e-9 ? rounded : solution
    guard exact.isFinite else { return [] }
    return operands[index].inversions(of: Int(exactly: exact).map(JSONValue.integer) ?? .number(exact), in: config)
  }
}

extension BindingExpression.Modifiers {
  func inversions(of value: JSONValue, by inner: BindingExpression, in config: JSONObject) -> [JSONObject] {
    // Nothing where the family has something is said by the word that switches it off.
    var inverted = value.isNull ? off.first?.written : unmapped(withoutText(value))
    if let items = inverted?.array, let word = off.first?.written {
      inverted = .array(items.map { $0.isNull ? word : $0 })
    }
    guard let inverted else { return [] }
    var configs = [config]
    for condition in conditions {
      configs = configs.flatMap { config -> [JSONObject] in
        if condition.holds(in: ConfigSource(name: "", values: config, tensors: [:])) { return [config] }
        let words = [BindingExpression.absent, BindingExpression.present]
        return condition.values.filter { !words.contains($0) }
          .compactMap { config.assigning($0, at: condition.paths.last ?? "") }
      }
    }
    if let written { return configs.compactMap { $0.assigning(inverted, at: written) } }
    return configs.flatMap { inner.inversions(of: inverted, in: $0) }
  }

  private func withoutText(_ value: JSONValue) -> JSONValue? {
    guard let text else { return value }
    let pieces = text.split(separator: "{}", omittingEmptySubsequences: false)
    guard let word = value.string, pieces.count == 2, word.hasPrefix(pieces[0]), word.hasSuffix(pieces[1]),
      word.count >= pieces[0].count + pieces[1].count
    else { return nil }
    let content = String(word.dropFirst(pieces[0].count).dropLast(pieces[1].count))
    return Int(content).map(JSONValue.integer) ?? .string(content)
  }

  private func unmapped(_ value: JSONValue?) -> JSONValue? {
    guard let value, map != nil else { return value }
    guard let items = value.array else { return word(for: value) }
    let words = items.compactMap(word)
    return words.count == items.count ? .array(words) : nil
  }

  /// The configuration's word for `value`, as the kind of value it would be there.
  private func word(for value: JSONValue) -> JSONValue? {
    if value.isNull, !off.isEmpty { return value }
    guard let word = map?.first(where: { $0.value.means(value) && $0.word != Self.anyWord })?.word else { return nil }
    return switch word {
    case "true": .bool(true)
    case "false": .bool(false)
    case "null": .null
    default: Int(word).map(JSONValue.integer) ?? .string(word)
    }
  }
}

extension JSONValue {
  /// The value as a configuration has it: JSON has no word for infinity, and the reference writes an object.
  fileprivate var written: JSONValue {
    let word = word
    return JSONParser.literals.contains { $0.word == word } ? ["__float__": .string(word)] : self
  }
}

extension JSONObject {
  /// This object with `value` at a path of nested objects; nil where something else stands there. The next item of a
  /// list is added to it.
  func assigning(_ value: JSONValue, at path: String) -> JSONObject? {
    var object = self
    guard let dot = path.firstIndex(of: ".") else {
      if let old = object[path], !old.means(value) { return nil }
      object[path] = value
      return object
    }
    let key = String(path[..<dot])
    if let index = Int(path[path.index(after: dot)...]), index >= 0 {
      var items = object[key]?.array ?? []
      guard index <= items.count, object[key] == nil || object[key]?.array != nil else { return nil }
      if index < items.count, !items[index].means(value) { return nil }
      if index == items.count { items.append(value) }
      object[key] = .array(items)
      return object
    }
    let inner = object[key] == nil ? JSONObject() : object[key]?.object
    guard let inner = inner?.assigning(value, at: String(path[path.index(after: dot)...])) else { return nil }
    object[key] = .object(inner)
    return object
  }
}
