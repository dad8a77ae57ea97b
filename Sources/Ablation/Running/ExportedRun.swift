import Files
import Training

/// What a run that an exported arm's program did says of itself: `run.json` beside its `metrics.jsonl`.
public struct ExportedRun: Sendable {
  /// Its folder.
  public let path: String
  /// The engine with its version.
  public let engine: String
  /// What it ran on, in the order it came there.
  public let device: String
  /// The compute type, f32 or bf16.
  public let precision: String
  /// Steps that were done when a loss was no number; nil when none was.
  public let divergedAfter: Int?

  /// Why a run cannot be taken.
  struct Unusable: Error, CustomStringConvertible { let description: String }

  /// The run in the folder at `path`; nil while it has not ended. Throws when what it says is damaged.
  public init?(at path: String) throws {
    let file = path + "/run.json"
    guard kind(ofPath: file) == .file else { return nil }
    let json = try JSONValue(contentsOf: file, limit: 1 << 20)
    divergedAfter = json["diverged_after_steps"]?.integer
    guard json["finished"]?.bool == true || divergedAfter != nil else { return nil }
    guard let engine = json["engine"]?.string, let precision = json["precision"]?.string,
      let devices = json["devices"]?.array?.compactMap(\.string), !devices.isEmpty
    else { throw FileProblem(path: file, sentence: "it names no engine, no precision or no device") }
    (self.path, self.engine, self.precision) = (path, engine, precision)
    device = devices.joined(separator: ", then ")
  }

  /// What it noted step by step. Throws when that is not a whole run of `settings`.
  func metrics(_ settings: TrainingSettings) throws -> RunMetrics {
    guard precision == settings.options.precision.rawValue else {
      throw Unusable(
        description:
          "it was trained in \(precision), and the study says \(settings.options.precision.rawValue); remove \(path), and train "
          + "it again so")
    }
    let metrics = try RunMetrics(in: RunFolder(path), tokensPerStep: settings.tokensPerStep)
    let (found, wanted) = (metrics.curve.last?.tokens ?? 0, settings.steps * settings.tokensPerStep)
    if divergedAfter == nil, found != wanted {
      throw Unusable(
        description:
          "its last validation is after \(found) tokens, and the run has \(wanted); remove \(path), and train it again")
    }
    return metrics
  }
}
