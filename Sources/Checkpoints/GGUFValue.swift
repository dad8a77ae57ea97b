import Files

/// A value of a GGUF file's metadata.
public enum GGUFValue: Sendable {
  /// Any of the eight integer types, where it fits a signed 64-bit number; larger ones are `unsigned`.
  case integer(Int)
  case unsigned(UInt64)
  /// A 32- or 64-bit floating-point number.
  case number(Double)
  case bool(Bool)
  case string(String)
  case integers([Int])
  case numbers([Double])
  case bools([Bool])
  case strings([String])
}

extension GGUFValue {
  /// An integer.
  public var integer: Int? {
    if case .integer(let value) = self { value } else { nil }
  }

  /// Any number.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// True or false.
  public var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// A text.
  public var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  /// A list of integers.
  public var integers: [Int]? {
    if case .integers(let values) = self { values } else { nil }
  }

  /// A list of numbers, whole or not.
  public var numbers: [Double]? {
    switch self {
    case .numbers(let values): values
    case .integers(let values): values.map(Double.init)
    default: nil
    }
  }

  /// A list of texts.
  public var strings: [String]? {
    if case .strings(let values) = self { values } else { nil }
  }

  /// The same value as JSON, for whoever reads a configuration from either.
  public var json: JSONValue {
    switch self {
    case .integer(let value): .integer(value)
    case .unsigned(let value): .number(Double(value))
    case .number(let value): .number(value)
    case .bool(let value): .bool(value)
    case .string(let value): .string(value)
    case .integers(let values): .array(values.map(JSONValue.integer))
    case .numbers(let values): .array(values.map(JSONValue.number))
    case .bools(let values): .array(values.map(JSONValue.bool))
    case .strings(let values): .array(values.map(JSONValue.string))
    }
  }
}
