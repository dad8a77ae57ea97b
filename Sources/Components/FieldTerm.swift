/// A word of the field for what a component does under other words, and the line of YAML that says it here.
///
/// Components bring their own, in their doc comments, after the words `Known as:` and up to the next empty line:
///
///     Known as: swiglu, swi_glu `mlp: {gated: true, activation: silu}`, bilinear `mlp: {…}`
///
/// A person who types such a word where nothing has that name is told the line, never a name that looks alike and is
/// another thing. Case, `_`, `-` and spaces carry no meaning in it.
public struct FieldTerm: Sendable, Hashable {
  /// The word, as the component's comment writes it.
  public let word: String
  /// The line of YAML, of the root of a specification; a comment may follow.
  public let line: String
  /// The slot and the name of the component that brought it.
  public let slot: Slot
  public let component: String

  /// The terms in the doc comment `documentation` of the component `name` of `slot`.
  static func terms(in documentation: String, slot: Slot, component name: String) -> [FieldTerm] {
    let lines = documentation.split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.firstIndex(where: { $0.hasPrefix("Known as:") }) else { return [] }
    let paragraph = lines[start...].prefix { !$0.allSatisfy(\.isWhitespace) }.joined(separator: " ")
    let parts = paragraph.dropFirst("Known as:".count).split(separator: "`", omittingEmptySubsequences: false)
    var terms: [FieldTerm] = []
    for (words, line) in zip(parts.indices.filter { $0 % 2 == 0 }, parts.indices.filter { $0 % 2 == 1 }) {
      for word in parts[words].split(whereSeparator: { ",;. ".contains($0) }) {
        terms.append(FieldTerm(word: String(word), line: String(parts[line]), slot: slot, component: name))
      }
    }
    return terms
  }

  /// What a person who typed the word is told.
  public var hint: String { "'\(word)' is written  \(line)" }
}

/// The words of the field that components know, and what they are written as.
///
/// Comments are read when a word is looked for: a program that names nothing wrong never reads them.
public struct FieldTerms: Sendable {
  private var comments: [(text: String, component: ComponentName)] = []

  /// No word.
  public init() {}

  /// Every term, by its word.
  public var all: [FieldTerm] { byWord.values.sorted { $0.word < $1.word } }

  /// The term for `word`, however it is spelled.
  public subscript(word: String) -> FieldTerm? { byWord[letters(of: word)] }

  /// The terms by their words' letters; a word that two components have is the earlier one's.
  private var byWord: [[UInt8]: FieldTerm] {
    var terms: [[UInt8]: FieldTerm] = [:]
    for comment in comments {
      for term in FieldTerm.terms(in: comment.text, slot: comment.component.slot, component: comment.component.name) {
        let key = letters(of: term.word)
        if terms[key] == nil { terms[key] = term }
      }
    }
    return terms
  }

  /// Adds the terms in the doc comment `text` of `component`.
  mutating func add(from text: String, of component: ComponentName) { comments.append((text, component)) }

  /// What is to be said of a `word` that names nothing: the line that a term stands for, or else the nearest of `names`.
  public func hint(for word: String, among names: some Sequence<String>) -> String? {
    self[word]?.hint ?? nearestName(to: word, in: names).map { "did you mean '\($0)'?" }
  }
}
