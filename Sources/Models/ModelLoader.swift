import Checkpoints
import Components
import Composition
import Files
import Foundation
import Specification

/// Finds models and composes them: by name in the zoo, from a YAML file, a Hugging Face folder or a GGUF file.
///
/// A folder or a GGUF file needs no YAML of the user's: the family that matches its configuration says how it is wired.
public struct ModelLoader: Sendable {
  /// The zoo.
  public let catalog: Catalog
  /// What composes.
  public let composer: Composer
  /// Folders that hold models' weights, each in a folder or GGUF file of the model's name.
  public let weightFolders: [String]
  let specifications: SpecificationLoader

  /// A loader of the models of `catalog`, composed by `composer`.
  public init(catalog: Catalog, composer: Composer, weightFolders: [String] = []) {
    self.catalog = catalog
    self.composer = composer
    self.weightFolders = weightFolders
    specifications = SpecificationLoader(catalog: catalog)
  }

  /// The model that `reference` means, composed; `patches` change its file, in order.
  ///
  /// With `weights`, the path of a folder, a safetensors file or a GGUF file, the model is the one of `reference` with
  /// those weights. With `specification`, a folder or GGUF file is wired as that file says, not as a family's.
  /// Throws `Problems` for what is wrong in a file, `ModelProblem` when there is no such model.
  public func describe(
    _ reference: String, patches: [Setting] = [], weights: String? = nil, specification: String? = nil
  ) throws -> ModelDescription {
    let found = try resolve(reference, patches: patches, weights: weights, specification: specification)
    let plan = try composer.compose(found.architecture)
    return ModelDescription(
      architecture: found.architecture, plan: plan, source: found.source,
      notes: found.notes + countNotes(found.architecture, plan))
  }

  private struct Found {
    var architecture: Architecture
    var source: ModelSource
    var notes: [String] = []
  }

  /// What a reference means: a path that is there counts before a name.
  private func resolve(_ reference: String, patches: [Setting], weights: String?, specification: String?) throws -> Found {
    if let own = try ModelSource(path: reference) {
      if let weights { throw ModelProblem.notAModel(path: weights, why: "\(reference) has weights of its own") }
      guard let specification else { return try bound(own, patches) }
      return try wired(specification, own, patches)
    }
    if kind(ofPath: reference) == .nothing, catalog.path(of: reference) == nil {
      let looksLikePath = reference.contains("/") || reference.hasSuffix(".yaml") || reference.hasSuffix(".yml")
      throw ModelProblem.notFound(reference, nearest: looksLikePath ? nil : catalog.nearest(to: reference))
    }
    if let weights {
      guard let source = try ModelSource(path: weights) else {
        let why = kind(ofPath: weights) == .nothing ? "it is not there" : "it is no folder, safetensors or GGUF file"
        throw ModelProblem.notAModel(path: weights, why: why)
      }
      return try wired(reference, source, patches)
    }
    let architecture = try specifications.load(reference, patches: patches)
    if let source = try weightsOnThisMachine(architecture) { return try wired(reference, source, patches) }
    return Found(architecture: architecture, source: .specification(path: try specifications.locate(reference)))
  }

  /// The spec of `reference` with weights from `source`, whose container may store some facts in its own way.
  private func wired(_ reference: String, _ source: ModelSource, _ patches: [Setting]) throws -> Found {
    var facts: [Setting] = []
    if case .gguf = source, let section = try specifications.tree(reference)["gguf"], let set = section["set"]?.entries {
      facts = set.map { entry in
        var patch = Setting(.group([]))
        patch[path: entry.key] = entry.value
        return patch
      }
    }
    return Found(architecture: try specifications.load(reference, patches: facts + patches), source: source)
  }

  /// The model of a folder or GGUF file, wired by the family that its configuration matches.
  private func bound(_ source: ModelSource, _ patches: [Setting]) throws -> Found {
    let config: ConfigSource
    let section: String
    let kindKey: String
    switch source {
    case .gguf(let path):
      config = ConfigSource(try GGUFFile(path: path))
      (section, kindKey) = ("gguf", "general.architecture")
    case .folder(let path):
      guard let json = try CheckpointFolder.config(in: path) else {
        throw ModelProblem.notAModel(
          path: path, why: "it has no config.json; give the wiring as the model and this folder with --weights")
      }
      config = ConfigSource(name: path + "/config.json", config: json, tensors: try CheckpointFolder(path: path).tensors)
      (section, kindKey) = ("config", "model_type")
    case .safetensors(let path):
      throw ModelProblem.notAModel(path: path, why: "a safetensors file has no wiring; give that as the model and this with --weights")
    case .specification: preconditionFailure("a specification has no configuration to bind")
    }
    for family in catalog.familyFiles() {
      let reference = "\(family.family)/\(Catalog.familyFile)"
      // A family that builds on another one has its match too; the one that wrote it reads the configuration.
      guard let setting = try specifications.tree(reference)[section],
        let writtenIn = setting["match"]?.place?.source, writtenIn.hasSuffix("\(reference).yaml")
      else { continue }
      let binding = try ConfigBinding(ConfigBinding.parts(of: setting).binding)
      guard binding.matches(config) else { continue }
      let result = try binding.bind(config)
      let name = Setting(.group([Setting.Entry("name", Setting(.scalar(source.name, quoted: true)))]))
      let architecture = try specifications.load(reference, patches: [result.patch, name] + patches)
      let notes = result.unused.isEmpty
        ? [] : ["\(config.name): not read: \(result.unused.joined(separator: ", "))"]
      return Found(architecture: architecture, source: source, notes: notes)
    }
    throw ModelProblem.unknownKind(config.value(at: kindKey)?.string ?? "no \(kindKey)", path: config.name, nearest: nil)
  }

  /// Weights for a model of the zoo, where this machine has them: in `weightFolders`, or in the cache that the Hugging
  /// Face tools share.
  private func weightsOnThisMachine(_ architecture: Architecture) throws -> ModelSource? {
    for folder in weightFolders {
      for path in ["\(folder)/\(architecture.name)", "\(folder)/\(architecture.name).gguf"] {
        if let source = try ModelSource(path: path) { return source }
      }
    }
    guard let repository = architecture.facts.weights, let folder = HubCache().snapshot(of: repository),
      CheckpointFolder.hasWeights(folder)
    else { return nil }
    return .folder(path: folder)
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
