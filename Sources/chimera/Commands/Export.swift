import ArgumentParser
import Composition
import Describing
import Essentials
import Execution
import Export
import Files
import Kernels
import Models
import Specification

/// `chimera export`: a model as source code for another framework, with its weights.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a model as PyTorch.",
    discussion: """
      Writes a folder: model.py, one file that needs nothing but torch, with a class for each distinct kind of layer; \
      model.safetensors, the weights under the names that its modules have; README.md. A model without weights gives \
      the file alone. The folder appears when all of it is written.

      With --verify, a Python that has torch computes logits, cached decoding, the loss, its gradients and ten steps of \
      AdamW, and each is compared with this program's. Exit status 1 means that one differs.

        chimera export story-llama --output story
        chimera export gpt2 --set position=rope --output gpt2-rope --verify
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "The folder to write.") var output: String
  @Option(help: "The form to write.") var to = Form.pytorch
  @Flag(help: "Write the source alone, without weights.") var source = false
  @Flag(help: "Compare what was written with this program, by a Python that has torch.") var verify = false
  @Option(help: "The Python to compare with. [python3]") var python: String?
  @Flag(help: "Write a JSON document of the comparison.") var json = false
  @OptionGroup var options: RunOptions

  /// What a model is written as.
  enum Form: String, CaseIterable, ExpressibleByArgument { case pytorch }

  func validate() throws {
    if output.isEmpty { throw ValidationError("--output takes the path of a new folder") }
    if source, options.randomWeights || options.weights != nil {
      throw ValidationError("--source writes no weights")
    }
    if json, !verify { throw ValidationError("--json is for --verify") }
    if python != nil, !verify { throw ValidationError("--python is for --verify") }
  }

  func run() throws {
    clearLeftovers(ofFolder: output)
    if kind(ofPath: output) != .nothing, try !namesInFolder(output).isEmpty {
      throw Failure(.failed, "\(output) is there already; name a new folder")
    }
    let program = verify ? try PythonProgram(python) : nil
    let models = try options.model.zoo().models
    let described = try models.describe(
      model, patches: options.model.patches(), weights: options.weights, adapter: options.adapter.path)
    for note in described.notes { Console.note("note: \(note)") }
    let words = DocumentedParts(described, models.composer.registry)
    let file = try PyTorchFile(described.plan, command: command) { words.words($0, $1) }
    let folder = ExportedFolder(described.plan, file)
    let parameters = try parameters(of: described, models)
    let pages = ["README.md": ExportPage(described, command: command, hasWeights: parameters != nil).text]
      .merging(["spec.yaml": Self.specification(of: described)]) { $1 }
    try folder.write(to: output, parameters: parameters, others: pages) { written in
      guard let program else { return }
      try compare(described, models, folder, parameters, in: written, program)
    }
    Console.note("\(output): \(file.text.split(separator: "\n").count) lines of model.py")
    if !verify { Console.write(output + "\n") }
  }

  /// The command that writes the same file again.
  private var command: String {
    (["chimera", "export", model] + options.model.changes.map { "--set \($0)" }).joined(separator: " ")
  }

  private func parameters(of described: ModelDescription, _ models: ModelLoader) throws -> Parameters? {
    ThreadCount.tell(options.threads)
    if source { return nil }
    if options.randomWeights { return try models.untrained(described, seed: 0).parameters }
    do {
      return try models.load(described, tokenizer: options.tokenizer).parameters
    } catch ModelProblem.noWeights {
      Console.note("note: there are no weights of '\(described.plan.name)' here, so the folder has none")
      return nil
    }
  }

  private static func specification(of described: ModelDescription) -> String {
    var resolved = described.architecture.resolved
    resolved["expected_params"] = nil
    return YAMLWriter().write(resolved)
  }

  private func compare(
    _ described: ModelDescription, _ models: ModelLoader, _ folder: ExportedFolder, _ parameters: Parameters?,
    in written: String, _ program: PythonProgram
  ) throws {
    let own = try parameters ?? Parameters.scattered(described.plan)
    let exporting = Exporting(registry: models.composer.registry, python: program, pool: options.pool)
    let result = try exporting.compare(described.plan, own, folder, in: written)
    var table = TextTable([.left, .right, .right, .left])
    table.add("", "difference", "tolerance", "")
    for row in result.rows {
      table.add(
        row.name, row.difference.map(Self.short) ?? "–", Self.short(row.tolerance), row.holds ? "agrees" : "differs")
    }
    if json {
      var document = JSONObject()
      document["model"] = .string(described.plan.name)
      document["lines"] = .integer(folder.file.text.split(separator: "\n", omittingEmptySubsequences: false).count - 1)
      for row in result.rows { document[row.key] = row.difference.map { .number($0) } ?? .null }
      document["holds"] = .bool(result.holds)
      document["torch"] = .string(result.torch)
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else {
      Console.write(table.text())
    }
    if !result.holds { throw ExitCode(1) }
  }

  private static func short(_ number: Double) -> String { Quantity.written(number, "%.1e") }
}
