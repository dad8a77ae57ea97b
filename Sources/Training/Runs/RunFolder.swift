import Components
import Files

/// The folder of a run.
///
///     resolved.yaml        the model, complete: the folder is a model for every other command
///     training.json        everything else the run follows from, and the fingerprint of all of it
///     metrics.jsonl        a line for each step and each validation
///     model.safetensors    a link to the weights of the newest checkpoint
///     checkpoints/         step-00000250 …: weights, optimizer, and the hashes of both
///
/// A tokenizer's files stand beside them.
public struct RunFolder: Sendable {
  /// Its path.
  public let path: String

  /// The folder at `path`, which need not be there yet.
  public init(_ path: String) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  var resolved: String { path + "/resolved.yaml" }
  var description: String { path + "/training.json" }
  package var metrics: String { path + "/metrics.jsonl" }
  var weights: String { path + "/model.safetensors" }
  package var checkpoints: String { path + "/checkpoints" }
  var lock: String { path + "/.lock" }

  /// Whether a run was begun here.
  public var isBegun: Bool { kind(ofPath: description) == .file }
}

/// What a run follows from: the resolved model, the settings, the data, and the files that go with the model.
public struct RunDescription: Sendable {
  /// The resolved spec, as YAML.
  public let model: String
  /// The settings.
  public let settings: TrainingSettings
  /// Where the data is, as it was asked for, to find it again.
  public let data: JSONObject
  /// What the data and the tokenizer are, in hashes.
  public let dataFingerprint: String

  /// A description of these parts.
  public init(model: String, settings: TrainingSettings, data: JSONObject, dataFingerprint: String) {
    (self.model, self.settings, self.data, self.dataFingerprint) = (model, settings, data, dataFingerprint)
  }

  /// The hash of everything that the result follows from: how often the run looks up and saves is not part of it.
  public var fingerprint: String {
    var settings = settings
    for setting in TrainingSetting.all where !setting.decidesResult { _ = setting.set(&settings, .integer(0)) }
    var hash = SHA256()
    for part in [model, JSONValue.object(settings.json).serialized(), dataFingerprint] {
      hash.update(part)
      hash.update("\u{0}")
    }
    return hash.hexadecimal()
  }

  /// Writes it into `folder`, the file that says a run was begun last.
  func write(to folder: RunFolder) throws {
    try writeAtomically(model, to: folder.resolved)
    var json = JSONObject()
    json["format"] = .integer(1)
    json["fingerprint"] = .string(fingerprint)
    json["data_fingerprint"] = .string(dataFingerprint)
    json["data"] = .object(data)
    json["settings"] = .object(settings.json)
    try writeAtomically(JSONValue.object(json).serialized(pretty: true) + "\n", to: folder.description)
  }

  /// The description in `folder`, whose optimizer and schedule `registry` names; throws when it is not one.
  public init(in folder: RunFolder, _ registry: Registry) throws {
    let json = try JSONValue(contentsOf: folder.description, limit: 16 << 20)
    guard json["format"]?.integer == 1,
      let settings = json["settings"]?.object.flatMap({ TrainingSettings($0, registry) }),
      let data = json["data"]?.object, let hash = json["data_fingerprint"]?.string
    else { throw FileProblem(path: folder.description, sentence: "not the description of a run") }
    let file = try MappedFile(path: folder.resolved)
    self.init(
      model: withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }, settings: settings, data: data,
      dataFingerprint: hash)
    guard json["fingerprint"]?.string == fingerprint else {
      throw FileProblem(
        path: folder.description, sentence: "the fingerprint is not that of the run: a file was changed")
    }
  }
}
