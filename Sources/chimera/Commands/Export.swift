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
      Writes a folder. --to pytorch: model.py, which needs nothing but torch, with a class for each distinct kind of layer, \
      and its weights. --to hf: what transformers loads by AutoModelForCausalLM; where it has the model as it is, the \
      folder that save writes. --verify compares logits, decoding, gradients and AdamW steps with this program's; exit \
      status 1 means that one differs. --train adds a program that gives the run of 'chimera train' on any number of GPUs.

        chimera export gpt2 --set position=rope --output gpt2-rope --to hf --verify
        chimera export gpt2 --output gpt2-run --train --data book.txt --setting steps=500
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "The folder to write.") var output: String?
  @Option(help: "pytorch or hf. [pytorch]".with("form")) var to = Form.pytorch
  @Flag(help: ArgumentHelp("With --to hf, write classes also where transformers has them.", visibility: .hidden))
  var ownClasses = false
  @Flag(help: "Write the source alone, without weights.") var source = false
  @Flag(help: "Compare it with this program, by a Python with torch.") var verify = false
  @Option(help: "The Python to compare with. [python3]") var python: String?
  @Flag(help: "Say what computes the model elsewhere, and end.") var check = false
  @Flag(help: "Add a program that trains it, its data and its start.") var train = false
  @Option(help: "Training data of --train; may be repeated.".with("path")) var data: [String] = []
  @Option(help: "A setting of --train: steps=500; may be repeated.".with("k=v"))
  var setting: [String] = []
  @Flag(help: "Write what --verify or --check finds as JSON.") var json = false
  @OptionGroup var options: RunOptions

  /// What a model is written as.
  enum Form: String, CaseIterable, ExpressibleByArgument { case pytorch, hf }

  func validate() throws {
    if check {
      if output != nil { throw ValidationError("--check writes nothing, so it takes no --output") }
      if verify || train { throw ValidationError("--check goes with neither --verify nor --train") }
    } else if output == nil || output?.isEmpty == true {
      throw ValidationError("--output takes the path of a new folder")
    }
    if train {
      if to != .pytorch || verify { throw ValidationError("--train goes with --to pytorch, and without --verify") }
      if data.isEmpty { throw ValidationError("--train takes its data by --data FILE") }
      if source || options.weights != nil { throw ValidationError("--train starts from initial weights") }
    } else if !data.isEmpty || !setting.isEmpty {
      throw ValidationError("--data and --setting are for --train")
    }
    if source, options.randomWeights || options.weights != nil {
      throw ValidationError("--source writes no weights")
    }
    if ownClasses, to != .hf { throw ValidationError("--own-classes is for --to hf") }
    if json, !verify, !check { throw ValidationError("--json is for --verify and --check") }
    if python != nil, !verify { throw ValidationError("--python is for --verify") }
  }

  func run() throws {
    if check { return try writeReach() }
    if train { return try writeTraining() }
    let output = output ?? ""
    try requireNew(output)
    let program = verify ? try PythonProgram(python, modules: to == .hf ? ["torch", "transformers"] : ["torch"]) : nil
    let models = try options.model.zoo().models
    let described = try models.describe(
      model, patches: options.model.patches(), weights: options.weights, adapter: options.adapter.path)
    for note in described.notes { Console.note("note: \(note)") }
    let parameters = try parameters(of: described, models)
    if to == .hf, !ownClasses, let parameters, try writeLibrarys(described, models, parameters, program, output) {
      return
    }
    let words = DocumentedParts(described, models.composer.registry)
    let specification = described.specification(withFormats: true)
    let own = described.specification(withFormats: false)
    let (folder, page, lines): (ExportedFolder, String, String)
    switch to {
    case .pytorch:
      let file = try PyTorchFile(described.plan, command: command) { words.words($0) }
      folder = ExportedFolder(described.plan, file)
      page = ExportPage(described, command: command, hasWeights: parameters != nil, trains: false).text
      lines = "\(Self.lines(file.text)) lines of model.py"
    case .hf:
      let file = try TransformersFile(described.plan, command: command) { words.words($0) }
      folder = ExportedFolder(
        described.plan, file, ids: models.textIDs(of: described),
        dtype: parameters.map { ExportedFolder.dtype(described.plan, $0) }, specification: own)
      page =
        ModelCard(described, file.names, command: command, specification: own, hasWeights: parameters != nil).text
      lines = "\(Self.lines(file.modeling)) lines of \(file.names.modeling).py"
    }
    let others = ["README.md": page, "spec.yaml": specification]
    try folder.write(to: output, parameters: parameters, others: others) { written in
      for note in try models.writeTokenizer(of: described, to: written, native: false) {
        Console.note("note: \(note)")
      }
      guard let program else { return }
      try compare(described, models, folder, parameters, in: written, program)
    }
    Console.note("\(output): \(lines)")
    if !verify { Console.write(output + "\n") }
  }

  func requireNew(_ output: String) throws {
    clearLeftovers(ofFolder: output)
    if kind(ofPath: output) != .nothing, try !namesInFolder(output).isEmpty {
      throw Failure(.failed, "\(output) is there already; name a new folder")
    }
  }

  static func lines(_ text: String) -> Int {
    text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
  }

  /// Writes the folder that transformers has classes for, and says so; false where it has none.
  private func writeLibrarys(
    _ described: ModelDescription, _ models: ModelLoader, _ parameters: Parameters, _ program: PythonProgram?,
    _ output: String
  ) throws -> Bool {
    guard !options.randomWeights else { return false }
    if let why = try Self.withoutLibrary(described, models) {
      Console.note("note: transformers has no class that is this model: \(why); it gets classes of its own")
      return false
    }
    let isInBlocks = described.plan.parameters.indices.contains { parameters.format(of: $0).elementsPerBlock != 1 }
    for note in try models.save(described, to: output, as: isInBlocks ? .f32 : nil) { Console.note("note: \(note)") }
    Console.note(
      "\(output): transformers has this model as it is, so no classes were written; --own-classes writes some")
    if let program {
      do {
        let folder = ExportedFolder(ofLibrary: described.plan)
        try compare(described, models, folder, parameters, in: output, program)
      } catch {
        try? FileManager.default.removeItem(atPath: output)
        throw error
      }
    } else {
      Console.write(output + "\n")
    }
    return true
  }

  /// The command that writes the same file again.
  var command: String {
    (["chimera", "export", model] + (to == .hf ? ["--to hf"] : []) + (ownClasses ? ["--own-classes"] : [])
      + options.model.changes.map { "--set \($0)" }).joined(separator: " ")
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
      let source = folder.files.filter { $0.key.hasPrefix("model") && $0.key.hasSuffix(".py") }.first?.value
      document["lines"] = source.map { .integer(Self.lines($0)) }
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
