import Components
import Files

/// What the classes of a model's texts are called, and how their scores become probabilities: as its `config.json` says.
public struct TextClasses: Sendable, Equatable {
  /// What a score becomes.
  public enum Function: String, Sendable {
    /// One of the classes holds: exp(s_i) / Σ exp(s_j).
    case softmax
    /// Each holds or not: 1 / (1 + exp(−s)).
    case sigmoid
    /// A number by itself.
    case none
  }

  /// The classes, in the order of the scores.
  public let names: [String]
  /// What a score becomes.
  public let function: Function

  /// The `count` classes of the model in `folder`, as the `text-classification` pipeline of transformers 5.23 reads them: several
  /// exclude each other unless `problem_type` says otherwise, and a single one holds or not.
  public init(count: Int, in folder: String) throws {
    let path = folder + "/config.json"
    let config = kind(ofPath: path) == .file ? try JSONValue(contentsOf: path, limit: 16 << 20, literals: true) : .null
    names = (0..<count).map { config["id2label"]?["\($0)"]?.string ?? "LABEL_\($0)" }
    function =
      switch config["problem_type"]?.string {
      case "regression": .none
      case "multi_label_classification": .sigmoid
      case "single_label_classification": .softmax
      default: count == 1 ? .sigmoid : .softmax
      }
  }
}
