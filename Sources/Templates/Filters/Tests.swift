/// Jinja's tests: what stands behind `is`.
enum Tests {
  static let names: Set<String> = [
    "odd", "even", "divisibleby", "defined", "undefined", "filter", "test", "none", "boolean", "false", "true",
    "integer", "float", "lower", "upper", "string", "mapping", "number", "sequence", "iterable", "callable", "sameas",
    "escaped", "in", "==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", "ge", ">=", "<", "lt", "lessthan",
    "<=", "le",
  ]

  private static let comparisons: [String: Comparison] = [
    "==": .equal, "eq": .equal, "equalto": .equal, "!=": .unequal, "ne": .unequal, ">": .greater, "gt": .greater,
    "greaterthan": .greater, "ge": .greaterOrEqual, ">=": .greaterOrEqual, "<": .less, "lt": .less, "lessthan": .less,
    "<=": .lessOrEqual, "le": .lessOrEqual, "in": .isIn,
  ]

  /// Why there is no test `name`.
  static func unknown(_ name: String) -> String { "no test is named '\(name.prefix(60))'" }

  /// Whether the test `name` holds for `value`.
  static func apply(_ name: String, to value: TemplateValue, _ given: Arguments, _ evaluator: Evaluator)
    throws(TemplateFault) -> Bool
  {
    let what = "the test '\(name)'"
    if let comparison = comparisons[name] {
      let other = try given.bound(to: "b", required: 1, of: what)[0] ?? .none
      return try evaluator.holds(comparison, value, other)
    }
    if name == "sameas" { return isSame(value, try given.bound(to: "other", required: 1, of: what)[0] ?? .none) }
    if name == "divisibleby" {
      let number = try given.bound(to: "num", required: 1, of: what)[0] ?? .none
      return try ValueOrder.areEqual(try evaluator.binary(.remainder, value, number), .int(0), evaluator.budget)
    }
    guard names.contains(name) else { throw TemplateFault(unknown(name), kind: .syntax) }
    _ = try given.bound(of: what)
    switch name {
    case "defined": return !value.isUndefined
    case "undefined": return value.isUndefined
    case "odd", "even":
      let rest = try evaluator.binary(.remainder, value, .int(2))
      return try ValueOrder.areEqual(rest, .int(name == "odd" ? 1 : 0), evaluator.budget)
    case "filter", "test":
      _ = try TemplateMapping.Key(value)
      return value.text.map { (name == "test" ? names : Filters.names).contains($0) } ?? false
    case "lower", "upper":
      let text = try evaluator.string(of: value)
      return name == "lower" ? text.isPythonLower : text.isPythonUpper
    default: return isOfType(name, value)
    }
  }

  private static func isOfType(_ name: String, _ value: TemplateValue) -> Bool {
    switch (name, value) {
    case ("none", .none), ("boolean", .bool), ("true", .bool(true)), ("false", .bool(false)), ("integer", .int),
      ("float", .float), ("string", .string), ("string", .markup), ("mapping", .mapping), ("number", .int),
      ("number", .float), ("number", .bool), ("escaped", .markup):
      return true
    case ("sequence", _):
      switch value {
      case .undefined, .string, .markup, .list, .tuple, .mapping, .range: return true
      default: return false
      }
    case ("iterable", _):
      switch value {
      case .undefined, .string, .markup, .list, .tuple, .mapping, .view, .range, .iterator, .loop: return true
      default: return false
      }
    case ("callable", _):
      switch value {
      case .undefined, .macro, .function, .method, .loop: return true
      case .cycler(let cycler): return cycler.isJoiner
      default: return false
      }
    default: return false
    }
  }

  /// Python's `is`, as far as it says the same on every run.
  private static func isSame(_ a: TemplateValue, _ b: TemplateValue) -> Bool {
    switch (a, b) {
    case (.none, .none): true
    case (.bool(let a), .bool(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.string(let a), .string(let b)): a.isSame(as: b)
    case (.float(let a), .float(let b)): a == b
    case (.namespace(let a), .namespace(let b)): a === b
    case (.macro(let a), .macro(let b)): a === b
    default: false
    }
  }
}

extension String {
  /// Python's `str.islower`.
  var isPythonLower: Bool {
    var found = false
    for scalar in unicodeScalars {
      if scalar.properties.isUppercase || scalar.properties.generalCategory == .titlecaseLetter { return false }
      if scalar.properties.isLowercase { found = true }
    }
    return found
  }

  /// Python's `str.isupper`.
  var isPythonUpper: Bool {
    var found = false
    for scalar in unicodeScalars {
      if scalar.properties.isLowercase || scalar.properties.generalCategory == .titlecaseLetter { return false }
      if scalar.properties.isUppercase { found = true }
    }
    return found
  }
}
