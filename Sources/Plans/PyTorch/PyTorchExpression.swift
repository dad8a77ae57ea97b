/// A piece of Python that gives a value, with how tightly it binds, so that parentheses stand only where they must.
public struct PyTorchExpression: Sendable, Hashable {
  /// How tightly an expression's outermost operator binds.
  public enum Binding: Int, Sendable, Hashable, Comparable {
    /// `lambda`, a conditional expression.
    case whole
    /// `a < b`.
    case comparison
    /// `a + b`.
    case sum
    /// `a * b`.
    case product
    /// `-a`.
    case sign
    /// `a ** b`.
    case power
    /// A name, a call, a subscript, a number.
    case atom

    public static func < (a: Binding, b: Binding) -> Bool { a.rawValue < b.rawValue }
  }

  /// The piece as it is written.
  public let text: String
  /// How tightly it binds.
  public let binding: Binding

  /// The piece `text`.
  public init(_ text: String, _ binding: Binding = .atom) {
    self.text = text
    self.binding = binding
  }

  /// The piece in parentheses, unless it binds at least as tightly as `other`.
  public func within(_ other: Binding) -> String { binding >= other ? text : "(\(text))" }
}

extension PyTorchExpression: ExpressibleByStringInterpolation {
  /// The piece that the literal `text` writes: a name, a call, something that binds as tightly as these.
  public init(stringLiteral text: String) { self.init(text) }

  /// The integer `value`.
  public init(_ value: Int) { self.init(String(value), value < 0 ? .sign : .atom) }

  /// The number `value`, in the fewest digits that give it back as f32.
  public init(_ value: Float) { self.init(number: value.isFinite ? "\(value)" : nil, isNegative: value < 0) }

  /// The number `value`, in the fewest digits that give it back.
  public init(_ value: Double) { self.init(number: value.isFinite ? "\(value)" : nil, isNegative: value < 0) }

  private init(number: String?, isNegative: Bool) {
    self.init(number ?? "float(\"\(isNegative ? "-" : "")inf\")", isNegative && number != nil ? .sign : .atom)
  }

  /// `True` or `False`.
  public init(_ value: Bool) { self.init(value ? "True" : "False") }
}

extension PyTorchExpression {
  /// `a + b`
  public static func + (a: Self, b: Self) -> Self { Self("\(a.within(.sum)) + \(b.within(.product))", .sum) }

  /// `a - b`
  public static func - (a: Self, b: Self) -> Self { Self("\(a.within(.sum)) - \(b.within(.product))", .sum) }

  /// `a * b`
  public static func * (a: Self, b: Self) -> Self { Self("\(a.within(.product)) * \(b.within(.sign))", .product) }

  /// `a / b`
  public static func / (a: Self, b: Self) -> Self { Self("\(a.within(.product)) / \(b.within(.sign))", .product) }

  /// `-a`
  public static prefix func - (a: Self) -> Self { Self("-\(a.within(.sign))", .sign) }

  /// `a ** exponent`
  public func power(_ exponent: Self) -> Self { Self("\(within(.atom))**\(exponent.within(.sign))", .power) }

  /// `function(arguments, name=argument)`
  public static func call(_ function: String, _ arguments: [Self], named: [(String, Self)] = []) -> Self {
    let words = arguments.map { $0.text } + named.map { "\($0.0)=\($0.1.text)" }
    return Self("\(function)(\(words.joined(separator: ", ")))")
  }

  /// `a.method(arguments, name=argument)`
  public func method(_ name: String, _ arguments: Self..., named: [(String, Self)] = []) -> Self {
    .call("\(within(.atom)).\(name)", arguments, named: named)
  }

  /// `a[places]`
  public func at(_ places: String) -> Self { Self("\(within(.atom))[\(places)]") }
}
