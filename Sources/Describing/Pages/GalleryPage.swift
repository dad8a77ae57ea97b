import Components
import Composition
import Specification

/// The models of a zoo as a page of small drawings, which can be searched where scripts run and read where they do not.
public struct GalleryPage: Sendable {
  /// A model of the gallery.
  public struct Entry: Sendable {
    let architecture: Architecture
    let choices: ArchitectureChoices
    let sketch: Plan
    let parameterCount: Int
    let madeOf: [String]

    /// The model of `architecture`: `sketch` is its plan with each distinct layer once, `madeOf` what it is made of in a
    /// few words a part.
    public init(
      _ architecture: Architecture, choices: ArchitectureChoices, sketch: Plan, parameterCount: Int, madeOf: [String]
    ) {
      self.architecture = architecture
      self.choices = choices
      self.sketch = sketch
      self.parameterCount = parameterCount
      self.madeOf = madeOf
    }
  }

  private let entries: [Entry]

  /// The page of `entries`, in their order.
  public init(_ entries: [Entry]) { self.entries = entries }

  /// The file, which needs nothing else.
  public var text: String {
    let families = Set(entries.compactMap(\.architecture.family))
    let summary = "\(entries.count) models of \(families.count) families, each drawn from its composed plan."
    let header = Markup.element(
      "header", [.element("h1", "Architectures"), .element("p", ["class": "subtitle"], Markup(summary)), form])
    let body = [header, .element("main", ["class": "gallery"], entries.map(card))]
    return Page(title: "Architectures", summary: summary, body: body, script: Self.script).text
  }

  private var form: Markup {
    var families: [String] = []
    for family in entries.compactMap(\.architecture.family) where !families.contains(family) { families.append(family) }
    let option = { (value: String, words: String) in Markup.element("option", ["value": value], Markup(words)) }
    // A form that does nothing without its script is not shown without it.
    return .element(
      "form", ["hidden": "hidden", "role": "search"],
      [
        .element(
          "label",
          [
            Markup("Search "),
            .element("input", ["name": "words", "type": "search", "placeholder": "rope, GQA, 2024 …"]),
          ]),
        .element(
          "label",
          [
            Markup("Family "),
            .element(
              "select", ["name": "family"],
              [.element("option", ["value": " "], "all")] + families.map { option($0, $0) }),
          ]),
        .element(
          "label",
          [
            Markup("Size "),
            .element(
              "select", ["name": "size"],
              [
                option(" ", "all"), option("1e9", "up to 1B"), option("1e10", "up to 10B"),
                option("1e11", "up to 100B"),
              ]),
          ]),
        .element("output", ["role": "status"], Markup("\(entries.count) models")),
      ])
  }

  private func card(_ entry: Entry) -> Markup {
    let architecture = entry.architecture
    let title = architecture.facts.title ?? architecture.name
    let words = [title, architecture.name, architecture.family ?? "", architecture.facts.licence ?? ""] + entry.madeOf
    let names = entry.choices.used.map(\.name).sorted()
    let facts = [
      architecture.facts.year.map(String.init), "\(architecture.layers.count) layers",
      "\(architecture.shape.hiddenSize.readable) wide",
    ]
    return .element(
      "article",
      [
        "data-text": (words + names + [architecture.facts.year.map(String.init) ?? ""]).joined(separator: " ")
          .lowercased(),
        "data-family": architecture.family ?? "", "data-size": String(entry.parameterCount),
      ],
      [
        .element(
          "h2", [Markup(title), .element("small", Markup(Quantity.short(entry.parameterCount)))]),
        .element(
          "p", ["class": "subtitle"],
          Markup("\(architecture.name) · \(facts.compactMap { $0 }.joined(separator: " · "))")),
        drawing(entry),
        .element("ul", entry.madeOf.map { .element("li", Markup($0)) }),
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

  private static let script = """
    const form = document.querySelector("form"), cards = [...document.querySelectorAll("article")];
    const show = () => {
      const words = form.words.value.toLowerCase().split(" ");
      const family = form.family.value.trim(), most = Number(form.size.value) || Infinity;
      const shown = cards.filter(card => card.hidden = ![
        words.every(word => card.dataset.text.includes(word)), [card.dataset.family, ""].includes(family),
        most >= Number(card.dataset.size)].every(Boolean)).length;
      form.querySelector("output").textContent = cards.length - shown + " models";
    };
    form.hidden = false;
    form.addEventListener("input", show);
    form.addEventListener("submit", event => event.preventDefault());

    """
}
