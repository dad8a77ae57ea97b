/// A part of a template's text: text as it stands, a mark, or a word of an expression.
struct Token {
  enum Kind: Equatable {
    case data(String)
    case variableBegin
    case variableEnd
    case blockBegin
    case blockEnd
    case name(String)
    case string(String)
    case integer(Int)
    case float(Double)
    case symbol(String)
    case end
  }

  let kind: Kind
  let line: Int

  /// The token in words, for messages.
  var words: String {
    switch kind {
    case .data: "text"
    case .variableBegin: "'{{'"
    case .variableEnd: "'}}'"
    case .blockBegin: "'{%'"
    case .blockEnd: "'%}'"
    case .name(let name): "'\(name.prefix(60))'"
    case .string: "a string"
    case .integer(let value): "'\(value)'"
    case .float(let value): "'\(value)'"
    case .symbol(let text): "'\(text)'"
    case .end: "the end of the template"
    }
  }
}
