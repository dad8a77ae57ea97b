import Essentials
import Files

/// What a run was asked to learn from, as it is written into its folder, so that it can be found again.
struct TrainingRequest {
  var model: String?
  var changes: [String]
  var data: [String]
  var validationData: [String]
  var jsonKey: String
  var tokenizer: String?
  var initFrom: String?

  /// As JSON; paths are made absolute, for a run may go on from another folder.
  var json: JSONObject {
    var json = JSONObject()
    json["model"] = model.map { .string(kind(ofPath: $0) == .nothing ? $0 : Self.absolute($0)) } ?? .null
    json["set"] = .array(changes.map { .string($0) })
    json["data"] = .array(data.map { .string(Self.absolute($0)) })
    json["validation_data"] = .array(validationData.map { .string(Self.absolute($0)) })
    json["json_key"] = .string(jsonKey)
    json["tokenizer"] = tokenizer.map { .string($0 == "char" ? $0 : Self.absolute($0)) } ?? .null
    json["init_from"] = initFrom.map { .string(kind(ofPath: $0) == .nothing ? $0 : Self.absolute($0)) } ?? .null
    return json
  }

  init(
    model: String?, changes: [String], data: [String], validationData: [String], jsonKey: String, tokenizer: String?,
    initFrom: String?
  ) {
    (self.model, self.changes, self.data, self.validationData) = (model, changes, data, validationData)
    (self.jsonKey, self.tokenizer, self.initFrom) = (jsonKey, tokenizer, initFrom)
  }

  /// What `json` says.
  init(_ json: JSONObject) {
    func texts(_ key: String) -> [String] { json[key]?.array?.compactMap(\.string) ?? [] }
    self.init(
      model: json["model"]?.string, changes: texts("set"), data: texts("data"),
      validationData: texts("validation_data"),
      jsonKey: json["json_key"]?.string ?? "text", tokenizer: json["tokenizer"]?.string,
      initFrom: json["init_from"]?.string)
  }

  /// The names of what this asks for otherwise than `begun`; what is left out here is not asked for.
  func differences(from begun: TrainingRequest) -> [String] {
    let (own, other) = (json, begun.json)
    let names = [
      ("model", "the model"), ("set", "--set"), ("data", "--data"), ("validation_data", "--validation-data"),
      ("tokenizer", "--tokenizer"), ("init_from", "--init-from"),
    ]
    return names.compactMap { key, name in
      guard let value = own[key], !value.isNull, !(value.array?.isEmpty ?? false), value != other[key] else {
        return nil
      }
      return name
    }
  }

  static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }
}
