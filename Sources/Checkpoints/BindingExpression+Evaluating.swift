import Components
import Files

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension BindingExpression {
  /// The word that stands for a key that is not there, in conditions.
  static let absent = JSONValue.string("absent")

  /// The value in `source`; nil when it has none. The paths looked at are added to `seen`.
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
        let value = try expression.value(in: source, seen: &seen)
        if result == nil { result = value }
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
      return source.value(at: path)?.array.map { .integer($0.count) }
    case .tensor(let name, let axis):
      guard let axis else { return .bool(source.tensors[name] != nil) }
      guard let shape = source.tensors[name], axis < shape.count else { return nil }
      return .integer(shape[axis])
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

extension BindingExpression.Modifiers {
  func apply(
    to inner: BindingExpression, in source: ConfigSource, seen: inout Set<String>
  ) throws(BindingProblem) -> JSONValue? {
    var holds = true
    for condition in conditions {
      seen.insert(condition.path)
      let value = source.value(at: condition.path) ?? BindingExpression.absent
      if !condition.values.contains(where: { $0.means(value) }) { holds = false }
    }
    let found = try inner.value(in: source, seen: &seen)
    guard holds else { return nil }
    guard var value = found else { return fallback }
    if map != nil {
      if let items = value.array {
        var mapped: [JSONValue] = []
        for item in items { mapped.append(try self.mapped(item, inner)) }
        value = .array(mapped)
      } else {
        value = try mapped(value, inner)
      }
    }
    if let text { value = .string(text.replacing("{}", with: value.word)) }
    return value
  }

  private func mapped(_ value: JSONValue, _ inner: BindingExpression) throws(BindingProblem) -> JSONValue {
    let word = value.word
    // Numbers by value, for 1 and 1.0 are one.
    if let found = map?.first(where: { entry in
      entry.word == word || (value.number != nil && Double(entry.word) == value.number)
    }) {
      return found.value
    }
    let words = map?.map(\.word) ?? []
    var name = "a value"
    if case .path(let paths) = inner { name = paths.joined(separator: " or ") }
    throw BindingProblem(
      sentence: "\(name) is '\(word.prefix(60))'; known here: \(words.joined(separator: ", "))",
      hint: nearestName(to: word, in: words).map { "the nearest is '\($0)'" })
  }
}
