import ArgumentParser
import Describing
import Essentials
import Files
import Models

/// `chimera verify`: a model against what the reference implementation computed.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compare a model with the logits of its reference implementation.",
    discussion: """
      The folder contains config.json, weights and an expected.safetensors: input_ids, logits, and a greedy continuation, \
      which is decoded token by token. Of a model that compares texts with pictures: input_ids, pixel_values, text_embeds, \
      image_embeds, logits_per_text and logits_per_image. Exit status 0 means that all agree.

      With --training, it also contains a training.safetensors: the loss, its gradients, and the losses of six AdamW steps.

      With --hashes, it is the folder of a training run, and every file of its checkpoints is compared with its SHA-256.

        chimera verify model-folder
      """)

  @Argument(help: "A model folder with an expected.safetensors, or a run's folder.") var folder: String
  @Option(help: "A spec that gives the folder's architecture, instead of its family's.") var spec: String?
  @Option(parsing: .unconditional, help: "Largest absolute difference allowed.") var tolerance: Float = 1e-4
  @Flag(help: "Compare loss, gradients and optimizer steps with training.safetensors instead.") var training = false
  @Flag(help: "Compare every file that training saved with its SHA-256 instead.") var hashes = false
  @Flag(help: "Write a JSON document.") var json = false
  @OptionGroup var options: RunOptions

  func validate() throws {
    if hashes, training { throw ValidationError("--hashes and --training exclude each other") }
    if !(tolerance >= 0) { throw ValidationError("--tolerance takes a number of at least 0") }
  }

  func run() throws {
    if hashes { return try verifyHashes() }
    let loaded = try options.load(folder, seed: 0, specification: spec)
    if training { return try verifyTraining(loaded) }
    let result = try Verification(
      loaded, expected: folder + "/expected.safetensors", pool: options.pool, computeType: options.computeType())
    let holds = result.holds(tolerance: tolerance)
    let isOfPairs = loaded.description.plan.prediction == .pairs
    if json {
      var document = JSONObject()
      document["model"] = .string(loaded.description.plan.name)
      document["largest_difference"] = .number(Double(result.largestDifference))
      document["tolerance"] = .number(Double(tolerance))
      document["logits"] = .integer(result.count)
      if isOfPairs { document["compared"] = .array(result.compared.map { .string($0) }) }
      if let greedy = result.greedy {
        document["greedy_tokens"] = .integer(greedy.wanted)
        document["greedy_agreed"] = .integer(greedy.agreed)
      }
      document["holds"] = .bool(holds)
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else {
      let place = result.place
      let numbers = isOfPairs ? "numbers of \(result.compared.joined(separator: ", "))" : "logits"
      var line =
        "\(loaded.description.plan.name): \(result.count) \(numbers), largest difference \(result.largestDifference)"
      line +=
        isOfPairs
        ? " (\(result.tensor), row \(place.row), column \(place.id))"
        : " (row \(place.row), position \(place.position), id \(place.id))"
      if let greedy = result.greedy { line += ", greedy \(greedy.agreed) of \(greedy.wanted)" }
      Console.write("\(line): \(holds ? "agrees" : "differs") within \(tolerance)\n")
    }
    if !holds { throw ExitCode(1) }
  }

  private func verifyTraining(_ loaded: LoadedModel) throws {
    let zoo = try Zoo()
    let result = try TrainingFixture(loaded, in: folder, zoo.models).verify(zoo.registry, pool: options.pool)
    let name = loaded.description.plan.name
    if json {
      var document = JSONObject()
      document["model"] = .string(name)
      document["loss_difference"] = .number(result.lossDifference)
      document["gradient_difference"] = .number(result.gradientDifference.value)
      document["gradients"] = .integer(result.gradients)
      document["step_difference"] = .number(result.stepDifference)
      document["holds"] = .bool(result.holds)
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else {
      let worst = result.gradientDifference
      Console.write(
        "\(name): loss differs by \(result.lossDifference.short), \(result.gradients) gradients by \(worst.value.short) of the largest"
          + " (\(worst.name)), AdamW's losses by \(result.stepDifference.short): \(result.holds ? "agrees" : "differs")\n"
      )
    }
    if !result.holds { throw ExitCode(1) }
  }
}

extension Double {
  /// Two digits and a power of ten.
  fileprivate var short: String { Quantity.written(self, "%.1e") }
}
