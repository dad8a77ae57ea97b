import ArgumentParser
import Files
import Models

/// `chimera save`: a model as a Hugging Face folder.
struct Save: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Save a model as a Hugging Face folder.",
    discussion: """
      Writes config.json and safetensors under the family's own names and layouts.

        chimera save stories260K.gguf --output stories
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "The folder to write.") var output: String
  @Option(help: "Weights for the model: a folder, a safetensors file or a GGUF file.") var weights: String?
  @OptionGroup var options: ModelOptions

  func run() throws {
    if kind(ofPath: output) != .nothing, try !namesInFolder(output).isEmpty {
      throw Failure(.failed, "\(output) is there already; name a new folder")
    }
    let models = try Zoo().models
    let described = try models.describe(model, patches: options.patches(), weights: weights)
    for note in described.notes { Console.note("note: \(note)") }
    try models.save(described, to: output)
    Console.write(output + "\n")
  }
}
