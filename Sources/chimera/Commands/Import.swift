import ArgumentParser
import Essentials
import Export
import Files
import Models

/// `chimera import`: an exported module's weights, trained elsewhere, as a model of ours again.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Bring the weights of an exported module back.",
    discussion: """
      Reads the spec and the safetensors files of a folder that export, train.py or save_pretrained wrote, whose weights \
      may have been trained since by any program that keeps the module's names, and writes a native folder: the spec, \
      the weights under canonical names, and the tokenizer.

        chimera import story --output story-trained
        chimera run story-trained
      """)

  @Argument(help: "A folder that export wrote.") var folder: String
  @Option(help: "The folder to write.") var output: String

  func run() throws {
    clearLeftovers(ofFolder: output)
    if kind(ofPath: output) != .nothing, try !namesInFolder(output).isEmpty {
      throw Failure(.failed, "\(output) is there already; name a new folder")
    }
    guard kind(ofPath: folder) == .folder else { throw Failure(.notFound, "there is no folder '\(folder)'") }
    guard let text = try ImportedFolder.specification(at: folder) else {
      throw Failure(.notFound, "\(folder) has no spec.yaml, and no config.json that keeps a spec; export writes both")
    }
    let models = try Zoo().models
    // A config's spec gets a place that a problem in it can be told of.
    let own = folder + "/spec.yaml"
    let scratch = FileManager.default.temporaryDirectory.appending(path: "chimera-spec-\(UUID().uuidString).yaml")
    defer { try? FileManager.default.removeItem(at: scratch) }
    let isThere = kind(ofPath: own) == .file
    if !isThere { try writeAtomically(text, to: scratch.path) }
    let described = try models.describe(isThere ? own : scratch.path)
    let source = folder
    try ImportedFolder(described.plan, at: folder).write(to: output, specification: text) { written in
      try ModelLoader.copyTokenizer(from: source, to: written)
    }
    Console.write(output + "\n")
  }
}
