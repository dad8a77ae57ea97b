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
  /// Where the tensors are, for those of which a binding reads the numbers.
  private var entries: [StoredTensorEntry] = []
  /// Numbers of tensors that are not written yet.
  private var numbers: [String: [Double]] = [:]
  /// What '*' at the head of a path stands for: in GGUF the name of the architecture.
  private var kind: String?

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
    entries = tensors
  }

  /// Values, the shapes of tensors, and the numbers of some, from wherever they are.
  init(name: String, values: JSONObject, tensors: [String: [Int]], numbers: [String: [Double]] = [:]) {
    self.name = name
    self.numbers = numbers
    self.values = .json(values)
    self.tensors = tensors
  }

  /// A configuration and the shapes of the tensors that will lie beside it, and the numbers of some.
  public init(name: String, config: JSONValue, shapes: [String: [Int]], numbers: [String: [Double]] = [:]) {
    self.name = name
    self.numbers = numbers
    values = .json(config.object ?? JSONObject())
    tensors = shapes
  }

  /// The metadata and tensors of a GGUF file.
  public init(_ file: GGUFFile) {
    values = .metadata(file)
    name = file.file.path
    tensors = Dictionary(file.tensors.map { ($0.name, $0.shape) }) { first, _ in first }
    entries = file.tensors
    kind = file["general.architecture"]?.string
  }

  /// The group at `path` as a source of its own, with the same tensors; one without keys where there is none.
  func inside(_ path: String) -> ConfigSource {
    var inner = ConfigSource(
      name: name + ": " + path, values: stored(at: path)?.object ?? JSONObject(), tensors: tensors, numbers: numbers)
    inner.entries = entries
    return inner
  }

  /// The value at a path: a key, or keys joined by dots; nil for a null as for an absent key. '*' at its head is the
  /// architecture of a GGUF file, a number the place of an item in a list.
  public func value(at path: String) -> JSONValue? {
    let value = stored(at: path)
    return value?.isNull == true ? nil : value
  }

  /// Whether null is written at `path`.
  public func isNull(_ path: String) -> Bool { stored(at: path)?.isNull ?? false }

  /// Whether there is a group at `path` that has any keys.
  func hasGroup(_ path: String) -> Bool { stored(at: path)?.object?.isEmpty == false }

  /// The path as the source spells it.
  func spelled(_ path: String) -> String {
    guard let kind, path.hasPrefix("*.") else { return path }
    return kind + path.dropFirst()
  }

  private func stored(at path: String) -> JSONValue? {
    switch values {
    case .json(let object): Self.value(at: path, in: object)
    case .metadata(let file): file[spelled(path)]?.json
    }
  }

  private static func value(at path: String, in object: JSONObject) -> JSONValue? {
    if let value = object[path] { return value.asNumber ?? value }
    for (index, character) in zip(path.indices, path) where character == "." {
      guard let inner = object[String(path[..<index])] else { continue }
      let rest = String(path[path.index(after: index)...])
      if let items = inner.array, let place = Int(rest), items.indices.contains(place) {
        return items[place].asNumber ?? items[place]
      }
      if let object = inner.object, let value = value(at: rest, in: object) { return value }
    }
    return nil
  }

  /// The numbers of the stored tensor `name`, which is short and in f32 or f16; nil when there is none.
  func numbers(of name: String) throws(BindingProblem) -> JSONValue? {
    if let own = numbers[name] { return .array(own.map(JSONValue.number)) }
    guard let entry = entries.first(where: { $0.name == name }) else { return nil }
    let count = entry.elementCount
    guard count <= 65_536, entry.bytes.count == 4 * count, entry.format == .f32 else {
      throw BindingProblem(sentence: "the tensor \(name) is no short list of f32 numbers")
    }
    return withExtendedLifetime(entry.file) {
      .array(
        (0..<count).map { index in
          let bits = entry.bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
          return .number(Double(Float(bitPattern: UInt32(littleEndian: bits))))
        })
    }
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
      case .object where value.asNumber != nil: [prefix + key]
      case .object(let inner): leaves(of: inner, under: prefix + key + ".")
      default: [prefix + key]
      }
    }
  }
}

extension JSONValue {
  /// The number that transformers 5 writes as `{"__float__": "Infinity"}`, for JSON has no word for it.
  var asNumber: JSONValue? {
    guard let object, object.count == 1, let word = object["__float__"]?.string else { return nil }
    return JSONParser.literals.first { $0.word == word }.map { .number($0.value) }
  }
}
