import Files
import Settings
import ServingLink

/// The members of a request's JSON object: read one by one with a check of each, and whatever nobody read is refused by name.
///
/// A `null` counts as absent, as clients write it for what was not set.
struct RequestFields {
  private let object: JSONObject
  private let prefix: String
  private var known: Set<String> = []

  /// The object in `body`. Throws where it is none.
  init(_ body: [UInt8]) throws(ErrorAnswer) {
    let parsed = body.withUnsafeBytes { bytes in
      Result { () throws(FileProblem) in try JSONValue(parsing: bytes, name: "the body") }
    }
    switch parsed {
    case .failure(let problem): throw ErrorAnswer(400, problem.description.onOneLine, code: "invalid_json")
    case .success(let json):
      guard let object = json.object else {
        throw ErrorAnswer(400, "the body is \(json.kind), not a JSON object", code: "invalid_json")
      }
      self.init(object)
    }
  }

  /// The members of `object`, which is the parameter `name`.
  init(_ object: JSONObject, of name: String? = nil) {
    self.object = object
    prefix = name.map { $0 + "." } ?? ""
  }

  /// The full name of `key`, as messages have it.
  func name(_ key: String) -> String { prefix + key }

  /// The error that `key` is `what`.
  func wrong(_ key: String, _ what: String, code: String = "invalid_value") -> ErrorAnswer {
    ErrorAnswer(400, "'\(name(key))' \(what)", parameter: name(key), code: code)
  }

  /// Any value; nil where it is absent or null.
  mutating func value(_ key: String) -> JSONValue? {
    known.insert(key)
    guard let value = object[key], !value.isNull else { return nil }
    return value
  }

  mutating func string(_ key: String) throws(ErrorAnswer) -> String? {
    guard let value = value(key) else { return nil }
    guard let text = value.string else { throw wrong(key, "takes a string, not \(value.kind)") }
    return text
  }

  mutating func flag(_ key: String) throws(ErrorAnswer) -> Bool? {
    guard let value = value(key) else { return nil }
    guard let flag = value.bool else { throw wrong(key, "takes true or false, not \(value.kind)") }
    return flag
  }

  mutating func integer(_ key: String, in range: ClosedRange<Int>) throws(ErrorAnswer) -> Int? {
    guard let value = value(key) else { return nil }
    guard let number = value.integer, range.contains(number) else {
      throw wrong(
        key,
        range.upperBound == .max
          ? "takes an integer of at least \(range.lowerBound)"
          : "takes an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  mutating func number(_ key: String, in range: ClosedRange<Double>) throws(ErrorAnswer) -> Double? {
    guard let value = value(key) else { return nil }
    guard let number = value.number, range.contains(number) else {
      throw wrong(key, "takes a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  mutating func array(_ key: String) throws(ErrorAnswer) -> [JSONValue]? {
    guard let value = value(key) else { return nil }
    guard let array = value.array else { throw wrong(key, "takes a list, not \(value.kind)") }
    return array
  }

  mutating func group(_ key: String) throws(ErrorAnswer) -> RequestFields? {
    guard let value = value(key) else { return nil }
    guard let object = value.object else { throw wrong(key, "takes an object, not \(value.kind)") }
    return RequestFields(object, of: name(key))
  }

  /// Throws the first member that nobody asked for.
  func finish() throws(ErrorAnswer) {
    guard let unknown = object.keys.first(where: { !known.contains($0) }) else { return }
    let near = nearestName(to: unknown, in: known.sorted()).map { "; did you mean '\(name($0))'?" } ?? ""
    let shown = String(name(unknown).prefix(100))
    throw ErrorAnswer(
      400, "the parameter '\(shown)' is unknown or not supported here\(near)", parameter: shown,
      code: "unknown_parameter")
  }
}
