import Execution
import Export
import Files
import Models
import Components
import Specification

/// What computes a model elsewhere, and what trains it there.
extension ExportCommand {
  /// Why transformers has no class that is the model, as far as families say; nil where it has one.
  static func withoutLibrary(_ described: ModelDescription, _ models: ModelLoader) throws -> String? {
    do {
      try models.requireFolder(described)
      return nil
    } catch let problems as Problems {
      guard let problem = problems.list.first else { return "no family says it" }
      guard let hint = problem.hint?.split(separator: ";").first, hint.contains("read back") else {
        return problem.sentence
      }
      return "\(problem.sentence): \(hint)"
    }
  }

  func writeReach() throws {
    let models = try options.model.zoo().models
    let described = try models.describe(model, patches: options.model.patches(), weights: options.weights)
    for note in described.notes { Console.note("note: \(note)") }
    let reach = Reach(
      described.plan, stock: try Self.withoutLibrary(described, models), hasGGUF: described.architecture.gguf != nil)
    if json {
      var document = JSONObject()
      document["model"] = .string(described.plan.name)
      for row in reach.rows {
        var entry = JSONObject()
        entry["reached"] = .bool(row.isReached)
        entry["why"] = .string(row.why)
        document[row.key] = .object(entry)
      }
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else {
      var table = TextTable([.left, .left, .left], flexible: [2])
      for row in reach.rows { table.add(row.name, row.isReached ? "yes" : "no", row.why) }
      Console.write(table.text())
    }
  }

  func writeTraining() throws {
    let output = output ?? ""
    try requireNew(output)
    let request = TrainingRequest(
      model: model, changes: options.model.changes, data: data, validationData: [], jsonKey: "text",
      tokenizer: options.tokenizer, initFrom: nil)
    let prepared = try PreparedTraining(
      request, TrainArguments(setting, option: "--setting"), options.model, note: { Console.note("note: \($0)") })
    let (described, settings) = (prepared.described, prepared.description.settings)
    guard case .text(let text, let validation) = prepared.corpus else {
      throw Failure(.invalid, "'\(described.plan.name)' reads pictures, and training on them is not exported")
    }
    if !settings.frozen.isEmpty { throw Failure(.usage, "what is frozen is not exported; leave --setting freeze out") }
    let models = try options.model.zoo().models
    let words = DocumentedParts(described, models.composer.registry)
    let command = self.command + " --train"
    let file = try PyTorchFile(described.plan, command: command) { words.words($0) }
    let folder = ExportedFolder(described.plan, file)
    let training = try TrainingFiles(
      described.plan, names: folder.tensorNames, settings, training: text, validation: validation,
      command: command)
    let parameters = try Parameters(described.plan, seed: settings.initSeed ?? settings.seed)
    let page = ExportPage(described, command: command, hasWeights: true, trains: true).text
    let others = ["README.md": page, "spec.yaml": described.specification(withFormats: true)]
    try folder.write(to: output, parameters: parameters, others: others) { written in
      try training.write(to: written)
      for file in prepared.tokenizer?.files ?? [] {
        try writeAtomically(to: written + "/" + file.name) { try $0.write(file.bytes) }
      }
    }
    Console.write(output + "\n")
  }
}
