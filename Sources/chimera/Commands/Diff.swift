import ArgumentParser
import Checkpoints
import Components
import Composition
import Files
import Models
import Describing
import Specification
import Synchronization

/// `chimera diff`: what differs between two models, and the lines of YAML that make one of the other.
struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Show what differs between two models.",
    discussion: """
      Only what differs is shown, including defaults that take effect. The YAML at
      the end turns A into B. Given one model, B is that with the changes of --set.

        chimera diff gpt2-xl llama-7b
        chimera diff gpt2 --set position=rope
        chimera diff gpt2-xl llama-7b --html gpt-against-llama.html
      """)

  @Argument(help: "The first model, A.") var a: String
  @Argument(help: "The second model, B. [A with the changes of --set]") var b: String?
  @Flag(help: "Write a JSON document.") var json = false
  @Option(help: "Write an HTML page to this file: both drawn side by side, with the differences marked.") var html:
    String?
  @OptionGroup var options: ModelOptions

  func validate() throws {
    if html != nil, json { throw ValidationError("--html and --json exclude each other") }
    if b == nil, options.changes.isEmpty {
      throw ValidationError("give a second model, or the changes that make it with --set")
    }
  }

  func run() throws {
    let zoo = try options.zoo()
    let models = zoo.models
    let first = try sheet(a, models)
    let second = try sheet(b ?? a, models, patches: options.patches())
    let diff = ArchitectureDiff(first, second)
    let names = DiffText.names(first, second, isChanged: !options.changes.isEmpty)
    let patch =
      diff.composesTheSame
      ? nil : SmallestPatch(models: models, base: a, target: second).find(from: first.architecture)
    let file = patch.map { patch in
      guard let base = base(models.catalog) else { return patch }
      return Setting(.group([Setting.Entry("extends", Setting(text: base))] + (patch.entries ?? [])))
    }
    let others =
      diff.composesTheSame
      ? ArchitectureDiff.otherPatch(from: first.architecture, to: second.architecture) : Setting(.group([]))
    if !diff.composesTheSame, patch == nil {
      Console.note("note: no patch of \(a) composes \(names.1): it would have to delete what a layer variant sets")
    }
    if let html {
      let page = DiffPage(first, second, names: names, diff: diff, patch: file, others: others)
      try Console.write(page: page.text, to: html)
    } else if json {
      Console.write(DiffJSON(names: names, diff: diff, file: file, others: others).json.serialized(pretty: true) + "\n")
    } else {
      Console.write(DiffText(names: names, diff: diff, file: file, others: others, width: Console.width).text)
    }
  }

  /// The notes that were written: the second model mostly has those of the first.
  private static let told = Mutex<Set<String>>([])

  private func sheet(_ reference: String, _ models: ModelLoader, patches: [Setting] = []) throws -> ModelSheet {
    let described = try models.describe(reference, patches: patches)
    for note in described.notes where !Self.told.withLock({ !$0.insert(note).inserted }) {
      Console.note("note: \(note)")
    }
    return ModelSheet(described.architecture, described.choices, described.plan)
  }

  /// How a file names `a` under `extends`: as the zoo does, or by its path from the same folder; a folder of weights
  /// cannot be extended.
  private func base(_ catalog: Catalog) -> String? {
    if a.hasSuffix(".yaml") || a.hasSuffix(".yml") {
      return "./" + (a.split(separator: "/").last.map(String.init) ?? a)
    }
    return catalog.path(of: a) == nil ? nil : a
  }
}
