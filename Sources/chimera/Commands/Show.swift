import ArgumentParser
import Composition
import Files
import Models
import Describing
import Specification

/// `chimera show`: a model's facts, its drawing and what it costs.
struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show a model: its architecture, a drawing, and its costs.",
    discussion: """
      No weights are read, so the largest model is shown as quickly as the smallest.

        chimera show gpt2
        chimera show gpt2 --set position=rope
        chimera show llama-3-8b --yaml
        chimera show llama-3.1-405b --context 8192 --json
        chimera show tiny-hybrid --html tiny-hybrid.html
      """)

  @Argument(help: "The model.") var model: String
  @Flag(help: "List the steps of the plan instead, each distinct layer once.") var plan = false
  @Flag(help: "With --plan, list the steps of every layer.") var everyLayer = false
  @Option(parsing: .unconditional, help: "Sequence length for which costs are given. [the model's context length]")
  var context: Int?
  @Flag(help: "Write everything as a JSON document.") var json = false
  @Flag(help: "Write the whole resolved specification as YAML, with what it extends and --set.") var yaml = false
  @Option(help: "Write an HTML page to this file: the drawing, the layers, the facts and the YAML.") var html: String?
  @OptionGroup var cache: CacheOption
  @OptionGroup var options: ModelOptions

  func validate() throws {
    if yaml, json || plan || html != nil { throw ValidationError("--yaml goes with neither --json, --plan nor --html") }
    if html != nil, json || plan { throw ValidationError("--html goes with neither --json nor --plan") }
    if everyLayer, !plan { throw ValidationError("--every-layer lists the steps of --plan") }
    if let context, !(1...Int(Int32.max)).contains(context) {
      throw ValidationError("--context takes a number from 1 to \(Int32.max)")
    }
  }

  func run() throws {
    let zoo = try options.zoo()
    // Of a repository that is not here, the configuration and the headers of its weights say all that is shown.
    let remote = try zoo.models.remoteReference(model).map { try RemoteModel($0) }
    let described =
      try remote?.describe(zoo.models, patches: options.patches())
      ?? zoo.models.describe(model, patches: options.patches())
    if let remote {
      Console.note("note: \(remote.preview.readBytes.inBytes) of \(remote.reference) were read, and no weights fetched")
    }
    for note in described.notes { Console.note("note: \(note)") }
    if yaml {
      Console.write(YAMLWriter().write(described.architecture.resolved))
      return
    }
    if plan, !json {
      Console.write(PlanListing(described.plan, everyLayer: everyLayer).text)
      return
    }
    if let context, let longest = described.plan.longestSequence, context > longest {
      Console.note("note: no sequence of this model can be longer than \(longest.grouped) tokens")
    }
    if let context, !described.plan.canCount(context: context) {
      throw Failure(.usage, "costs at \(context.grouped) tokens are too large to count; give a smaller --context")
    }
    let sheet = ModelSheet(described.architecture, described.choices, described.plan, context: context)
    if let html {
      try Console.write(page: ModelPage(sheet).text, to: html)
    } else if json {
      Console.write(SheetJSON(sheet: sheet, includesPlan: plan).json.serialized(pretty: true) + "\n")
    } else {
      Console.write(SheetText(sheet: sheet, width: Console.width, cache: cache.format).text)
    }
  }
}
