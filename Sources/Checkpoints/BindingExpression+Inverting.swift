import Files

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

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
    case .count, .tensor:
      // Tensors are what they are.
      return []
    case .modified(let inner, let modifiers):
      return modifiers.inversions(of: value, by: inner, in: config)
    }
  }

  /// Whether numbers that other bindings write may be needed first.
  var hasArithmetic: Bool {
    switch self {
    case .arithmetic: true
    case .first(let inner), .list(let inner): inner.contains { $0.hasArithmetic }
    case .modified(let inner, _): inner.hasArithmetic
    case .path, .constant, .count, .tensor: false
    }
  }

  /// Whether the value is that of a key, under no condition.
  var isPlain: Bool {
    switch self {
    case .path: true
    case .modified(let inner, let modifiers): inner.isPlain && modifiers.conditions.isEmpty
    default: false
    }
  }

  /// The first key that a plain value is at.
  var firstPath: String? {
    switch self {
    case .path(let paths): paths.first
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
    guard let index = unknown.first else { return [config] }
    guard unknown.count == 1 else { return [] }
    let others = known.compactMap { $0 }
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
    guard let value = unmapped(withoutText(value)) else { return [] }
    var configs = [config]
    for condition in conditions {
      configs = configs.flatMap { config -> [JSONObject] in
        let present =
          ConfigSource(name: "", values: config, tensors: [:]).value(at: condition.path) ?? BindingExpression.absent
        if condition.values.contains(where: { $0.means(present) }) { return [config] }
        return condition.values.filter { !$0.means(BindingExpression.absent) }
          .compactMap { config.assigning($0, at: condition.path) }
      }
    }
    return configs.flatMap { inner.inversions(of: value, in: $0) }
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
    guard let word = map?.first(where: { $0.value.means(value) })?.word else { return nil }
    return switch word {
    case "true": .bool(true)
    case "false": .bool(false)
    default: Int(word).map(JSONValue.integer) ?? .string(word)
    }
  }
}

extension JSONObject {
  /// This object with `value` at a path of nested objects; nil where something else stands there.
  func assigning(_ value: JSONValue, at path: String) -> JSONObject? {
    var object = self
    guard let dot = path.firstIndex(of: ".") else {
      if let old = object[path], !old.means(value) { return nil }
      object[path] = value
      return object
    }
    let key = String(path[..<dot])
    let inner = object[key] == nil ? JSONObject() : object[key]?.object
    guard let inner = inner?.assigning(value, at: String(path[path.index(after: dot)...])) else { return nil }
    object[key] = .object(inner)
    return object
  }
}
