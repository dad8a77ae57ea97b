import Files

/// What a checkpoint says about its architecture: a `config.json` or the metadata of a GGUF file, and the tensors it
/// has.
public struct ConfigSource: Sendable {
  /// The name of the file, for messages.
  public let name: String
  /// The values by key; GGUF keys contain dots, those of a `config.json` are nested.
  private let values: Values
  /// The shapes of the stored tensors by their own names.
  public let tensors: [String: [Int]]

  private enum Values {
    case json(JSONObject)
    /// Read as they are asked for: the vocabulary is among them.
    case metadata(GGUFFile)
  }

  /// A parsed `config.json` and the tensors that lie beside it.
  public init(name: String, config: JSONValue, tensors: [StoredTensorEntry]) {
    self.name = name
    values = .json(config.object ?? JSONObject())
    self.tensors = Dictionary(tensors.map { ($0.name, $0.shape) }) { first, _ in first }
  }

  /// Values and the shapes of tensors, from wherever they are.
  init(name: String, values: JSONObject, tensors: [String: [Int]]) {
    self.name = name
    self.values = .json(values)
    self.tensors = tensors
  }

  /// A configuration and the shapes of the tensors that will lie beside it.
  public init(name: String, config: JSONValue, shapes: [String: [Int]]) {
    self.name = name
    values = .json(config.object ?? JSONObject())
    tensors = shapes
  }

  /// The metadata and tensors of a GGUF file.
  public init(_ file: GGUFFile) {
    values = .metadata(file)
    name = file.file.path
    tensors = Dictionary(file.tensors.map { ($0.name, $0.shape) }) { first, _ in first }
  }

  /// The value at a path: a key, or keys joined by dots. A null counts as absent.
  public func value(at path: String) -> JSONValue? {
    switch values {
    case .json(let object): Self.value(at: path, in: object)
    case .metadata(let file): file[path]?.json
    }
  }

  private static func value(at path: String, in object: JSONObject) -> JSONValue? {
    if let value = object[path] { return value.isNull ? nil : value }
    for (index, character) in zip(path.indices, path) where character == "." {
      guard let inner = object[String(path[..<index])]?.object else { continue }
      if let value = value(at: String(path[path.index(after: index)...]), in: inner) { return value }
    }
    return nil
  }

  /// The paths of all values that are not null and no objects, in the order of the file.
  var leaves: [String] {
    switch values {
    case .json(let object): Self.leaves(of: object, under: "")
    case .metadata(let file): file.keys
    }
  }

  private static func leaves(of object: JSONObject, under prefix: String) -> [String] {
    object.flatMap { key, value -> [String] in
      switch value {
      case .null: []
      case .object(let inner): leaves(of: inner, under: prefix + key + ".")
      default: [prefix + key]
      }
    }
  }
}
