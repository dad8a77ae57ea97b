extension Unicode.Scalar {
  /// Whether it is one of 0 to 9.
  var isDigit: Bool { ("0"..."9").contains(self) }
}

extension Grammar {
  /// Reads `text` as GBNF; `name` stands for it in messages.
  ///
  /// Throws `GrammarProblem` with line and column, and for grammars that cannot be used: left-recursive, without any text, too large.
  public init(gbnf text: String, name: String) throws(GrammarProblem) {
    var reader = GBNFReader(text, name: name)
    try self.init(try reader.read(), name: name)
  }
}
