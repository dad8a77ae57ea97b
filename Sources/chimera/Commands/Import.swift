import ArgumentParser
import Essentials
import Export
import Files

/// `chimera import`: an exported module's weights, trained elsewhere, as a model of ours again.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Bring the weights of an exported module back.",
    discussion: """
      Reads spec.yaml and model.safetensors of a folder that export wrote, whose weights may have been trained since by any \
      program that keeps the module's names, and writes a native folder: the spec, and the weights under canonical names.

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
    let specification = folder + "/spec.yaml"
    guard kind(ofPath: specification) == .file else {
      throw Failure(.notFound, "\(folder) has no spec.yaml; export writes one")
    }
    let models = try Zoo().models
    let described = try models.describe(specification)
    let text = try String(contentsOfFile: specification, encoding: .utf8)
    try ImportedFolder(described.plan, at: folder).write(to: output, specification: text)
    Console.write(output + "\n")
  }
}
