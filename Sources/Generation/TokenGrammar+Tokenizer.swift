import Grammars
import Tokenization

extension TokenVocabulary {
  /// The tokens of `tokenizer` as a grammar sees them.
  public init(_ tokenizer: Tokenizer) {
    self.init(
      count: tokenizer.count,
      tokenizer.shownTokens.map {
        Token(id: $0.id, bytes: $0.bytes, first: $0.firstBytes, endsWord: $0.endsWord)
      })
  }
}

extension TokenGrammar {
  /// `grammar` over the vocabulary of `tokenizer`.
  public convenience init(_ grammar: Grammar, _ tokenizer: Tokenizer) {
    self.init(grammar, TokenVocabulary(tokenizer))
  }
}
