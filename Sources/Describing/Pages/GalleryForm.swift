import Specification

/// By what a gallery is searched and sorted. It is not shown where no script runs.
struct GalleryForm {
  private let families: [String]
  private let parts: [String]
  private let count: Int

  init(_ entries: [GalleryPage.Entry]) {
    families = Set(entries.map(\.family)).sorted()
    parts = Set(entries.flatMap { $0.parts.map(\.name) }).sorted { $0.lowercased() < $1.lowercased() }
    count = entries.count
  }

  var markup: Markup {
    .element(
      "form", ["hidden": "hidden", "role": "search"],
      [
        .element(
          "label",
          [
            Markup("Search "),
            .element("input", ["name": "words", "type": "search", "placeholder": "rope, GQA, 2024 …"]),
          ]),
        choice("Part", "part", [(" ", "all")] + parts.map { ($0, $0) }),
        choice("Family", "family", [(" ", "all")] + families.map { ($0, $0) }),
        choice(
          "Size", "size", [(" ", "all"), ("1e9", "up to 1B"), ("1e10", "up to 10B"), ("1e11", "up to 100B")]),
        choice(
          "Sort", "order",
          [
            ("family", "by name"), ("newest", "newest first"), ("oldest", "oldest first"),
            ("largest", "largest first"), ("smallest", "smallest first"),
          ]),
        .element("output", ["role": "status"], Markup("\(count) models")),
      ])
  }

  private func choice(_ label: String, _ name: String, _ options: [(value: String, words: String)]) -> Markup {
    let options = options.map { Markup.element("option", ["value": $0.value], Markup($0.words)) }
    return .element("label", [Markup(label + " "), .element("select", ["name": name], options)])
  }
}
