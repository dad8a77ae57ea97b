import Files
import Grammars
import Testing

/// Every byte a token of its own: a text's tokens are its bytes.
let bytes = TokenVocabulary(count: 256, (0..<256).map { .init(id: $0, bytes: [UInt8($0)]) })

/// What becomes of a text: whether the grammar has it, and how far it goes where not.
enum Fate: Equatable {
  case whole
  case beginning
  case refused(at: Int)
}

func fate(of text: String, in grammar: Grammar) throws -> Fate {
  let matcher = try TokenGrammar(grammar, bytes, preparing: false).matcher()
  for (place, byte) in text.utf8.enumerated() {
    // What is taken is what the mask has.
    let isAllowed = matcher.isFinished ? false : try matcher.mask()[Int(byte)]
    #expect(try matcher.allows(Int(byte)) == isAllowed)
    guard try matcher.accept(Int(byte)) else { return .refused(at: place) }
  }
  return matcher.mayEnd ? .whole : .beginning
}

func grammar(_ text: String) throws -> Grammar { try Grammar(gbnf: text, name: "test.gbnf") }

func schema(_ text: String, _ spacing: Grammar.Spacing = .flexible) throws -> Grammar {
  try Grammar(jsonSchema: try JSONValue(parsing: text), name: "test.json", spacing: spacing)
}

/// The sentence of what is thrown.
func problem(_ body: () throws -> Grammar) -> String {
  do {
    _ = try body()
    return "nothing is wrong"
  } catch { return "\(error)" }
}
