import ArgumentParser
import Composition
import Describing
import Files
import Models

/// `chimera check`: whether a spec composes, and whether weights fit it.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a spec, and whether weights match it.",
    discussion: """
      Every mistake is listed with its line and column. With --weights, every tensor's name and shape is compared \
      with the spec; no weights are read.

        chimera check my-variant.yaml
        chimera check gpt2 --weights model-folder
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "Weights to compare with the spec: a folder, a safetensors file or a GGUF file.") var weights: String?
  @Flag(help: "Write a JSON document.") var json = false
  @OptionGroup var options: ModelOptions

  func run() throws {
    let models = try options.zoo().models
    let described = try models.describe(model, patches: options.patches(), weights: weights)
    for note in described.notes { Console.note("note: \(note)") }
    try models.checkText(of: described)
    try models.checkBindings(of: described.architecture)
    var tensors: Int?
    switch described.source {
    case .specification: break
    case .folder, .trained, .safetensors, .gguf:
      _ = try models.match(described)
      tensors = described.plan.parameters.count
    }
    if json {
      var document = JSONObject()
      document["model"] = .string(described.plan.name)
      document["parameters"] = .integer(described.plan.parameterCount)
      document["expected_parameters"] = described.architecture.expectedParams.map { .integer($0) } ?? .null
      document["tensors_matched"] = tensors.map { .integer($0) } ?? .null
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else {
      let fit = tensors.map { "; all \($0.grouped) tensors are there, with the right shapes" } ?? ""
      Console.write("\(described.plan.name): \(described.plan.parameterCount.grouped) parameters\(fit)\n")
    }
  }
}
