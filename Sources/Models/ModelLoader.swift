import Checkpoints
import Components
import Composition
import Essentials
import Files
import HubCache
import Specification
import Tokenization

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
  /// Folders of tokenizers, each in a folder that is called as specs call it.
  public let tokenizerFolders: [String]
  /// Keys of configurations that no family knows and that may stay unread.
  public let ignoredKeys: [String]
  let specifications: SpecificationLoader

  /// A loader of the models of `catalog`, composed by `composer`.
  public init(
    catalog: Catalog, composer: Composer, weightFolders: [String] = [], tokenizerFolders: [String] = [],
    ignoredKeys: [String] = []
  ) {
    self.tokenizerFolders = tokenizerFolders
    self.ignoredKeys = ignoredKeys
    self.catalog = catalog
    self.composer = composer
    self.weightFolders = weightFolders
    specifications = SpecificationLoader(catalog: catalog, for: composer)
  }

  /// The model that `reference` means, composed; `patches` change its file, in order.
  ///
  /// With `weights`, the path of a folder, a safetensors file or a GGUF file, the model is the one of `reference` with
  /// those weights. With `specification`, a folder or GGUF file is wired as that file says, not as a family's.
  /// A folder or file without a spec is called `name`, or as it is on the disk.
  /// With `adapter`, the folder of an adapter as PEFT saves one, the model is the one that it changes. A folder that is
  /// an adapter itself means the model that it says it is for, changed by it.
  /// `preparing` begins at once, on another thread, what running the model will need beside the plan.
  /// Throws `Problems` for what is wrong in a file, `ModelProblem` when there is no such model.
  public func describe(
    _ reference: String, patches: [Setting] = [], weights: String? = nil, specification: String? = nil,
    adapter: String? = nil, preparing: Bool = false, named name: String? = nil
  ) throws -> ModelDescription {
    if AdapterMatch.isAdapter(reference) {
      guard adapter == nil else {
        throw ModelProblem.notAModel(
          path: reference, why: "it is an adapter itself, and changes one model, not an adapter")
      }
      return try describe(
        base(ofAdapter: reference), patches: patches, weights: weights, specification: specification,
        adapter: reference, preparing: preparing, named: name)
    }
    var upcoming: Started<Tokenizer?>?
    let found = try resolve(
      reference, patches: patches, weights: weights, specification: specification, named: name
    ) { container in
      if preparing { upcoming = prepare(container) }
    }
    let assembly: Assembly
    let plan: Plan
    do {
      assembly = try composer.assemble(found.architecture)
      plan = try assembly.plan()
    } catch { throw error.naming(found.configuration) }
    let change = try adapter.map { try match(adapter: $0, found, plan) }
    var notes = found.notes
    if let change { notes.append("\(change.path): \(change.summary)") }
    notes += countNotes(found.architecture, plan) + typeChangeNotes(found.architecture)
    notes += wiringNotes(
      found.architecture, plan,
      trained: trainedWiring(found.source, reference, patches, weights: weights, specification: specification))
    return ModelDescription(
      architecture: found.architecture, choices: assembly.choices, plan: plan, source: found.source,
      container: found.container,
      upcomingTokenizer: upcoming,
      adapter: change, notes: notes)
  }

  /// A model that has been found, and not composed yet.
  struct Found {
    var architecture: Architecture
    var source: ModelSource
    /// The source, when it is a GGUF file: opened once, for reading through its metadata takes a while.
    var container: GGUFFile?
    /// The configuration that the architecture was read from, when it is not a file of the spec language.
    var configuration: String?
    var notes: [String] = []
  }

  /// What a reference means: a path that is there counts before a name.
  /// `opened` is told of a GGUF file as soon as it is open.
  private func resolve(
    _ reference: String, patches: [Setting], weights: String?, specification: String?, named name: String?,
    opened: (GGUFFile) -> Void
  ) throws -> Found {
    if let own = try ModelSource(path: reference) {
      if let weights { throw ModelProblem.notAModel(path: weights, why: "\(reference) has weights of its own") }
      if case .trained(let path) = own {
        let spec = specification ?? path + "/" + ModelSource.spec
        return Found(architecture: try specifications.load(spec, patches: patches), source: own)
      }
      guard let specification else { return try bound(own, patches, named: name, opened: opened) }
      return try wired(specification, own, patches, opened: opened)
    }
    if kind(ofPath: reference) == .nothing, catalog.path(of: reference) == nil {
      let members = catalog.members(like: reference)
      if members.count > 1 { throw ModelProblem.family(reference, models: members) }
      if let repository = RepositoryReference(reference), !ModelProblem.hasEnding(reference) {
        if let weights { throw ModelProblem.notAModel(path: weights, why: "\(reference) has weights of its own") }
        guard let own = try cachedModel(repository) else {
          throw ModelProblem.hubName(reference, model: modelPublished(as: repository.name.description))
        }
        guard let specification else {
          return try bound(own, patches, named: repository.name.description, opened: opened)
        }
        return try wired(specification, own, patches, opened: opened)
      }
      throw ModelProblem.notFound(
        reference,
        nearest: ModelProblem.looksLikePath(reference) ? nil : members.first ?? catalog.nearest(to: reference))
    }
    try refuseForeign(reference)
    if let weights {
      guard let source = try ModelSource(path: weights) else {
        if kind(ofPath: weights) == .nothing { throw FileProblem(path: weights, sentence: "no such file or folder") }
        try refuseForeign(weights)
        throw ModelProblem.notAModel(path: weights, why: "it is neither a folder nor a safetensors or GGUF file")
      }
      return try wired(reference, source, patches, opened: opened)
    }
    let architecture = try specifications.load(reference, patches: patches)
    if let source = try weightsOnThisMachine(architecture) {
      return try wired(reference, source, patches, opened: opened)
    }
    return Found(architecture: architecture, source: .specification(path: try specifications.locate(reference)))
  }

  /// Throws for a file of weights in a format that is not read here, saying what it is: read as a spec, it would be told
  /// to have control characters.
  private func refuseForeign(_ path: String) throws {
    guard kind(ofPath: path) == .file, !path.hasSuffix(".yaml"), !path.hasSuffix(".yml") else { return }
    let file = try MappedFile(path: path)
    let beginning = withExtendedLifetime(file) { Array(file.bytes.prefix(8)) }
    if let why = ModelProblem.foreign(path, beginningWith: beginning) {
      throw ModelProblem.notAModel(path: path, why: why)
    }
  }

  /// The spec of `reference` with weights from `source`, whose container may store some facts in its own way.
  private func wired(
    _ reference: String, _ source: ModelSource, _ patches: [Setting], opened: (GGUFFile) -> Void
  ) throws -> Found {
    let container: GGUFFile? = if case .gguf(let path) = source { try GGUFFile(path: path) } else { nil }
    container.map(opened)
    var facts: [Setting] = []
    if let container, let section = try specifications.tree(reference)["gguf"] {
      facts = (section["set"]?.entries ?? []).map { entry in
        var patch = Setting(.group([]))
        patch[path: entry.key] = entry.value
        return patch
      }
      // What the file's tensors say decides, for the weights were trained with it.
      let binding = try ConfigBinding(ConfigBinding.parts(of: section).binding)
      if let stored = try binding.facts(storedIn: ConfigSource(container)) { facts.append(stored) }
    }
    facts += try sizes(for: reference, from: source)
    return Found(
      architecture: try specifications.load(reference, patches: facts + patches), source: source, container: container)
  }

  /// The wiring that the weights at `source` say they were trained with, where another one was asked for.
  private func trainedWiring(
    _ source: ModelSource, _ reference: String, _ patches: [Setting], weights: String?, specification: String?
  ) -> Architecture? {
    if patches.isEmpty, weights == nil, specification == nil { return nil }
    switch source {
    case .specification: return nil
    case .trained(let path): return try? specifications.load(path + "/" + ModelSource.spec)
    case .folder, .gguf, .safetensors:
      if let own = try? bound(source, [], opened: { _ in }).architecture { return own }
      // The weights say nothing of it, so they are taken for those of the model as its file has it.
      return weights == nil || !patches.isEmpty ? try? specifications.load(reference) : nil
    }
  }

  /// The model of the zoo whose weights are published as `repository`.
  private func modelPublished(as repository: String) -> String? {
    catalog.models().first { model in
      let text = try? String(contentsOfFile: model.path, encoding: .utf8)
      return text?.contains(repository) == true && (try? specifications.load(model.name))?.facts.weights == repository
    }?.name
  }

  /// Weights for a model of the zoo, where this machine has them: in `weightFolders`, or in the cache that the Hugging
  /// Face tools share.
  public func weightsOnThisMachine(_ architecture: Architecture) throws -> ModelSource? {
    for folder in weightFolders {
      for path in ["\(folder)/\(architecture.name)", "\(folder)/\(architecture.name).gguf"] {
        if let source = try ModelSource(path: path) { return source }
      }
    }
    guard let repository = architecture.facts.weights.flatMap({ RepositoryName($0) }) else { return nil }
    // The commit that the spec was made for, else what was fetched last.
    let revisions = architecture.facts.revision.map { [$0, nil] } ?? [nil]
    let cache = SharedCache()
    for case let folder? in revisions.map({ cache.snapshot(of: RepositoryReference(repository, at: $0)) })
    where CheckpointFolder.isWhole(folder) {
      return .folder(path: folder)
    }
    return nil
  }

  /// The repository that `reference` means, when nothing here is called so and it is not whole in the cache either.
  public func remoteReference(_ reference: String) -> RepositoryReference? {
    guard kind(ofPath: reference) == .nothing, catalog.path(of: reference) == nil, !ModelProblem.hasEnding(reference),
      let repository = RepositoryReference(reference), (try? cachedModel(repository)) == nil
    else { return nil }
    return repository
  }

  /// The model in the cache that the Hugging Face tools share: a folder with its configuration and all of its weights, or
  /// its only GGUF file; nil when it is not there, or not all of it.
  private func cachedModel(_ repository: RepositoryReference) throws -> ModelSource? {
    guard let folder = SharedCache().snapshot(of: repository) else { return nil }
    if kind(ofPath: folder + "/config.json") == .file, CheckpointFolder.isWhole(folder) { return .folder(path: folder) }
    let files = try namesInFolder(folder).filter { $0.hasSuffix(".gguf") && kind(ofPath: folder + "/" + $0) == .file }
    // Of a model in several files the first stands for all.
    let firsts = files.filter { !$0.contains("-of-") || $0.contains("-00001-of-") }
    return firsts.count == 1 ? .gguf(path: folder + "/" + firsts[0]) : nil
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
