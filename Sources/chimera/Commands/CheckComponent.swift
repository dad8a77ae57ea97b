import ArgumentParser
import Components
import Conformance
import Export
import Files
import Kernels

/// `chimera check-component`: whether components are what every component must be.
struct CheckComponent: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-component",
    abstract: "Run the conformance tests on a component.",
    discussion: """
      It is put into tiny models with each of its options: gradients against finite differences, causality, prefill \
      against token-by-token decoding, batches, threads, memory, saving, its doc comment. An optimizer must reduce a loss, \
      give the same bits on any number of threads and when resumed; a schedule is run over a whole run. Each fault is \
      described in a sentence.

        chimera check-component rmsnorm
        chimera check-component none --slot position
        chimera check-component --all

      With --python PATH, what it is in PyTorch is compared with its kernels instead, by a Python that has torch.
      """)

  @Argument(help: "The component.") var name: String?
  @Option(help: "Its slot, if components of several slots have the name.") var slot: String?
  @Flag(help: "Check every component.") var all = false
  @Option(help: "Compare its PyTorch renderings, by this Python.") var python: String?
  @Flag(help: "Write a JSON document.") var json = false

  func validate() throws {
    if all == (name != nil) { throw ValidationError("name a component, or give --all") }
    if let slot, Slot(rawValue: slot) == nil {
      let words = Slot.allCases.map(\.rawValue)
      let near =
        nearestName(to: slot, in: words).map { "did you mean '\($0)'?" } ?? "slots are \(words.joined(separator: ", "))"
      throw ValidationError("no slot is named '\(slot)'; \(near)")
    }
  }

  func run() throws {
    let registry = try Zoo().registry
    let kit = ConformanceKit(registry)
    let exporting = try python.map {
      Exporting(registry: registry, python: try PythonProgram($0, modules: ["torch"]), pool: ThreadPool(threads: 1))
    }
    var found: [(component: ComponentDescription, faults: [Fault])] = []
    for component in try choose(from: registry.describe(), registry.terms) {
      if Console.notesAreOnTerminal, all { Console.status("\(component.slot.rawValue) \(component.name)") }
      let faults = try exporting?.faults(of: component, kit) ?? kit.check(component)
      if Console.notesAreOnTerminal, all { Console.status("") }
      found.append((component, faults))
      if !json { Console.write(text(component, faults)) }
    }
    if json { Console.write(JSONValue.array(found.map(document)).serialized(pretty: true) + "\n") }
    if found.contains(where: { !$0.faults.isEmpty }) { throw ExitCode(Failure.Status.failed.rawValue) }
  }

  private func choose(from components: [ComponentDescription], _ terms: FieldTerms) throws -> [ComponentDescription] {
    let inSlot = components.filter { slot == nil || $0.slot.rawValue == slot }
    guard let name else { return inSlot }
    let named = inSlot.filter { $0.name == name }
    if !named.isEmpty { return named }
    let near = terms.hint(for: name, among: Set(inSlot.map(\.name)).sorted())
    throw Failure(.notFound, "no component is named '\(name)'; \(near ?? "'chimera components' lists them")")
  }

  private func text(_ component: ComponentDescription, _ faults: [Fault]) -> String {
    let title = "\(component.slot.rawValue) \(component.name): "
    if faults.isEmpty { return title + "conformant\n" }
    return faults.reduce(title + (faults.count == 1 ? "1 fault\n" : "\(faults.count) faults\n")) { $0 + "  \($1)\n" }
  }

  private func document(_ component: ComponentDescription, _ faults: [Fault]) -> JSONValue {
    [
      "slot": .string(component.slot.rawValue), "name": .string(component.name), "conformant": .bool(faults.isEmpty),
      "faults": .array(
        faults.map {
          ["check": .string($0.check.rawValue), "setting": .string($0.setting), "sentence": .string($0.sentence)]
        }),
    ]
  }
}
