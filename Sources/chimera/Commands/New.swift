import ArgumentParser
import Components
import Files
import Models
import Specification

/// `chimera new`: a specification to edit.
struct New: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new",
    abstract: "Write a variant of a model, to edit.",
    usage: "chimera new NAME --from MODEL [options]",
    discussion: """
      The file extends the model, and lists what that chooses as comments: take the '#' away and change it. Changes of \
      --set are written out.

        chimera new my-gpt2 --from gpt2
        chimera new mine --from llama-3-8b --set layers.count=8 --output specs/mine.yaml
        chimera check my-gpt2.yaml
      """)

  @Argument(help: "The variant's name.") var name: String
  @Option(help: "The model that it is made from.") var from: String
  @Option(name: [.customShort("o"), .long], help: "The file to write. [NAME.yaml]") var output: String?
  @OptionGroup var options: ModelOptions

  func validate() throws {
    let base = name.hasSuffix(".yaml") ? String(name.dropLast(".yaml".count)) : name
    if !Catalog.isName(base.split(separator: "/").last.map(String.init) ?? "") {
      throw ValidationError("a model's name has letters, digits, '.', '_' and '-', not '\(name)'")
    }
    if output?.isEmpty == true { throw ValidationError("--output takes the path of a file") }
  }

  func run() throws {
    let zoo = try Zoo()
    let patches = try options.patches()
    let described = try zoo.models.describe(from, patches: patches)
    for note in described.notes { Console.note("note: \(note)") }
    let path = output ?? (name.hasSuffix(".yaml") ? name : name + ".yaml")
    if isFilePlace(path), kind(ofPath: path) != .nothing {
      throw Failure(.failed, "\(path) is there already; name another file with --output")
    }
    var own = name.split(separator: "/").last.map(String.init) ?? name
    if own.hasSuffix(".yaml") { own = String(own.dropLast(".yaml".count)) }
    try Console.write(page: text(own, at: path, zoo.catalog, described, patches), to: path, of: "--output")
  }

  /// The keys that a variant mostly changes, in the order of a file.
  private static let shown =
    ["vocab_size", "context_length", "hidden_size"] + Slot.ofModels.map(\.rawValue) + ["layers", "stacks"]

  private func text(
    _ own: String, at path: String, _ catalog: Catalog, _ described: ModelDescription, _ patches: [Setting]
  ) -> String {
    let resolved = described.architecture.resolved
    let writer = YAMLWriter()
    var text =
      "# A variant of \(from). 'chimera check \(path)' checks it, 'chimera diff \(from) \(path)' shows what changed.\n"
    guard let base = reference(from: path, catalog) else {
      // Weights in a folder or a file are wired by a family, which a file cannot extend by a path: all of it is written.
      var whole = resolved
      whole["name"] = Setting(.scalar(own, quoted: true))
      for key in ["expected_params", "facts"] { whole[key] = nil }
      return text + writer.write(whole)
    }
    text += writer.write(
      Setting(
        .group([
          Setting.Entry("extends", Setting(text: base)), Setting.Entry("name", Setting(.scalar(own, quoted: true))),
        ])))
    var changes = Setting(.group([]))
    for patch in patches { changes = changes.merging(patch) }
    // A null deletes what the model says, and so has to stand in the file.
    for patch in patches { for path in deletions(in: patch) { changes[path: path] = .null } }
    if changes.entries?.isEmpty == false { text += "\n" + writer.write(changes) }
    text +=
      "\n# What \(from) chooses; take the '#' away from what is to be changed ('chimera components' lists the choices):\n#\n"
    let entries = Self.shown.compactMap { key in
      changes[key] == nil ? resolved.entries?.first { $0.key == key } : nil
    }
    for line in writer.write(Setting(.group(entries))).split(separator: "\n") { text += "# \(line)\n" }
    return text
  }

  /// The dotted paths of what `patch` deletes.
  private func deletions(in patch: Setting, under path: String = "") -> [String] {
    (patch.entries ?? []).flatMap { entry in
      let inner = path.isEmpty ? entry.key : "\(path).\(entry.key)"
      return entry.value.isNull ? [inner] : deletions(in: entry.value, under: inner)
    }
  }

  /// What a file at `path` names `from` by under `extends`; nil where it cannot.
  private func reference(from path: String, _ catalog: Catalog) -> String? {
    if kind(ofPath: from) == .nothing { return catalog.path(of: from) == nil ? nil : from }
    guard kind(ofPath: from) == .file, from.hasSuffix(".yaml") || from.hasSuffix(".yml") else { return nil }
    let folder = { (path: String) in
      path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : ""
    }
    let name = from.split(separator: "/").last.map(String.init) ?? from
    return folder(from) == folder(path) ? "./" + name : nil
  }
}
