import Files

extension TransformersFile {
  /// The version of the library that the files are written for.
  static let version = "5.23.0"
  /// The key of `config.json` that holds the spec.
  static let specificationKey = "chimera_spec"

  /// What `config.json` says; see `ExportedFolder`.
  func config(ids: JSONObject, dtype: String?, specification: String) -> JSONObject {
    var config = JSONObject()
    config["architectures"] = .array([.string("\(names.type)ForCausalLM")])
    config["model_type"] = .string(names.modelType)
    var classes = JSONObject()
    classes["AutoConfig"] = .string("\(names.configuration).\(names.type)Config")
    classes["AutoModel"] = .string("\(names.modeling).\(names.type)Model")
    classes["AutoModelForCausalLM"] = .string("\(names.modeling).\(names.type)ForCausalLM")
    config["auto_map"] = .object(classes)
    for (name, value) in settings { config[name] = Self.json(value) }
    config["layer_types"] = .array(layerTypes.map { .string($0) })
    config["tie_word_embeddings"] = .bool(isTied)
    config["use_cache"] = .bool(true)
    for key in ids.keys { config[key] = ids[key] }
    if let dtype { config["dtype"] = .string(dtype) }
    config["transformers_version"] = .string(Self.version)
    config[Self.specificationKey] = .string(specification)
    return config
  }

  /// A value of Python as JSON.
  private static func json(_ text: String) -> JSONValue {
    switch text {
    case "True": .bool(true)
    case "False": .bool(false)
    case "None": .null
    default: Int(text).map { .integer($0) } ?? Double(text).map { .number($0) } ?? .string(text)
    }
  }
}
