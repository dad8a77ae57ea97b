import Components
import Composition

/// The components that files can name as a page of Markdown: each in the words of its own doc comment, with its options.
public struct ComponentsDocument: Sendable {
  private let components: [ComponentDescription]

  /// The page of `components`, in their order.
  public init(_ components: [ComponentDescription]) { self.components = components }

  /// The file.
  public var text: String {
    var slots: [Slot] = []
    for component in components where !slots.contains(component.slot) { slots.append(component.slot) }
    var text = """
      # Components

      What a file can name, by slot. This page is made from the doc comments in the source files, by `chimera components --markdown
      Plugins/README.md`; a test holds it against them. [Write a component](GUIDE.md) says how to add one.


      """
    for slot in slots {
      let names = components.filter { $0.slot == slot }.map { "[\($0.name)](#\(Self.anchor($0)))" }
      text += "- **\(slot.rawValue)**: \(names.joined(separator: ", "))\n"
    }
    for component in components { text += section(component) }
    return text
  }

  /// The anchor that Markdown's readers make of a heading.
  private static func anchor(_ component: ComponentDescription) -> String {
    "\(component.slot.rawValue)-\(component.name)"
  }

  private func section(_ component: ComponentDescription) -> String {
    var text = "\n## \(component.slot.rawValue) \(component.name)\n\n\(component.documentation)\n"
    guard !component.options.isEmpty else { return text }
    text += "\n| option | takes | default | meaning |\n|---|---|---|---|\n"
    for option in component.options {
      let cells = [
        "`\(option.path == "*" ? "…" : option.path)`", option.kind.inWords, option.defaultInWords, option.meaning,
      ]
      text += "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
    }
    return text
  }
}
