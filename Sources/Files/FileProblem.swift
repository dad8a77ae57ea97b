/// What is wrong with a file: which file, where in it, and one sentence a person can act on.
public struct FileProblem: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file's path, or the name its bytes were given.
  public let path: String
  /// The place in bytes from the start of the file, where the problem has one.
  public let offset: Int?
  /// What was found and what was expected.
  public let sentence: String

  /// Names a problem in the file at `path`; `offset` counts bytes from its start.
  public init(path: String, offset: Int? = nil, sentence: String) {
    self.path = path
    self.offset = offset
    self.sentence = sentence
  }

  /// `path: byte 12: error: sentence`, or without the byte where the whole file is meant.
  public var description: String {
    guard let offset else { return "\(path): error: \(sentence)" }
    return "\(path): byte \(offset): error: \(sentence)"
  }
}
