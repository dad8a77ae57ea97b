/// Why a library is not loaded: which, and one sentence.
public struct PluginProblem: Error, Sendable, Equatable, CustomStringConvertible {
  /// The library's path, as it was given.
  public let path: String
  /// What was found, and what to do.
  public let sentence: String

  /// The problem that `sentence` tells of the library at `path`.
  public init(_ path: String, _ sentence: String) {
    self.path = path
    self.sentence = sentence
  }

  /// `path: error: sentence`.
  public var description: String { "\(path): error: \(sentence)" }
}
