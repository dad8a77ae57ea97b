import Components
import Composition
import Files
import Specification

/// The models of a zoo as a page: a card for each family with its sizes, and when each part appeared.
///
/// It can be read where no scripts run; where they do, it can be searched and sorted, and any two models can be compared.
public struct GalleryPage: Sendable {
  /// A model of the gallery.
  public struct Entry: Sendable {
    let architecture: Architecture
    let choices: ArchitectureChoices
    let sketch: Plan
    let parameterCount: Int
    let madeOf: [String]
    let parts: [ModelFeature]

    /// The model of `architecture`: `sketch` is its plan with each distinct layer once, `madeOf` what it is made of in a
    /// few words a part, and `parts` those that it has in common with others.
    public init(
      _ architecture: Architecture, choices: ArchitectureChoices, sketch: Plan, parameterCount: Int, madeOf: [String],
      parts: [ModelFeature]
    ) {
      self.architecture = architecture
      self.choices = choices
      self.sketch = sketch
      self.parameterCount = parameterCount
      self.madeOf = madeOf
      self.parts = parts
    }

    var family: String { architecture.family ?? architecture.name }
    var title: String { architecture.facts.title ?? architecture.name }
  }

  private let entries: [Entry]
  private let pages: Bool

  /// The page of `entries`, by family in their order; with `pages`, each has a page of its own beside this one, `NAME.html`.
  public init(_ entries: [Entry], pages: Bool) { (self.entries, self.pages) = (entries, pages) }

  /// The file, which needs nothing else, but for the pages beside it.
  public var text: String {
    var families: [(name: String, members: [Entry])] = []
    for entry in entries {
      if let index = families.firstIndex(where: { $0.name == entry.family }) {
        families[index].members.append(entry)
      } else {
        families.append((entry.family, [entry]))
      }
    }
    let summary =
      "\(Self.count(entries.count, "model", "models")) of \(Self.count(families.count, "family", "families")), each drawn from its composed plan."
    let timeline = PartTimeline(entries)
    let header = Markup.element(
      "header",
      [
        .element("h1", "Architectures"), .element("p", ["class": "subtitle"], Markup(summary)),
        GalleryForm(entries).markup,
      ])
    let body = [
      header, difference, .element("main", ["class": "gallery"], families.map { card($0.name, $0.members) }),
      timeline.markup,
    ]
    return Page(
      title: "Architectures", summary: summary, body: body, style: Self.style + PartTimeline.style,
      script: GalleryScript(entries).text
    ).text
  }

  private static func count(_ number: Int, _ one: String, _ many: String) -> String {
    "\(number) \(number == 1 ? one : many)"
  }

  /// Where two models that were chosen are compared.
  private var difference: Markup {
    .element(
      "section", ["id": "difference", "class": "details", "hidden": "hidden", "aria-live": "polite"],
      [
        .element("h2", "Compared"), .element("p", .element("code", "")),
        .element("table", [.element("thead", .element("tr", "")), .element("tbody", "")]),
      ])
  }

  private func card(_ family: String, _ members: [Entry]) -> Markup {
    // What most members are made of stands for all.
    let kinds = Dictionary(members.map { ($0.madeOf, 1) }, uniquingKeysWith: +)
    let usual = members.enumerated().max {
      (kinds[$0.element.madeOf] ?? 0, -$0.offset) < (kinds[$1.element.madeOf] ?? 0, -$1.offset)
    }
    guard let typical = usual?.element else { return .nothing }
    let years = members.compactMap(\.architecture.facts.year)
    let span = Set([years.min(), years.max()].compactMap { $0 }).sorted().map(String.init).joined(separator: "–")
    return .element(
      "article", ["data-family": family],
      [
        .element("h2", [Markup.name(family), .element("small", Markup(span))]),
        .element("p", ["class": "subtitle"], Markup(members.count == 1 ? "" : "drawn: \(typical.title)")),
        drawing(typical),
        .element("ul", typical.madeOf.map { .element("li", Markup($0)) }),
        .element("ol", members.map(item)),
      ])
  }

  /// A model of a family.
  private func item(_ entry: Entry) -> Markup {
    let architecture = entry.architecture
    let year = architecture.facts.year
    let words =
      [entry.title, architecture.name, entry.family, architecture.facts.licence ?? "", year.map(String.init) ?? ""]
      + entry.madeOf + entry.choices.used.map(\.name).sorted()
    let details = [
      year.map(String.init), "\(architecture.layers.count) layers", "\(architecture.shape.hiddenSize.readable) wide",
    ]
    let name = Markup(entry.title)
    return .element(
      "li",
      [
        "data-text": words.joined(separator: " ").lowercased(), "data-size": String(entry.parameterCount),
        "data-year": String(year ?? 0), "data-parts": "|" + entry.parts.map(\.name).joined(separator: "|") + "|",
        "title": details.compactMap { $0 }.joined(separator: " · "),
      ],
      [
        .element(
          "input",
          [
            "type": "checkbox", "value": architecture.name, "aria-label": "compare \(architecture.name)",
            "hidden": "hidden",
          ]),
        pages ? .element("a", ["href": "\(architecture.name).html"], name) : .element("span", name),
        .element("small", Markup(Quantity.short(entry.parameterCount))),
      ])
  }

  /// The layer that stands most often.
  private func drawing(_ entry: Entry) -> Markup {
    let kinds = Diagram(entry.sketch).stack(nil).sections.filter { !$0.layers.isEmpty }
    let counts = Dictionary(entry.architecture.layerKinds.map { ($0, 1) }, uniquingKeysWith: +)
    let count = { (section: Diagram.Section) in
      section.layers.reduce(0) { $0 + (counts[entry.architecture.layerKinds[$1]] ?? 0) }
    }
    guard
      let section = kinds.enumerated().max(by: { (count($0.element), -$0.offset) < (count($1.element), -$1.offset) })?
        .element
    else { return .nothing }
    let branches = ColumnLayout(section.nodes).branchCount
    let style = branches > 1 ? DrawingStyle.smallParallel : .small
    let others = kinds.count > 1 ? " of \(entry.architecture.layers.count)" : ""
    let frame = SectionDrawing.Frame(letter: "", title: "× \(count(section))\(others)", subtitle: "")
    let names = NodeNames(entry.choices, layers: section.layers)
    let drawing = SectionDrawing(section, names: names, style: style, frame: frame)
    return .svg(
      width: drawing.width, height: drawing.height, title: "a layer of \(entry.architecture.name)",
      description: section.inWords(names), drawing.markup())
  }

  private static let style = """
    .gallery ol { list-style: none; margin: 10px 0 0; padding: 6px 0 0; border-top: 1px solid var(--rule); font-size: 13px; }
    .gallery ol li { display: flex; gap: 6px; align-items: baseline; border: 0; padding: 1px 0; font-size: 13px;
      color: inherit; }
    .gallery ol small { margin-left: auto; font: 11.5px var(--mono); white-space: nowrap; color: var(--soft); }
    .gallery ol input { padding: 0; margin: 0; flex: none; }

    """
}
