/// Why a text is no formula: a sentence and where in the text.
public struct FormulaProblem: Error, Hashable {
  /// What is wrong, as the end of a sentence that names the formula.
  public let sentence: String
  /// The character it is about, from 1; nil when it is about the whole.
  public let character: Int?
  /// What to do.
  public let hint: String?

  init(_ sentence: String, at character: Int? = nil, hint: String? = nil) {
    self.sentence = sentence
    self.character = character
    self.hint = hint
  }
}
