import Essentials

/// What is wrong with a file: which file, where in it, and one sentence a person can act on.
public struct FileProblem: Error, Sendable, Equatable, CustomStringConvertible {
  /// Whose fault it is.
  public enum Cause: Sendable {
    /// What the file holds is not what is expected.
    case content
    /// Nothing is at the path.
    case missing
    /// The system could not read or write: a full disk, a closed folder, a broken device.
    case system
  }

  /// The file's path, or the name its bytes were given.
  public let path: String
  /// The place in bytes from the start of the file, where the problem has one.
  public let offset: Int?
  /// What was found and what was expected.
  public let sentence: String
  /// Whose fault it is.
  public let cause: Cause

  /// Names a problem in the file at `path`; `offset` counts bytes from its start.
  public init(path: String, offset: Int? = nil, sentence: String, cause: Cause = .content) {
    self.path = path
    self.offset = offset
    self.sentence = sentence
    self.cause = cause
  }

  /// The system's last error as a problem of the file at `path`; `sentence` says what could not be done.
  static func ofSystem(path: String, _ sentence: String, number: Int32 = errno) -> FileProblem {
    FileProblem(path: path, sentence: "\(sentence): \(String(cString: strerror(number)))", cause: .system)
  }

  /// `path: byte 12: error: sentence`, or without the byte where the whole file is meant.
  public var description: String {
    guard let offset else { return "\(path): error: \(sentence)" }
    return "\(path): byte \(offset): error: \(sentence)"
  }
}
