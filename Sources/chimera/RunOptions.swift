import ArgumentParser
import Kernels
import Models

/// The options of every command that loads weights.
struct RunOptions: ParsableArguments {
  @OptionGroup var model: ModelOptions
  @Option(help: "Weights for the model: a folder, a safetensors file or a GGUF file.") var weights: String?
  @OptionGroup var adapter: AdapterOption
  @Flag(help: "Use random weights instead of trained ones.") var randomWeights = false
  @Option(help: "A tokenizer to use instead of the model's own.") var tokenizer: String?
  @Option(parsing: .unconditional, help: "Number of threads. [all cores]") var threads: Int?
  @Flag(help: "Compute in f32, whatever the weights; slower.") var exact =
    false

  func validate() throws {
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads takes a number from 1 to 1024") }
    if randomWeights, weights != nil { throw ValidationError("--random-weights and --weights exclude each other") }
    if randomWeights, adapter.path != nil {
      throw ValidationError("--random-weights and --adapter exclude each other")
    }
  }

  /// The model that `reference` means, with weights; what a user should know goes to standard error.
  /// With random weights, there must be memory for a sequence of `length` tokens too.
  func load(_ reference: String, seed: UInt64, length: Int = 1, specification: String? = nil) throws -> LoadedModel {
    ThreadCount.tell(threads)
    let models = try model.zoo().models
    let described = try models.describe(
      reference, patches: model.patches(), weights: weights, specification: specification, adapter: adapter.path,
      preparing: !randomWeights)
    for note in described.notes { Console.note("note: \(note)") }
    return randomWeights
      ? try models.untrained(described, seed: seed, length: length, tokenizer: tokenizer)
      : try models.load(described, tokenizer: tokenizer)
  }

  /// What matrices are multiplied in.
  func computeType() throws -> ComputeType { try .asked(exact: exact) }

  /// The threads to compute on.
  var pool: ThreadPool { ThreadPool(threads: threads ?? ThreadPool.preferredThreadCount()) }
}
