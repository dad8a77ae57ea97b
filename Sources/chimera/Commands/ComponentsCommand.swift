import ArgumentParser
import Components
import Composition
import Files

/// `chimera components`: what files can name.
struct ComponentsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "components",
    abstract: "List the components, or describe one.",
    discussion: """
        chimera components
        chimera components rope --used-by
        chimera components norm
      """)

  @Argument(help: "A component, or a slot to list the components of.") var name: String?
  @Flag(help: "Name the models of the zoo that use it.") var usedBy = false
  @Flag(help: "Write a JSON document.") var json = false

  func run() throws {
    let zoo = try Zoo()
    let all = zoo.registry.describe()
    let users = usedBy ? Self.users(zoo) : nil
    let chosen = try choose(from: all)
    if json {
      let items = chosen.components.map { ComponentText(component: $0, users: users?[$0.identity, default: []]).json }
      Console.write(JSONValue.array(items).serialized(pretty: true) + "\n")
    } else if chosen.areWhole {
      let texts = chosen.components.map { ComponentText(component: $0, users: users?[$0.identity, default: []]).text(width: Console.width) }
      Console.write(texts.joined(separator: "\n"))
    } else {
      Console.write(table(chosen.components, users))
    }
  }

  /// The components that are meant, and whether each is described as a whole.
  private func choose(from all: [ComponentDescription]) throws -> (components: [ComponentDescription], areWhole: Bool) {
    guard let name else { return (all, false) }
    let named = all.filter { $0.name == name }
    // A word may be a slot and a component of it; the component is then what `slot: name` means, so both are told.
    if let slot = Slot(rawValue: name) {
      let inSlot = all.filter { $0.slot == slot }
      return inSlot.count == 1 ? (inSlot, true) : (inSlot, false)
    }
    if !named.isEmpty { return (named, true) }
    let words = Set(all.map(\.name) + Slot.allCases.map(\.rawValue)).sorted()
    let near = nearestName(to: name, in: words).map { "did you mean '\($0)'?" }
    throw Failure(.notFound, "no component or slot is named '\(name)'; \(near ?? "'chimera components' lists them")")
  }

  private func table(_ components: [ComponentDescription], _ users: [ComponentName: [String]]?) -> String {
    var table = TextTable([.left, .left, .left], flexible: [2])
    var slot: Slot?
    for component in components {
      let models = users.map { $0[component.identity, default: []] }
      let used = models.map { $0.isEmpty ? " Used by no model." : " Used by \($0.count): \($0.joined(separator: ", "))." }
      table.add(component.slot == slot ? "" : component.slot.rawValue, component.name, component.summary + (used ?? ""))
      slot = component.slot
    }
    return table.text(width: Console.isTerminal || users != nil ? Console.width : nil)
  }

  /// The models that use each component. What is broken uses nothing.
  private static func users(_ zoo: Zoo) -> [ComponentName: [String]] {
    let (entries, broken) = ZooEntry.all(of: zoo) { _ in true }
    for model in broken { Console.note("note: '\(model.name)' is left out, for it does not compose") }
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
