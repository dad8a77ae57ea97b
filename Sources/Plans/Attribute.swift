/// One setting of an operator: a name and the value that decides its numbers.
///
/// Listings, equality of plans, golden files, fusion, the guard of `save` and the writers of other frameworks read
/// attributes and nothing else of an operator, so whatever changes a result must be one.
public struct Attribute: Sendable, Hashable {
  /// What an attribute can be.
  public enum Value: Sendable, Hashable {
    /// Nothing: a window that is not there.
    case none
    /// `true` or `false`.
    case flag(Bool)
    /// An integer.
    case integer(Int)
    /// A number that is computed with as a `Float`.
    case float(Float)
    /// A number in double precision.
    case number(Double)
    /// A word of a fixed choice, or a text such as a formula.
    case text(String)
    /// Values in order.
    case list([Value])
    /// Attributes of a part: a score bias, a scaling.
    case group(String, [Attribute])
  }

  /// The name, a word of the specification where it has one: `eps`.
  public let name: String
  /// The value.
  public let value: Value
  /// Whether the value is the plain case, which listings leave out. Equality never does.
  public let isDefault: Bool

  /// The attribute `name`; listings leave it out when `value` equals `plain`.
  public init(_ name: String, _ value: some AttributeConvertible, plain: (some AttributeConvertible)? = Bool?.none) {
    self.name = name
    let value = value.attributeValue
    self.value = value
    isDefault = value == .none || plain.map { $0.attributeValue == value } ?? false
  }

  /// Two attributes are equal when their names and values are.
  public static func == (a: Attribute, b: Attribute) -> Bool { a.name == b.name && a.value == b.value }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(value)
  }
}

/// What can be the value of an attribute.
public protocol AttributeConvertible {
  /// The value as an attribute holds it.
  var attributeValue: Attribute.Value { get }
}

extension Attribute.Value: AttributeConvertible {
  public var attributeValue: Attribute.Value { self }
}
extension Bool: AttributeConvertible { public var attributeValue: Attribute.Value { .flag(self) } }
extension Int: AttributeConvertible { public var attributeValue: Attribute.Value { .integer(self) } }
extension Float: AttributeConvertible { public var attributeValue: Attribute.Value { .float(self) } }
extension Double: AttributeConvertible { public var attributeValue: Attribute.Value { .number(self) } }
extension String: AttributeConvertible { public var attributeValue: Attribute.Value { .text(self) } }
extension Optional: AttributeConvertible where Wrapped: AttributeConvertible {
  public var attributeValue: Attribute.Value { self?.attributeValue ?? .none }
}
extension Array: AttributeConvertible where Element: AttributeConvertible {
  public var attributeValue: Attribute.Value { .list(map(\.attributeValue)) }
}

extension Attribute.Value: CustomStringConvertible {
  /// The value as a listing shows it.
  public var description: String {
    switch self {
    case .none: "none"
    case .flag(let flag): String(flag)
    case .integer(let integer): String(integer)
    case .float(let number):
      number.rounded() == number && abs(number) < 1e7 ? String(Int(number)) : String(number)
    case .number(let number):
      number.rounded() == number && abs(number) < 1e15 ? String(Int(number)) : String(number)
    case .text(let text): text
    case .list(let values): "[" + values.map(\.description).joined(separator: " ") + "]"
    case .group(let name, let attributes):
      attributes.visible.isEmpty ? name : "\(name) (\(attributes.listing))"
    }
  }
}

extension Attribute: CustomStringConvertible {
  /// The attribute as a listing shows it: `eps 1e-05`, `interleaved`, `window 512`.
  public var description: String {
    switch value {
    case .flag(true): name
    case .flag(false): "no \(name)"
    default: "\(name) \(value)"
    }
  }
}

extension [Attribute] {
  /// Those that listings show.
  public var visible: [Attribute] { filter { !$0.isDefault } }

  /// What listings show of them, in order.
  public var listing: String { visible.map(\.description).joined(separator: ", ") }
}
