import Ablation
import ArgumentParser
import Composition
import Describing
import Files
import HubCache
import Models

/// `chimera check`: whether a spec composes, and whether weights fit it.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a spec, and whether weights match it.",
    discussion: """
      Every mistake is listed with its line and column. With --weights, every tensor's name and shape is compared \
      with the spec; no weights are read. Of a repository of a hub, org/name, less than a megabyte is read: its \
      configuration and the headers of its weights. With --coordinates, the model and its siblings of twice and four \
      times its width are trained for some steps, and what they compute must change as much at each width: so it \
      does with an 'init' of muP or CompleteP, and the best learning rate of one width is that of all.

        chimera check my-variant.yaml
        chimera check my-variant.yaml --coordinates
        chimera check gpt2 --weights model-folder
        chimera check HuggingFaceTB/SmolLM2-135M
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "Weights to compare with the spec: a folder, a safetensors file or a GGUF file.") var weights: String?
  @Flag(help: "Check that training changes activations as much at every width.") var coordinates = false
  @Option(help: "The learning rate of --coordinates. [0.003]") var lr: Double?
  @Flag(help: "Write a JSON document.") var json = false
  @OptionGroup var options: ModelOptions

  func validate() throws {
    if coordinates, weights != nil {
      throw ValidationError("--coordinates trains the model anew, without --weights")
    }
    if lr != nil, !coordinates { throw ValidationError("--lr is the learning rate of --coordinates") }
    if let lr, !(lr > 0 && lr <= 1e3) { throw ValidationError("--lr takes a number above 0, not \(lr)") }
  }

  func run() throws {
    if coordinates {
      return try CoordinateReport(model, options, rate: lr ?? CoordinateCheck.usualRate).write(json: json)
    }
    let models = try options.zoo().models
    if weights == nil, let reference = models.remoteReference(model) { return try checkRemote(reference, models) }
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
    write(described, tensors: tensors, bytes: nil)
  }

  /// Compares the headers of a repository's weights with the family's map.
  private func checkRemote(_ reference: RepositoryReference, _ models: ModelLoader) throws {
    let remote = try RemoteModel(reference)
    let described = try remote.describe(models, patches: options.patches())
    for note in described.notes { Console.note("note: \(note)") }
    let tensors = try remote.prove(described, models)
    if json { return write(described, tensors: tensors, bytes: remote) }
    Console.write(remote.summary(described, tensors: tensors) + "\n")
  }

  private func write(_ described: ModelDescription, tensors: Int?, bytes remote: RemoteModel?) {
    if json {
      var document = JSONObject()
      document["model"] = .string(remote?.reference.description ?? described.plan.name)
      document["parameters"] = .integer(described.plan.parameterCount)
      document["expected_parameters"] = described.architecture.expectedParams.map { .integer($0) } ?? .null
      document["tensors_matched"] = tensors.map { .integer($0) } ?? .null
      if let remote {
        document["commit"] = .string(remote.preview.commit)
        document["weight_bytes"] = .integer(remote.weightBytes)
        document["missing_bytes"] = .integer(remote.missingBytes)
        document["read_bytes"] = .integer(remote.preview.readBytes)
      }
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else {
      let fit = tensors.map { "; all \($0.grouped) tensors are there, with the right shapes" } ?? ""
      Console.write("\(described.plan.name): \(described.plan.parameterCount.grouped) parameters\(fit)\n")
    }
  }
}
