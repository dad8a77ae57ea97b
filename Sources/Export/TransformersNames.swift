/// What an exported model is called in Python.
public struct TransformersNames: Sendable {
  /// The beginning of its classes' names.
  let type: String
  /// The name of the class that has a head.
  public var className: String { "\(type)ForCausalLM" }
  /// The end of its files' names.
  let file: String

  /// Names that follow from `name`, in letters and digits that Python and its users' file systems take.
  init(_ name: String) {
    let words = name.lowercased().replacing(LayerWords.ofStateSpaces, with: "statespace").split {
      !($0.isASCII && ($0.isLetter || $0.isNumber))
    }
    let parts = words.isEmpty ? ["model"] : words.first?.first?.isNumber == true ? ["model"] + words : words
    type = parts.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    file = parts.joined(separator: "_")
  }

  /// The name that the library registers it under.
  var modelType: String { "chimera_\(file)" }
  /// The module of its config.
  public var configuration: String { "configuration_\(file)" }
  /// The module of its classes.
  public var modeling: String { "modeling_\(file)" }
}
