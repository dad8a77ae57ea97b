import Formats
import ArgumentParser
import Files
import Kernels
import Models

/// `chimera save`: a model as a folder, of Hugging Face's kind or our own.
struct Save: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "save",
    abstract: "Save a model as a folder.",
    discussion: """
      Writes a Hugging Face folder: config.json, safetensors with the family's own tensor \
      names and layouts, and the tokenizer. With --native, a folder that can hold any model \
      and any storage format: its spec, the weights with canonical names, and the tokenizer. \
      The folder appears when all of it is written.

        chimera save stories.gguf --output stories --dtype bf16
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "The folder to write.") var output: String
  @Option(help: "Weights for the model: a folder, a safetensors file or a GGUF file.") var weights: String?
  @Option(help: "Storage format of the weights: f32, f16 or bf16. [unchanged]".with("t")) var dtype: DataType?
  @Flag(help: "Write the spec and canonical names, as training does.") var native = false
  @OptionGroup var adapter: AdapterOption
  @OptionGroup var options: ModelOptions

  /// The types that Hugging Face folders have.
  enum DataType: String, CaseIterable, ExpressibleByArgument {
    case f32, f16, bf16

    var format: StorageFormat {
      switch self {
      case .f32: .f32
      case .f16: .f16
      case .bf16: .bf16
      }
    }
  }

  func validate() throws {
    if output.isEmpty { throw ValidationError("--output takes the path of a new folder") }
  }

  func run() throws {
    clearLeftovers(ofFolder: output)
    if kind(ofPath: output) != .nothing, try !namesInFolder(output).isEmpty {
      throw Failure(.failed, "\(output) is there already; name a new folder")
    }
    let models = try options.zoo().models
    let described = try models.describe(
      model, patches: options.patches(), weights: weights, adapter: adapter.path)
    for note in described.notes { Console.note("note: \(note)") }
    let notes =
      try native
      ? models.saveNative(described, to: output, as: dtype?.format)
      : models.save(described, to: output, as: dtype?.format)
    for note in notes { Console.note("note: \(note)") }
    Console.write(output + "\n")
  }
}
