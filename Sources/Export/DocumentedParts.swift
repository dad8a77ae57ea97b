import Components
import Composition
import Models
import Plans

/// What the file says of its classes: the equations of the components that they were composed from.
public struct DocumentedParts {
  private let choices: ArchitectureChoices
  private let registry: Registry

  /// The words for a model of these components.
  public init(_ described: ModelDescription, _ registry: Registry) { self.init(described.choices, registry) }

  /// The words for a model of these choices.
  public init(_ choices: ArchitectureChoices, _ registry: Registry) {
    (self.choices, self.registry) = (choices, registry)
  }

  /// The equation of the component whose place in a layer is `scope`, where it is short.
  public func words(_ scope: TensorName) -> [String] {
    let (path, choices) = (scope.path, self.choices.of(scope.stack))
    guard let layer = scope.layer, path.count == 1, choices.kindOfLayer.indices.contains(layer) else { return [] }
    let components = choices.layer(layer)
    let found: ComponentChoice? =
      // A component of another scope than its slot's is the only one that is left.
      path.first.flatMap { Slot(scope: $0) }.flatMap { components[$0] } ?? components[.mlp]
    guard let found, let text = registry.description(of: found.name, in: found.slot)?.documentation else {
      return []
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    // Parts of a line that stand apart are lines here; what is longer than a page tells of options, not of this model.
    let equation = Self.taken(
      lines.drop { !$0.hasPrefix("    ") }.prefix { $0.hasPrefix("    ") }.flatMap { Self.pieces($0) }, found)
    return equation.count <= 5 && equation.allSatisfy { $0.count <= 78 } ? equation : []
  }

  /// The equations that are `component`'s as it is set: one that follows the name of a flag replaces the one before it
  /// where the flag is set, and is left out where it is not.
  private static func taken(_ equations: [String], _ component: ComponentChoice) -> [String] {
    var taken: [String] = []
    for equation in equations {
      guard let colon = equation.firstRange(of: ": "),
        let option = component.options.first(where: { $0.path == equation[..<colon.lowerBound] })
      else {
        taken.append(equation)
        continue
      }
      if option.value?.text != "true" { continue }
      if !taken.isEmpty { taken.removeLast() }
      taken.append(String(equation[colon.upperBound...]))
    }
    return taken
  }

  /// The equations of a line; a term in parentheses that stands apart belongs to the one before it.
  private static func pieces(_ line: String) -> [String] {
    var pieces: [String] = []
    for piece in line.split(separator: "  ").map({ $0.trimmingSuffix(" ;,") }) where !piece.isEmpty {
      if let last = pieces.last, "(+−-·".contains(piece.prefix(1)), last.count + piece.count < 76 {
        pieces[pieces.count - 1] = "\(last)  \(piece)"
      } else {
        pieces.append(piece)
      }
    }
    return pieces
  }
}

extension Substring {
  /// The text without the characters of `set` at its ends.
  fileprivate func trimmingSuffix(_ set: String) -> String {
    var text = self
    while let last = text.last, set.contains(last) { text.removeLast() }
    while let first = text.first, set.contains(first) { text.removeFirst() }
    return String(text)
  }
}
