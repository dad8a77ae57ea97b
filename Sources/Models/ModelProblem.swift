/// Why a model cannot be found or loaded.
public enum ModelProblem: Error, Sendable, Equatable, CustomStringConvertible {
  /// Nothing has this name; `nearest` is the most similar one.
  case notFound(String, nearest: String?)
  /// A folder or file is there, but is no model: why.
  case notAModel(path: String, why: String)
  /// No family reads a configuration of this kind.
  case unknownKind(String, path: String, nearest: String?)
  /// The model's weights are not on this machine; where they are published, when that is known.
  case noWeights(String, published: String?)
  /// The weights need more memory than the machine has.
  case tooLarge(bytes: Int, available: Int)

  /// The sentence for a person.
  public var description: String {
    switch self {
    case .notFound(let name, let nearest):
      "there is no model '\(name)'" + (nearest.map { "; did you mean '\($0)'?" } ?? "; 'chimera list' shows the zoo")
    case .notAModel(let path, let why): "\(path) is no model: \(why)"
    case .unknownKind(let kind, let path, let nearest):
      "no family of the zoo reads '\(kind)' (in \(path))" + (nearest.map { "; the nearest is '\($0)'" } ?? "")
    case .noWeights(let name, let published):
      "there are no weights for '\(name)' here: give them with --weights PATH, or run it untrained with --random-weights"
        + (published.map { "; they are published as \($0)" } ?? "")
    case .tooLarge(let bytes, let available):
      "the model needs \(bytes.inGiB) of memory, and the machine has \(available.inGiB)"
    }
  }
}

extension Int {
  /// A number of bytes in GiB, with two digits.
  var inGiB: String {
    let hundredths = Int((Double(self) / Double(1 << 30) * 100).rounded())
    let digits = hundredths % 100
    return "\(hundredths / 100).\(digits < 10 ? "0" : "")\(digits) GiB"
  }
}
