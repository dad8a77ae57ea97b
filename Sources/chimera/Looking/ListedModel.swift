import Files

/// A model as a line of a list: its document of `list --json`, and what of it is shown and asked for.
struct ListedModel {
  let document: JSONValue
  let name: String
  let parameterCount: Int
  let contextLength: Int
  /// The names of its components, of parts of them too.
  let components: Set<String>
  /// What it is made of, in a few words.
  let madeOf: String

  /// Nil where `document` is no such document.
  init?(_ document: JSONValue) {
    guard let name = document["name"]?.string, let parameters = document["parameters"]?.integer,
      let context = document["context_length"]?.integer, let used = document["components"]?.array,
      let words = document["architecture"]?.array
    else { return nil }
    self.document = document
    self.name = name
    (parameterCount, contextLength) = (parameters, context)
    // Each is `slot.name`.
    components = Set(used.compactMap { $0.string?.split(separator: ".", maxSplits: 1).last.map(String.init) })
    madeOf = words.compactMap(\.string).joined(separator: ", ")
  }

  var family: String? { document["family"]?.string }
  var year: Int? { document["facts"]?["year"]?.integer }
  var licence: String? { document["facts"]?["licence"]?.string }
}

extension ListedModel {
  /// The model of `entry`.
  init?(_ entry: ZooEntry) {
    let architecture = entry.architecture
    let shape = architecture.shape
    self.init([
      "name": .string(architecture.name), "family": architecture.family.map { .string($0) } ?? .null,
      "facts": SheetJSON.facts(architecture), "parameters": .integer(entry.parameterCount),
      "context_length": .integer(shape.contextLength), "hidden_size": .integer(shape.hiddenSize),
      "layers": .integer(shape.layerCount), "architecture": .array(entry.madeOf.map { .string($0) }),
      "components": .array(
        entry.choices.used.map { ($0.slot.rawValue, $0.name) }.sorted { $0 < $1 }.map { .string("\($0.0).\($0.1)") }),
    ])
  }
}
