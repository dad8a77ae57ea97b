import Components
import Files

import Essentials

extension BindingExpression {
  /// The word that stands for a key that is not there, in conditions.
  static let absent = JSONValue.string("absent")
  /// The word that stands for any value but null, in conditions.
  static let present = JSONValue.string("present")

  /// The value in `source`; nil when it has none, null when it says that there is none. The paths looked at are added
  /// to `seen`.
  func value(in source: ConfigSource, seen: inout Set<String>) throws(BindingProblem) -> JSONValue? {
    switch self {
    case .path(let paths):
      // All of them are accounted for, whichever is used: they are spellings of one thing.
      seen.formUnion(paths)
      return paths.lazy.compactMap { source.value(at: $0) }.first
    case .constant(let value):
      return value
    case .first(let expressions):
      var result: JSONValue?
      for expression in expressions {
        // What only an earlier one would have to refuse is not asked.
        var own: Set<String> = []
        let value: JSONValue?
        do throws(BindingProblem) {
          value = try expression.value(in: source, seen: &own)
        } catch {
          seen.formUnion(own)
          if result == nil || result?.isNull == true { throw error }
          continue
        }
        seen.formUnion(own)
        if result == nil || result?.isNull == true { result = value ?? result }
      }
      return result
    case .list(let expressions):
      var items: [JSONValue] = []
      for expression in expressions {
        if let item = try expression.value(in: source, seen: &seen) { items.append(item) }
      }
      return .array(items)
    case .arithmetic(let operation, let operands):
      return try Self.compute(operation, operands, in: source, seen: &seen)
    case .count(let path):
      seen.insert(path)
      guard let value = source.value(at: path) else { return nil }
      return (value.array?.count ?? value.string?.count).map(JSONValue.integer)
    case .letters(let path):
      seen.insert(path)
      return source.value(at: path)?.string.map { .array($0.map { .string(String($0)) }) }
    case .tensor(let name, let axis):
      guard let axis else { return .bool(source.tensors[name] != nil) }
      guard let shape = source.tensors[name], axis < shape.count else { return nil }
      return .integer(shape[axis])
    case .numbers(let name):
      return try source.numbers(of: name)
    case .runs(let runs):
      return try Self.runs(runs, in: source, seen: &seen)
    case .join(let patterns, let layers):
      return try Self.join(patterns, layers, in: source, seen: &seen)
    case .unroll(let path):
      seen.insert(path)
      return try source.value(at: path).map { value throws(BindingProblem) in try Self.unrolled(value, path) }
    case .same(let paths):
      seen.formUnion(paths)
      guard let value = paths.lazy.compactMap({ source.value(at: $0) }).first, let items = value.array else {
        return paths.lazy.compactMap { source.value(at: $0) }.first
      }
      guard let item = items.first, items.allSatisfy({ $0.means(item) }) else {
        throw BindingProblem(sentence: "\(paths[0]) is not the same in all layers, which this family's spec cannot say")
      }
      return item
    case .period(let period, let offset, let inside, let outside):
      let count = try period.value(in: source, seen: &seen)?.integer
      let place = try offset.value(in: source, seen: &seen)?.integer
      guard let count, let place else { return nil }
      guard 1...Self.layerLimit ~= count else {
        throw BindingProblem(sentence: "a period of \(count) layers is none")
      }
      return .array((0..<count).map { .string($0 == place ? inside : outside) })
    case .listed(let path, let first, let inside, let outside, let layers):
      seen.insert(path)
      let count = try layers.value(in: source, seen: &seen)?.integer
      guard let list = source.value(at: path)?.array, let count, count >= 0 else { return nil }
      let numbers = Set(list.compactMap(\.integer))
      return .array((0..<min(count, Self.layerLimit)).map { .string(numbers.contains($0 + first) ? inside : outside) })
    case .stored(let kinds, let outside, let layers):
      guard let count = try layers.value(in: source, seen: &seen)?.integer, 0...Self.layerLimit ~= count else {
        return nil
      }
      let patterns = kinds.map { (kind: $0.kind, name: TensorNamePattern($0.tensor)) }
      let names = (0..<count).map { layer in
        patterns.first { source.tensors[$0.name.name([layer])] != nil }?.kind ?? outside
      }
      let found = names.compactMap { $0 }
      return found.count == count ? .array(found.map(JSONValue.string)) : nil
    case .places(let path, let inside):
      seen.insert(path)
      guard let items = source.value(at: path)?.array else { return nil }
      return .array(items.indices.filter { items[$0].string == inside }.map { .integer($0) })
    case .numbered(let path, let item, let layers):
      guard let count = try layers.value(in: source, seen: &seen)?.integer, 0...Self.layerLimit ~= count else {
        return nil
      }
      let paths = (0..<count).map { "\(path).\($0).\(item)" }
      let values = paths.map { source.value(at: $0) }
      seen.formUnion(zip(paths, values).lazy.filter { $1 != nil }.map(\.0))
      return values.allSatisfy { $0 == nil } ? nil : .array(values.map { $0 ?? .null })
    case .grouped(let groups, let alternatives):
      let chosen = groups.firstIndex(where: source.hasGroup) ?? alternatives.count - 1
      for (index, alternative) in alternatives.enumerated() where index != chosen {
        // What stands in the others decides nothing, and is nobody's business.
        _ = try? alternative.value(in: source, seen: &seen)
      }
      return try alternatives[chosen].value(in: source, seen: &seen)
    case .modified(let inner, let modifiers):
      return try modifiers.apply(to: inner, in: source, seen: &seen)
    }
  }

