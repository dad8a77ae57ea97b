import ArgumentParser
import Essentials
import Files
import HubCache
import Models

/// `chimera push`: a folder into a repository of a hub.
struct Push: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "push",
    abstract: "Send a model's folder to a repository of a hub.",
    discussion: """
      The folder must be a model, whose weights fit its configuration; what save writes is one. The repository is made \
      where there is none. All files appear there in one commit. A token that may write is needed, in HF_TOKEN or from \
      'hf auth login'.

        chimera save my-run --output my-model
        chimera push my-model org/my-model --dry-run
        chimera push my-model org/my-model --private --message "First weights"
      """)

  @Argument(help: "The folder.") var folder: String
  @Argument(help: "The repository: org/name, or org/name@branch.") var repository: String
  @Option(name: .shortAndLong, help: "What the commit says.") var message = "Upload with chimera"
  @Flag(help: "Make the repository private, where it is made.") var `private` = false
  @Flag(help: "Propose the change instead of making it (a pull request).") var createPr = false
  @Flag(help: "Say what would be sent, and send nothing.") var dryRun = false
  @Flag(help: "Send a folder that is no model that is known here.") var unchecked = false
  @Flag(help: "Write a JSON document.") var json = false
  @OptionGroup var options: ModelOptions

  func validate() throws {
    if RepositoryReference(repository) == nil {
      throw ValidationError("'\(repository)' is no repository; it is written org/name or org/name@branch")
    }
    if message.isEmpty { throw ValidationError("--message takes what the commit says") }
  }

  func run() throws {
    guard let reference = RepositoryReference(repository) else { return }
    guard kind(ofPath: folder) == .folder else {
      throw Failure(.notFound, "there is no folder '\(folder)'; 'chimera save MODEL --output FOLDER' writes one")
    }
    if !unchecked {
      let models = try options.zoo().models
      let described = try models.describe(folder, patches: options.patches())
      _ = try models.match(described)
    }
    let paths = try files()
    guard !paths.isEmpty else { throw Failure(.invalid, "the folder '\(folder)' has no files to send") }
    if !paths.contains("README.md") {
      Console.note("note: the folder has no README.md, which the hub shows as the model's card")
    }
    var own = NetworkRequest.PushOptions()
    (own.isPrivate, own.makesProposal, own.isDryRun) = (`private`, createPr, dryRun)
    let answer = try NetworkProgram.answer(
      .push(reference, folder: folder, paths: paths, message: message, options: own))
    if json { return Console.write(answer.serialized(pretty: true) + "\n") }
    let files = answer["files"]?.array ?? []
    if dryRun {
      var table = TextTable([.left, .right, .left])
      for file in files {
        table.add(
          file["path"]?.string ?? "", (file["size"]?.integer ?? 0).inBytes,
          file["large"]?.bool.map { $0 ? "large, by its SHA-256" : "in the commit" } ?? "")
      }
      Console.write(table.text())
      if answer["created"]?.bool == true { Console.note("\(reference.name) would be made") }
      return Console.note("nothing was sent")
    }
    Console.write((answer["url"]?.string ?? answer["commit"]?.string ?? "") + "\n")
  }

  /// The files of the folder, by path: no hidden ones, nothing that is being written, and of a training run's folder only
  /// the model.
  private func files() throws -> [String] {
    let isRun = kind(ofPath: folder + "/metrics.jsonl") == .file
    var (found, waiting) = ([String](), [""])
    while let prefix = waiting.popLast() {
      for name in try namesInFolder(folder + "/" + prefix) where !name.hasPrefix(".") && !name.hasSuffix(".tmp") {
        switch kind(ofPath: folder + "/" + prefix + name) {
        case .file:
          let isModel = [".safetensors", ".gguf", ".json", ".jinja", ".model", ".txt", ".md", ".yaml"].contains {
            name.hasSuffix($0)
          }
          if !isRun || isModel && name != "settings.json" { found.append(prefix + name) }
        case .folder: if !isRun { waiting.append(prefix + name + "/") }
        default: break
        }
      }
    }
    return found.sorted()
  }
}
