/// Why a model cannot be exported.
public enum ExportProblem: Error, Sendable, Equatable, CustomStringConvertible {
  /// An operator says nothing of PyTorch: its name, where it stands, and how it is set there.
  case noRendering(name: String, scope: String, attributes: String)
  /// A step reads something that a file of classes has no place for.
  case noPlace(scope: String, what: String)
  /// The model `name` does not continue texts, as all that folders for transformers have do: what it does instead.
  case noContinuation(name: String, what: String)
  /// The model `name` cannot be written yet: what it does that no file has a form for.
  case noFile(name: String, what: String)

  public var description: String {
    switch self {
    case .noRendering(let name, let scope, let attributes):
      "the operator '\(name)' in '\(scope)'\(attributes.isEmpty ? "" : ", \(attributes),") cannot be written in PyTorch: "
        + "its 'func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression?', beside its kernel, says nothing of it"
    case .noContinuation(let name, let what):
      "folders for transformers have models that continue texts, and '\(name)' \(what); '--to pytorch' writes others too"
    case .noFile(let name, let what): "'\(name)' cannot be written in PyTorch yet: it \(what)"
    case .noPlace(let scope, let what): "'\(scope)' cannot be written as a class of PyTorch: \(what)"
    }
  }
}
