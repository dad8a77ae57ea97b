import Formats
import ArgumentParser
import Checkpoints
import Describing
import Files
import Kernels
import Models

/// `chimera save`: a model as a folder, of Hugging Face's kind or our own.
struct Save: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "save",
    abstract: "Save a model as a folder, or as a GGUF file.",
    discussion: """
      Writes a Hugging Face folder: config.json, safetensors with the family's own tensor \
      names and layouts, and the tokenizer. With --native, a folder that can hold any model \
      and any storage format: its spec, the weights with canonical names, and the tokenizer. \
      With --to gguf, a GGUF file as llama.cpp reads it, and how far quantization went \
      from the weights. What is written appears when all of it is there.

        chimera save stories.gguf --output stories --dtype bf16
        chimera save stories --to gguf --quantize Q4_K_M --output stories-q4.gguf
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "The folder or the file to write.") var output: String
  @Option(help: "What to write: folder or gguf. [folder, and gguf for a path that ends in .gguf]".with("form"))
  var to: Form?
  @Option(
    help: "Storage of a GGUF file: \(QuantizationMix.allCases.map(\.rawValue).joined(separator: ", ")). [unchanged]"
      .with("mix"))
  var quantize: QuantizationMix?
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

  /// What a model is written as.
  enum Form: String, CaseIterable, ExpressibleByArgument { case folder, gguf }

  private var isFile: Bool { to.map { $0 == .gguf } ?? output.hasSuffix(".gguf") }

  func validate() throws {
    if output.isEmpty { throw ValidationError("--output takes the path of a new folder or file") }
    if isFile, native || dtype != nil {
      throw ValidationError("a GGUF file is stored as --quantize says; --native and --dtype are for folders")
    }
    if !isFile, quantize != nil { throw ValidationError("--quantize is for GGUF files: add --to gguf") }
  }

  func run() throws {
    if isFile { return try writeFile() }
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

  private func writeFile() throws {
    if kind(ofPath: output) == .folder {
      throw Failure(.failed, "\(output) is a folder; name the file to write")
    }
    if kind(ofPath: output) != .nothing {
      throw Failure(.failed, "\(output) is there already; name a new file")
    }
    let models = try options.zoo().models
    let described = try models.describe(
      model, patches: options.patches(), weights: weights, adapter: adapter.path)
    for note in described.notes { Console.note("note: \(note)") }
    let written = try models.saveGGUF(described, to: output, as: quantize)
    for note in written.notes { Console.note("note: \(note)") }
    for (format, share) in written.shares.sorted(by: { $0.value.numbers > $1.value.numbers }) {
      let error = share.relativeError > 0 ? ", off by \(Self.percent(share.relativeError))" : ""
      Console.note("\(format.rawValue): \(share.tensors.grouped) tensors, \(share.numbers.grouped) numbers\(error)")
    }
    let total = written.total
    let bits = Double(8 * written.bytes) / Double(max(1, total.numbers))
    Console.note(
      "\(Quantity.bytes(written.bytes)), \((bits * 100).rounded() / 100) bits a number"
        + (total.relativeError > 0
          ? ", off by \(Self.percent(total.relativeError)) (root of the mean squared error over that of the numbers)"
          : ""))
    Console.write(output + "\n")
  }

  private static func percent(_ part: Double) -> String { "\((part * 1e4).rounded() / 100) %" }
}

extension QuantizationMix: ExpressibleByArgument {
  /// Takes the name in either case.
  public init?(argument: String) { self.init(rawValue: argument.uppercased()) }
}
