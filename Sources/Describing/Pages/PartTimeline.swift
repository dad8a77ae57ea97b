/// When the parts of a zoo's models appeared, and how many families took each up in which year.
///
/// A family's year is that of its paper or of its weights, so it shows the models of the zoo, not who was first anywhere.
struct PartTimeline {
  /// A part, and the families that had it first in a year.
  struct Row {
    let part: ModelFeature
    let families: [(year: Int, names: [String])]
    var first: Int { families.first?.year ?? 0 }
    var count: Int { families.reduce(0) { $0 + $1.names.count } }
  }

  let rows: [Row]
  private let years: ClosedRange<Int>

  /// The parts of `entries`, but for those that every family has.
  init(_ entries: [GalleryPage.Entry]) {
    var found: [ModelFeature: [String: Int]] = [:]
    var groups: [String] = []
    for entry in entries {
      guard let year = entry.architecture.facts.year else { continue }
      for part in entry.parts {
        if !groups.contains(part.group) { groups.append(part.group) }
        found[part, default: [:]][entry.family] = min(year, found[part]?[entry.family] ?? .max)
      }
    }
    let all = Set(entries.filter { $0.architecture.facts.year != nil }.map(\.family)).count
    rows = found.filter { $0.value.count < all || all == 1 }.map { part, families in
      let byYear = Dictionary(grouping: families.keys) { families[$0] ?? 0 }
      return Row(part: part, families: byYear.keys.sorted().map { ($0, (byYear[$0] ?? []).sorted()) })
    }
    .sorted {
      let groups = [$0, $1].map { row in groups.firstIndex(of: row.part.group) ?? 0 }
      return (groups[0], $0.first, $0.part.name) < (groups[1], $1.first, $1.part.name)
    }
    let known = rows.flatMap { $0.families.map(\.year) }
    years = (known.min() ?? 2017)...(known.max() ?? 2017)
  }

  private static let (label, column, line, note, top) = (170.0, 54.0, 21.0, 300.0, 4.0)

  static let style = """
    .timeline { overflow-x: auto; }
    .timeline svg { max-width: none; }
    .timeline text { font: 12px var(--mono); fill: currentColor; }
    .timeline .soft { fill: var(--soft); }
    .timeline .group { font-weight: 650; }
    .timeline circle { fill: var(--edge); opacity: 0.75; }
    .timeline path { stroke: var(--rule); stroke-width: 1; fill: none; }

    """

  var markup: Markup {
    if rows.isEmpty { return .nothing }
    let width = Self.label + Self.column * Double(years.count) + Self.note
    var marks: [Markup] = []
    var y = Self.top
    var group = ""
    for row in rows {
      if row.part.group != group {
        group = row.part.group
        marks.append(text(group, 4, y + 14, "group"))
        for (offset, year) in years.enumerated() {
          marks.append(text("\(year)", Self.label + Self.column * (Double(offset) + 0.5), y + 14, "soft centered"))
        }
        y += Self.line
      }
      marks += self.marks(row, y + Self.line / 2)
      y += Self.line
    }
    return .element(
      "section", ["class": "timeline part-mixer"],
      [
        .element("h2", "When parts appeared"),
        .element(
          "p", ["class": "subtitle"],
          "A dot for the families of this zoo that had a part first in a year, by the years of their papers; its area is their number."
        ),
        .svg(
          width: width, height: y + 8, title: "when each part appeared, and in how many families",
          description: rows.map(Self.words).joined(separator: "; "), marks),
      ])
  }

  private static func words(_ row: Row) -> String {
    "\(row.part.name): \(row.families.first?.names.first ?? "") \(row.first), \(row.count) families"
  }

  private func marks(_ row: Row, _ y: Double) -> [Markup] {
    let x = { (year: Int) in Self.label + Self.column * (Double(year - years.lowerBound) + 0.5) }
    let end = Self.label + Self.column * Double(years.count)
    var marks = [
      text(row.part.name, 14, y + 4, ""),
      .element("path", ["d": "M\(coordinate(x(row.first))) \(coordinate(y))H\(coordinate(end))"]),
    ]
    for (year, names) in row.families {
      let radius = min(9, 2 + 1.6 * Double(names.count).squareRoot())
      marks.append(
        .element(
          "g",
          [
            .element("title", Markup("\(row.part.name), \(year): \(names.joined(separator: ", "))")),
            .element(
              "circle", ["cx": coordinate(x(year)), "cy": coordinate(y), "r": coordinate(radius)]),
          ]))
    }
    let first = row.families.first?.names.first ?? ""
    let others = row.count - 1
    let note = others == 0 ? first : "\(first), then \(others) \(others == 1 ? "family" : "families")"
    return marks + [text(note, end + 10, y + 4, "soft")]
  }

  private func text(_ words: String, _ x: Double, _ y: Double, _ style: String) -> Markup {
    .element("text", ["class": style, "x": coordinate(x), "y": coordinate(y)], Markup(words))
  }
}
