import Components
import Composition
import Specification

/// Two models as a page: the story of what became of each part, both drawn side by side, every differing value, and the
/// YAML that makes the second of the first.
public struct DiffPage: Sendable {
  private let first: ModelSheet
  private let second: ModelSheet
  private let names: (String, String)
  private let diff: ArchitectureDiff
  private let patch: Setting?
  private let others: Setting

  /// The page of `diff` between `first` and `second`, called `names`.
  ///
  /// `patch` composes the second model; nil when no file can say it. `others` is what differs besides what is composed.
  public init(
    _ first: ModelSheet, _ second: ModelSheet, names: (String, String), diff: ArchitectureDiff, patch: Setting?,
    others: Setting
  ) {
    self.first = first
    self.second = second
    self.names = names
    self.diff = diff
    self.patch = patch
    self.others = others
  }

  /// The file, which needs nothing else.
  public var text: String {
    let title = "\(names.0) → \(names.1)"
    var body: [Markup] = []
    if diff.composesTheSame {
      let isSame = (others.entries ?? []).isEmpty
      let sentence = isSame ? "They are the same model." : "They compose the same model. Other differences:"
      body.append(
        section(
          "What changed", "", [.element("p", Markup(sentence)), isSame ? .nothing : HighlightedYAML(others).markup]))
    } else {
      body.append(section("What changed", "", [story]))
    }
    body.append(
      section(
        "Side by side", "",
        [
          DiffDrawing(first: first, second: second).markup,
          .element("p", ["class": "note"], "A ring marks a different component, not merely a different size."),
        ]))
    if !diff.rows.isEmpty { body.append(section("Every difference", "", [table])) }
    if !diff.composesTheSame, let patch {
      body.append(
        section("The YAML that turns \(names.0) into \(names.1)", "", [HighlightedYAML(patch).markup]))
    }
    let header = Markup.element(
      "header", [.element("h1", Markup(title)), .element("p", ["class": "subtitle"], Markup(subtitle))])
    let footer = Markup.element(
      "footer", .element("p", "Written by chimera diff from the composed plans; no weights were read."))
    return Page(title: title, summary: subtitle, body: [header, .element("main", body), footer]).text
  }

  private var subtitle: String {
    [first, second].map { sheet in
      let facts = sheet.architecture.facts
      let words = [
        facts.title ?? sheet.architecture.name, facts.year.map(String.init),
        Quantity.short(sheet.footprint.parameterCount),
      ]
      return words.compactMap { $0 }.joined(separator: ", ")
    }.joined(separator: " → ")
  }

  private var story: Markup {
    .element(
      "dl", ["class": "story"],
      diff.story.map { line in
        .element(
          "div", ["class": FactSheet.kind(ofGroup: line.group).styleClass],
          [
            .element("dt", Markup(line.group)),
            .element("dd", line.changes.map { .element("span", Markup($0)) }),
          ])
      })
  }

  private var table: Markup {
    var rows: [Markup] = []
    var group = ""
    for row in diff.rows {
      if row.group != group, !row.key.isEmpty {
        rows.append(
          .element(
            "tr", ["class": "group"], [.element("th", ["colspan": "3", "scope": "rowgroup"], Markup(row.group))]))
      }
      let cells = [row.first, row.second].map { Markup.element("td", Markup($0 ?? "–")) }
      let isGroup = row.key.isEmpty
      rows.append(
        .element(
          "tr", ["class": isGroup ? "group" : ""],
          [.element("th", ["scope": "row"], Markup(isGroup ? row.group : row.key))] + cells))
      group = row.group
    }
    let head = ["", names.0, names.1].map { Markup.element("th", ["scope": "col"], Markup($0)) }
    return .element(
      "div", ["class": "scroll"],
      [
        .element(
          "table", ["class": "differences"],
          [.element("thead", .element("tr", head)), .element("tbody", rows)])
      ])
  }
}
