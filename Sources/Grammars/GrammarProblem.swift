/// What is wrong with a grammar or a schema, and where.
public enum GrammarProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// The text of a grammar cannot be read: at a line and a column, both from 1.
  case syntax(name: String, line: Int, column: Int, sentence: String)
  /// A schema asks for what no grammar is made of; `pointer` is the JSON pointer of the place.
  case schema(name: String, pointer: String, sentence: String)
  /// A grammar that can be read, and cannot be used.
  case unusable(name: String, sentence: String)
  /// No token of the vocabulary continues the text as the grammar wants it.
  case noToken(after: String, wanted: String)
  /// Every token that the grammar allows has a logit of −∞.
  case forbidden
  /// One step or one mask has more ways to read the text than are followed.
  case ambiguous(after: String)

  public var description: String {
    switch self {
    case .syntax(let name, let line, let column, let sentence): "\(name):\(line):\(column): error: \(sentence)"
    case .schema(let name, let pointer, let sentence): "\(name)#\(pointer): error: \(sentence)"
    case .unusable(let name, let sentence): "\(name): error: \(sentence)"
    case .noToken(let after, let wanted):
      "no token of the vocabulary continues the text as the grammar wants it: after \(after) comes \(wanted)"
    case .forbidden: "every token that the grammar allows is forbidden by a logit bias"
    case .ambiguous(let after):
      "the grammar can read the text in too many ways after \(after); write it with fewer overlapping alternatives and "
        + "repetitions"
    }
  }
}
