/// Evaluates the statements of one template, once.
final class Evaluator {
  let budget: TemplateBudget
  let now: Int?
  private let symbols: [String]
  private let numbers: [String: Int]
  let root = TemplateScope(in: nil)
  var scope: TemplateScope
  /// The line of what is being evaluated.
  var line = 1
  var output = ""
  private var depth = 0
  /// The text of the block that is being filtered.
  var block = TemplateValue.string("")
  /// What may hold itself, to be taken apart at the end.
  var namespaces: [TemplateNamespace] = []
  var captured: [TemplateScope] = []

  init(_ template: Template, weight: Int, now: Int?) {
    budget = TemplateBudget(weight: weight)
    self.now = now
    symbols = template.symbols
    numbers = Dictionary(uniqueKeysWithValues: symbols.enumerated().map { ($1, $0) })
    scope = root
    for function in TemplateFunction.allCases { define(function.rawValue, .function(function)) }
  }

  /// Gives a name of the template its value; one that the template never says is left out.
  func define(_ name: String, _ value: TemplateValue) {
    if let number = numbers[name] { root.set(number, value) }
  }

  func number(of name: String) -> Int? { numbers[name] }
  func name(of symbol: Int) -> String { symbols[symbol] }

  /// The text of the whole template.
  func render(_ body: [Statement]) throws(TemplateFault) -> String {
    _ = try execute(body)
    return output
  }

  /// Takes apart what was made, so that nothing that holds itself stays in memory.
  func end() {
    for namespace in namespaces { namespace.values = TemplateMapping() }
    for scope in captured { scope.clear() }
    root.clear()
  }

  /// Evaluates one level deeper.
  func deeper<T>(_ body: () throws(TemplateFault) -> T) throws(TemplateFault) -> T {
    depth += 1
    defer { depth -= 1 }
    guard depth <= TemplateLimits.depth else {
      throw TemplateFault("the template goes more than \(TemplateLimits.depth) levels deep", kind: .limit)
    }
    return try body()
  }

  func write(_ text: String) throws(TemplateFault) {
    try budget.write(text.utf8.count)
    output += text
  }

  /// The text that `body` writes, in a scope of its own inside `outer`.
  func text(in outer: TemplateScope, _ body: (TemplateScope) throws(TemplateFault) -> Void) throws(TemplateFault)
    -> String
  {
    let (before, here) = (output, scope)
    output = ""
    let inner = TemplateScope(in: outer)
    scope = inner
    defer {
      output = before
      scope = here
    }
    try body(inner)
    return output
  }

  /// What `{{ value }}` prints.
  func string(of value: TemplateValue) throws(TemplateFault) -> String { try ValueText.string(of: value, budget) }
}
