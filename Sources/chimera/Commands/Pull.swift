import ArgumentParser
import Checkpoints
import Essentials
import Files
import HubCache
import Models

/// `chimera pull`: a model from a hub into the cache.
struct Pull: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull",
    abstract: "Fetch a model from a hub into the cache that the Hugging Face tools share.",
    discussion: """
      MODEL is a name from the zoo, or a repository: org/name, or org/name@revision. First the configuration and the \
      headers of the weights are read, and every tensor's name and shape is compared with the family's map; then its \
      files are fetched: configuration, tokenizer, chat template, and the weights once, as safetensors. What was \
      interrupted is continued. The path of the folder goes to standard output.

        chimera pull gpt2
        chimera pull HuggingFaceTB/SmolLM2-135M-Instruct --dry-run
        chimera pull org/name@refs/pr/1
        chimera pull org/name-GGUF --file name-Q4_K_M.gguf
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "The GGUF file to fetch, where the repository has several.") var file: String?
  @Flag(help: "Say what would be fetched, and fetch no weights.") var dryRun = false
  @Flag(help: "Fetch it though no family fits it.") var unchecked = false
  @Flag(help: "Write a JSON document.") var json = false
  @OptionGroup var options: ModelOptions

  func run() throws {
    let models = try options.zoo().models
    let (reference, wiring) = try Self.source(of: model, models)
    guard let reference else {
      Console.note("'\(model)' has its weights here already")
      return Console.write((wiring ?? model) + "\n")
    }
    if let folder = try offline(reference) { return Console.write(folder + "\n") }
    let remote = try RemoteModel(reference, wiring: wiring, file: file)
    var proved: (ModelDescription, Int)?
    let isContainer = remote.preview.weightPaths.contains { $0.hasSuffix(".gguf") }
    if isContainer {
      Console.note("note: a GGUF file is looked at when it is here")
    } else if !unchecked {
      do {
        let described = try remote.describe(models, patches: options.patches())
        for note in described.notes { Console.note("note: \(note)") }
        proved = (described, try remote.prove(described, models))
      } catch {
        Console.note("nothing was fetched; --unchecked fetches it all the same")
        throw error
      }
    }
    if let (described, tensors) = proved { Console.note(remote.summary(described, tensors: tensors)) }
    let missing = remote.missingBytes
    if dryRun {
      if json { return Console.write(document(remote, proved, folder: nil, fetched: 0)) }
      var table = TextTable([.left, .right])
      for file in remote.preview.files { table.add(file.path, file.size.inBytes) }
      Console.write(table.text())
      Console.note(
        "\(remote.preview.bytes.inBytes) in \(remote.preview.files.count) of \(remote.preview.fileCount) files, of which "
          + "\(missing.inBytes) would be fetched into \(SharedCache().root)")
      return
    }
    if missing > 0 { Console.note("fetching \(missing.inBytes) into \(SharedCache().root)") }
    let (folder, bytes) = try remote.fetch()
    if bytes == 0 { Console.note("\(reference) is here already") }
    let place = isContainer ? folder + "/" + remote.preview.weightPaths[0] : folder
    Console.write(json ? document(remote, proved, folder: place, fetched: bytes) : place + "\n")
  }

  /// The repository that `model` means, and the spec that its weights are for where that is one of the zoo or a file; no
  /// repository, and where they are, when they are here and published nowhere.
  static func source(of model: String, _ models: ModelLoader) throws -> (RepositoryReference?, wiring: String?) {
    if kind(ofPath: model) == .nothing, models.catalog.path(of: model) == nil,
      let reference = RepositoryReference(model)
    {
      return (reference, nil)
    }
    let described = try models.describe(model)
    let facts = described.architecture.facts
    guard let published = facts.published else {
      if case .specification = described.source {} else { return (nil, described.source.path) }
      throw Failure(.notFound, "nothing is known of where the weights of '\(model)' are; give the repository, org/name")
    }
    guard let reference = RepositoryReference(published) else {
      throw Failure(.notFound, "the weights of '\(model)' are at \(published), which is no repository of a hub")
    }
    return (reference, model)
  }

  /// The folder of a model that is whole in the cache, where no network may be used.
  private func offline(_ reference: RepositoryReference) throws -> String? {
    let settings = HubSettings()
    guard settings.isOffline else { return nil }
    guard let folder = SharedCache(settings).snapshot(of: reference), CheckpointFolder.isWhole(folder) else {
      throw Failure(
        .failed,
        "no network is used, for \(settings.offlineVariable) is set, and '\(reference)' is not whole in the cache")
    }
    Console.note("\(reference) is here already; no network is used, for \(settings.offlineVariable) is set")
    return folder
  }

  private func document(_ remote: RemoteModel, _ proved: (ModelDescription, Int)?, folder: String?, fetched: Int)
    -> String
  {
    let document: JSONValue = .object([
      ("repository", .string(remote.reference.name.description)), ("commit", .string(remote.preview.commit)),
      ("parameters", proved.map { .integer($0.0.plan.parameterCount) } ?? .null),
      ("tensors_matched", proved.map { .integer($0.1) } ?? .null),
      ("bytes", .integer(remote.preview.bytes)), ("fetched_bytes", .integer(fetched)),
      ("missing_bytes", .integer(folder == nil ? remote.missingBytes : 0)),
      ("read_bytes", .integer(remote.preview.readBytes)), ("path", folder.map { .string($0) } ?? .null),
      (
        "files",
        .array(
          remote.preview.files.map { file in
            .object([("path", .string(file.path)), ("bytes", .integer(file.size)), ("hash", .string(file.hash))])
          })
      ),
    ])
    return document.serialized(pretty: true) + "\n"
  }
}
