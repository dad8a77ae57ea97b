import Components
import Composition

/// The components that files can name as a page: each in the words of its own doc comment, with its options and the models
/// that use it.
public struct ComponentsPage: Sendable {
  private let components: [(description: ComponentDescription, users: [String])]

  /// The page of `components`, in their order, each with the names of the models that use it.
  public init(_ components: [(description: ComponentDescription, users: [String])]) { self.components = components }

  /// The file, which needs nothing else.
  public var text: String {
    var slots: [Slot] = []
    for component in components where !slots.contains(component.description.slot) {
      slots.append(component.description.slot)
    }
    let summary = "\(components.count) components that a file can name, for \(slots.count) slots."
    let own = { (slot: Slot) in self.components.filter { $0.description.slot == slot } }
    let contents = Markup.element(
      "nav", ["aria-label": "Components"],
      [
        .element(
          "dl", ["class": "facts"],
          slots.map { slot in
            let links = own(slot).map { component in
              Markup.element("a", ["href": "#\(anchor(component.description))"], Markup(component.description.name))
            }
            return .element(
              "div", [.element("dt", Markup(slot.rawValue)), .element("dd", [.all(links, separator: ", ")])])
          })
      ])
    let body = [
      Markup.element(
        "header", [.element("h1", "Components"), .element("p", ["class": "subtitle"], Markup(summary)), contents]),
      .element("main", slots.map { slot in section(slot.rawValue, "", own(slot).map(article)) }),
    ]
    return Page(title: "Components", summary: summary, body: body).text
  }

  private func anchor(_ component: ComponentDescription) -> String { "\(component.slot.rawValue)-\(component.name)" }

  private func article(_ component: ComponentDescription, _ users: [String]) -> Markup {
    let kind = FactSheet.kind(ofGroup: component.slot.rawValue)
    return .element(
      "article", ["class": "component \(kind.styleClass)", "id": anchor(component)],
      [
        .element("h3", Markup(component.name)), DocumentationText(text: component.documentation).markup,
        options(component.options), usedBy(users, component.slot),
      ])
  }

  private func options(_ options: [OptionDescription]) -> Markup {
    guard !options.isEmpty else { return .element("p", ["class": "note"], "It takes no options.") }
    let head = ["option", "takes", "default", "meaning"].map { Markup.element("th", ["scope": "col"], Markup($0)) }
    let rows = options.map { option in
      Markup.element(
        "tr",
        [
          .element("th", ["scope": "row"], [.element("code", .name(option.path == "*" ? "…" : option.path))]),
          .element("td", Markup(option.kind.inWords)), .element("td", Markup(option.defaultInWords)),
          .element("td", Markup(option.meaning)),
        ])
    }
    return .element(
      "div", ["class": "scroll", "tabindex": "0"],
      [.element("table", ["class": "options"], [.element("thead", .element("tr", head)), .element("tbody", rows)])])
  }

  private func usedBy(_ users: [String], _ slot: Slot) -> Markup {
    guard !users.isEmpty else {
      return .element("p", ["class": "note"], Markup(slot.namingSentence ?? "Used by no model of the zoo."))
    }
    let sentence = "Used by \(users.count) model\(users.count == 1 ? "" : "s")"
    return .element(
      "details", [.element("summary", Markup(sentence)), .element("p", Markup(users.joined(separator: ", ")))])
  }
}