  private static func compute(
    _ operation: Arithmetic, _ operands: [BindingExpression], in source: ConfigSource, seen: inout Set<String>
  ) throws(BindingProblem) -> JSONValue? {
    var numbers: [Double] = []
    var isComplete = true
    for operand in operands {
      guard let value = try operand.value(in: source, seen: &seen) else {
        isComplete = false
        continue
      }
      guard let number = value.number else {
        throw BindingProblem(sentence: "\(operation.rawValue) needs numbers; found \(value.serialized())")
      }
      numbers.append(number)
    }
    guard isComplete else { return nil }
    let result =
      switch operation {
      case .product: numbers.reduce(1, *)
      case .ratio: numbers[0] / numbers[1]
      case .difference: numbers[0] - numbers[1]
      case .power: pow(numbers[0], numbers[1])
      }
    guard result.isFinite else {
      throw BindingProblem(sentence: "the \(operation.rawValue) of \(numbers) is not a number")
    }
    return Int(exactly: result).map(JSONValue.integer) ?? .number(result)
  }
}

/// Why a configuration cannot be bound, as a sentence without its name.
struct BindingProblem: Error {
  let sentence: String
  var hint: String?
}

extension BindingExpression.Condition {
  /// Whether `source` has one of the values; absent and null are told apart.
  func holds(in source: ConfigSource) -> Bool {
    let value =
      paths.lazy.compactMap { source.value(at: $0) ?? (source.tensors[$0] == nil ? nil : true) }.first
      ?? (paths.contains(where: source.isNull) ? .null : BindingExpression.absent)
    // A group without keys is as good as none.
    let isEmpty = value.object?.isEmpty == true
    let isPresent = !value.isNull && value != BindingExpression.absent && !isEmpty
    if isEmpty, values.contains(BindingExpression.absent) { return true }
    return values.contains { $0.means(value) || (isPresent && $0 == BindingExpression.present) }
  }
}

extension BindingExpression.Modifiers {
  /// The word of a map that stands for all the others.
  static let anyWord = "_"

  func apply(
    to inner: BindingExpression, in source: ConfigSource, seen: inout Set<String>
  ) throws(BindingProblem) -> JSONValue? {
    var holds = true
    for condition in conditions {
      seen.formUnion(condition.paths)
      if !condition.holds(in: source) { holds = false }
    }
    guard holds else {
      // Only for the paths it looks at: what is wrong there is nobody's business.
      _ = try? inner.value(in: source, seen: &seen)
      return nil
    }
    let found = try inner.value(in: source, seen: &seen)
    guard var value = found else {
      if case .path(let paths) = inner, let path = paths.first(where: source.isNull) { return try null(at: path) }
      return fallback
    }
    if off.contains(where: { $0.means(value) }) { return .null }
    // Of a list the items one by one: a layer of which nothing is said.
    if !off.isEmpty, let items = value.array {
      value = .array(items.map { item in off.contains { $0.means(item) } ? .null : item })
    }
    if map != nil {
      if let items = value.array {
        var mapped: [JSONValue] = []
        for item in items { mapped.append(item.isNull && !off.isEmpty ? item : try self.mapped(item, inner)) }
        value = .array(mapped)
      } else {
        value = try mapped(value, inner)
      }
    }
    if let text { value = .string(text.replacing("{}", with: value.word)) }
    return value
  }

  /// What an explicit null says.
  private func null(at path: String) throws(BindingProblem) -> JSONValue? {
    if off.contains(where: \.isNull) { return .null }
    if let found = map?.first(where: { $0.word == "null" }) { return found.value }
    // Where nothing is bound by absence, null binds nothing either; else it is another word, and this family's none.
    if fallback == nil { return nil }
    throw BindingProblem(sentence: "\(path) is null, which this family's spec cannot say")
  }

  private func mapped(_ value: JSONValue, _ inner: BindingExpression) throws(BindingProblem) -> JSONValue {
    let word = value.word
    // Numbers by value, for 1 and 1.0 are one.
    if let found = map?.first(where: { entry in
      entry.word == word || (value.number != nil && Double(entry.word) == value.number)
    }) {
      return found.value
    }
    if let other = map?.first(where: { $0.word == Self.anyWord }) {
      return other.value == BindingExpression.absent ? .null : other.value
    }
    let words = map?.map(\.word) ?? []
    var name = "a value"
    if case .path(let paths) = inner { name = paths.joined(separator: " or ") }
    throw BindingProblem(
      sentence: "\(name) is '\(word.prefix(60))'; known here: \(words.joined(separator: ", "))",
      hint: nearestName(to: word, in: words).map { "the nearest is '\($0)'" })
  }
}
