import Checkpoints
import Components
import Composition
import Files
import Specification

/// Finds models and composes them: by name in the zoo, from a YAML file, a Hugging Face folder or a GGUF file.
///
/// A folder or a GGUF file needs no YAML of the user's: the family that matches its configuration says how it is wired.
public struct ModelLoader: Sendable {
  /// The zoo.
  public let catalog: Catalog
  /// What composes.
  public let composer: Composer
  let loader: SpecificationLoader

  /// A loader of the models of `catalog`, composed by `composer`.
  public init(catalog: Catalog, composer: Composer) {
    self.catalog = catalog
    self.composer = composer
    loader = SpecificationLoader(catalog: catalog)
  }

  /// The model that `reference` means, composed; `patches` change its file, in order.
  ///
  /// Throws `Problems` for what is wrong in a file, `ModelProblem` when there is no such model.
  public func describe(_ reference: String, patches: [Setting] = []) throws -> ModelDescription {
    let (architecture, source, notes) = try resolve(reference, patches: patches)
    let plan = try composer.compose(architecture)
    return ModelDescription(
      architecture: architecture, plan: plan, source: source, notes: notes + countNotes(architecture, plan))
  }

  /// What a reference means: a path that is there counts before a name.
  func resolve(_ reference: String, patches: [Setting]) throws -> (Architecture, ModelSource, notes: [String]) {
    switch kind(ofPath: reference) {
    case .folder:
      throw ModelProblem.notAModel(path: reference, why: "it has no config.json")
    case .file where isGGUF(reference):
      throw ModelProblem.notAModel(path: reference, why: "GGUF")
    default:
      let looksLikePath = reference.contains("/") || reference.hasSuffix(".yaml") || reference.hasSuffix(".yml")
      if kind(ofPath: reference) == .nothing, catalog.path(of: reference) == nil {
        throw ModelProblem.notFound(reference, nearest: looksLikePath ? nil : catalog.nearest(to: reference))
      }
      let path = try loader.locate(reference)
      return (try loader.load(reference, patches: patches), .specification(path: path), [])
    }
  }

  private func isGGUF(_ path: String) -> Bool {
    guard let file = try? MappedFile(path: path) else { return false }
    return GGUFFile.isGGUF(file.bytes)
  }

  /// A count that is not the published one is worth a word: the file may be a copy that was changed.
  private func countNotes(_ architecture: Architecture, _ plan: Plan) -> [String] {
    guard let expected = architecture.expectedParams, expected != plan.parameterCount else { return [] }
    let difference = plan.parameterCount - expected
    return [
      "expected_params says \(expected.grouped), but this composes \(plan.parameterCount.grouped) "
        + "(\(difference > 0 ? "+" : "")\(difference.grouped)); leave the key out in a variant"
    ]
  }
}
