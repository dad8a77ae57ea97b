/// Why a template cannot be read or evaluated: one sentence, with the line of the template.
public struct TemplateProblem: Error, Sendable, Equatable, CustomStringConvertible {
  /// What kind of problem it is.
  public enum Kind: Sendable, Equatable {
    /// The text is no template, or one with a part that is not evaluated here.
    case syntax
    /// An expression has no value: an undefined name, a wrong type.
    case evaluation
    /// The template itself refuses what it was given, with `raise_exception`.
    case refusal
    /// The template needs more steps, characters or levels than are allowed.
    case limit
  }

  /// The template's name, such as a file.
  public let name: String
  /// The line in the template, from 1.
  public let line: Int
  /// The kind.
  public let kind: Kind
  /// What is wrong, in one sentence without a place.
  public let sentence: String

  /// The place and the sentence.
  public var description: String { "\(name):\(line): \(sentence)" }
}

/// A problem whose place is not known yet: what values and filters throw, for the evaluator to give a line.
struct TemplateFault: Error {
  let kind: TemplateProblem.Kind
  let sentence: String
  var line: Int?

  init(_ sentence: String, kind: TemplateProblem.Kind = .evaluation, line: Int? = nil) {
    self.kind = kind
    self.sentence = sentence
    self.line = line
  }
}
