import Files

/// A Jinja template as `transformers` evaluates chat templates: `trim_blocks`, `lstrip_blocks`, loop controls,
/// `{% generation %}`, an immutable sandbox.
///
/// Source: Jinja 3.1.6 (https://jinja.palletsprojects.com/en/stable/templates/), and `_compile_jinja_template` of
/// transformers 5.23. Nothing outside the values given can be reached: there is no loader (`include`, `extends`, `import`),
/// values cannot be changed, and a name that begins with `_` is no attribute. Templates are strangers' text, so steps,
/// characters and levels have limits (`TemplateLimits`).
///
/// A careful reader's mistake: a name that is not defined prints as nothing, but asking it for anything is an error, as in Jinja.
public struct Template: Sendable {
  /// What it is called in messages.
  public let name: String
  let body: [Statement]
  /// The names that the template says, by their number.
  let symbols: [String]

  /// Reads `source`; throws `TemplateProblem` with the line where it is no template.
  public init(_ source: String, name: String) throws(TemplateProblem) {
    self.name = name
    do throws(TemplateFault) {
      guard source.utf8.count <= TemplateLimits.source else {
        throw TemplateFault(
          "the template has \(source.utf8.count) bytes; at most \(TemplateLimits.source) are read", kind: .limit)
      }
      var lexer = Lexer(source)
      var parser = Parser(try lexer.tokens())
      body = try parser.template()
      symbols = parser.symbols.names
    } catch {
      throw TemplateProblem(name: name, line: error.line ?? 1, kind: error.kind, sentence: error.sentence)
    }
  }

  /// The text that the template gives for `variables`; throws `TemplateProblem` with the line where it cannot be evaluated.
  ///
  /// `now` is the time that `strftime_now` tells, in seconds since 1970; nil for the clock's.
  public func render(_ variables: JSONObject, now: Int? = nil) throws(TemplateProblem) -> String {
    var weight = 0
    for value in variables.values { weight += value.weight }
    let evaluator = Evaluator(self, weight: weight, now: now)
    do throws(TemplateFault) {
      for (name, value) in variables { evaluator.define(name, try TemplateValue(value)) }
      let text = try evaluator.render(body)
      evaluator.end()
      return text
    } catch {
      evaluator.end()
      throw TemplateProblem(
        name: name, line: error.line ?? evaluator.line, kind: error.kind, sentence: error.sentence)
    }
  }
}

extension JSONValue {
  /// How much a value is, for the limits: its characters and members.
  fileprivate var weight: Int {
    switch self {
    case .string(let text): text.utf8.count + 1
    case .array(let items): items.reduce(1) { $0 + $1.weight }
    case .object(let members): members.reduce(1) { $0 + $1.0.utf8.count + $1.1.weight }
    case .null, .bool, .integer, .number: 1
    }
  }
}
