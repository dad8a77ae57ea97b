import ArgumentParser
import Components
import Composition
import Conformance
import Files
import Describing

/// `chimera components`: what files can name.
struct ComponentsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "components",
    abstract: "List the components, or describe one.",
    discussion: """
        chimera components
        chimera components rope
        chimera components norm
        chimera components --html components.html
        chimera components norm --check
      """)

  @Argument(help: "A component, or a slot to list the components of.") var name: String?
  @Flag(help: "Write a JSON document.") var json = false
  @Flag(help: "Run check-component on each, and list which are conformant.") var check = false
  @Option(help: "Write an HTML page to this file: every component with its equation, options and models.") var html:
    String?

  @Option(help: "Write Markdown to this file: every component with its equation and options.") var markdown: String?

  func validate() throws {
    if check, json || html != nil {
      throw ValidationError("--check is for the list; 'chimera check-component --json' writes a document")
    }
    if html != nil, json { throw ValidationError("--html and --json exclude each other") }
  }

  func run() throws {
    let zoo = try Zoo()
    let all = zoo.registry.describe()
    if let name, let term = zoo.registry.terms[name],
      !all.contains(where: { [$0.name, $0.slot.rawValue].contains(name) })
    {
      return try answer(term)
    }
    let (pages, listed) = try choose(from: all)
    if let markdown {
      try Console.write(page: ComponentsDocument(pages + listed).text, to: markdown, of: "--markdown")
      return
    }
    let users = Self.users(zoo)
    let texts = pages.map { ComponentText(component: $0, users: users[$0.identity, default: []]) }
    if let html {
      let shown = (pages + listed).map { (description: $0, users: users[$0.identity, default: []]) }
      try Console.write(page: ComponentsPage(shown).text, to: html)
      return
    }
    if json {
      let others = listed.map { ComponentText(component: $0, users: users[$0.identity, default: []]) }
      Console.write(JSONValue.array((texts + others).map(\.json)).serialized(pretty: true) + "\n")
      return
    }
    if check {
      Console.write(conformanceTable(pages + listed, ConformanceKit(zoo.registry)))
      return
    }
    Console.write(texts.map { $0.text(width: Console.width) }.joined(separator: "\n"))
    if !pages.isEmpty, !listed.isEmpty { Console.write("\nOthers for the same slot:\n\n") }
    if !listed.isEmpty { Console.write(table(listed, users)) }
  }

  /// The components that are described as a whole, and those that are listed.
  private func choose(
    from all: [ComponentDescription]
  ) throws -> (pages: [ComponentDescription], listed: [ComponentDescription]) {
    guard let name else { return ([], all) }
    let named = all.filter { $0.name == name }
    // A word may be a slot and a component of it.
    let inSlot = all.filter { $0.slot.rawValue == name && $0.name != name }
    if !named.isEmpty || !inSlot.isEmpty { return (named, inSlot) }
    let words = Set(all.map(\.name) + Slot.allCases.map(\.rawValue)).sorted()
    let near = nearestName(to: name, in: words).map { "did you mean '\($0)'?" }
    throw Failure(.notFound, "no component or slot is named '\(name)'; \(near ?? "'chimera components' lists them")")
  }

  /// Says what a word of the field is written as, which is no component by itself.
  private func answer(_ term: FieldTerm) throws {
    if json {
      let document: JSONValue = [
        "term": .string(term.word), "yaml": .string(term.line), "slot": .string(term.slot.rawValue),
        "component": .string(term.component),
      ]
      Console.write(document.serialized(pretty: true) + "\n")
    } else {
      Console.write(
        "\(term.hint)\n\n'chimera components \(term.component)' describes the \(term.slot.inWords) '\(term.component)'.\n"
      )
    }
  }

  private func table(_ components: [ComponentDescription], _ users: [ComponentName: [String]]) -> String {
    var table = TextTable([.left, .left, .right, .left], flexible: [3])
    table.add("slot", "name", "models", "what it is")
    var slot: Slot?
    for component in components {
      table.add(
        component.slot == slot ? "" : component.slot.rawValue, component.name,
        component.slot.isOfModel ? String(users[component.identity, default: []].count) : "–", component.summary)
      slot = component.slot
    }
    return table.text(width: Console.isTerminal ? Console.width : nil)
  }

  /// A line a component. Nothing is called conformant that was not checked just now.
  private func conformanceTable(_ components: [ComponentDescription], _ kit: ConformanceKit) -> String {
    var table = TextTable([.left, .left, .left])
    table.add(["slot", "name", "checked"])
    for component in components {
      let faults = kit.check(component)
      table.add([
        component.slot.rawValue, component.name,
        faults.isEmpty
          ? "conformant" : "\(faults.count) fault\(faults.count == 1 ? "" : "s"): \(faults[0].check.rawValue)",
      ])
    }
    return table.text()
  }

  /// The models that use each component. What is broken uses nothing.
  private static func users(_ zoo: Zoo) -> [ComponentName: [String]] {
    let (entries, broken) = ZooEntry.all(of: zoo) { _ in true }
    for model in broken { Console.note("note: '\(model.name)' is left out, because it does not compose") }
    var users: [ComponentName: [String]] = [:]
    for entry in entries {
      for name in entry.choices.used { users[name, default: []].append(entry.architecture.name) }
    }
    return users
  }
}

extension ComponentDescription {
  /// Its slot and name.
  var identity: ComponentName { ComponentName(slot: slot, name: name) }

  /// The first sentence of its documentation.
  var summary: String {
    let paragraph = documentation.split(separator: "\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }
    return paragraph.joined(separator: " ")
  }
}
