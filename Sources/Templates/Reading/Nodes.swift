/// An expression of a template, with the line it stands on.
struct Expression: Sendable {
  let line: Int
  let kind: Kind

  indirect enum Kind: Sendable {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    case name(Int)
    case list([Expression])
    case tuple([Expression])
    case mapping([(key: Expression, value: Expression)])
    case attribute(of: Expression, name: String)
    case item(of: Expression, at: Expression)
    case slice(of: Expression, from: Expression?, to: Expression?, by: Expression?)
    case call(Expression, CallArguments)
    /// Without a value it is the filter of a block, for the text inside.
    case filter(Expression?, name: String, CallArguments)
    case test(Expression, name: String, CallArguments)
    case not(Expression)
    case negative(Expression)
    case positive(Expression)
    case binary(BinaryOperator, Expression, Expression)
    case comparison(Expression, [(how: Comparison, with: Expression)])
    case joined([Expression])
    case and(Expression, Expression)
    case or(Expression, Expression)
    case condition(Expression, then: Expression, otherwise: Expression?)
  }
}

/// The arithmetic of two values.
enum BinaryOperator: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "//"
  case remainder = "%"
  case power = "**"
}

/// How two values are compared.
enum Comparison: String, Sendable {
  case equal = "=="
  case unequal = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case isIn = "in"
  case isNotIn = "not in"
}

/// The arguments of a call as they are written.
struct CallArguments: Sendable {
  var positional: [Expression] = []
  var named: [(name: String, value: Expression)] = []
  var list: Expression?
  var mapping: Expression?
}

/// What a statement assigns to.
indirect enum AssignmentTarget: Sendable {
  case name(Int)
  case attribute(of: Int, name: String)
  case several([AssignmentTarget])
}

/// The names and defaults of a macro.
struct MacroSignature: Sendable {
  var parameters: [Int] = []
  /// For the last of `parameters`.
  var defaults: [Expression] = []
  var usesCaller = false
  var usesNamed = false
  var usesPositional = false
}

/// A statement of a template, with the line it stands on.
struct Statement: Sendable {
  let line: Int
  let kind: Kind

  indirect enum Kind: Sendable {
    case text(String)
    case output(Expression)
    case branches([(test: Expression, body: [Statement])], otherwise: [Statement])
    case loop(ForLoop)
    case set(AssignmentTarget, Expression)
    /// The text of `body`, filtered.
    case setBlock(AssignmentTarget, filter: Expression?, body: [Statement])
    case macro(name: Int, MacroSignature, body: [Statement])
    case call(MacroSignature, Expression, body: [Statement])
    case filterBlock(Expression, body: [Statement])
    case with([(target: AssignmentTarget, value: Expression)], body: [Statement])
    case generation([Statement])
    case leave
    case next
  }
}

/// `{% for target in items if test recursive %}`.
struct ForLoop: Sendable {
  let target: AssignmentTarget
  let items: Expression
  let test: Expression?
  let isRecursive: Bool
  let body: [Statement]
  let otherwise: [Statement]
}
