import Components
import Composition

/// What is known about a model and what it costs, as a list of terms and as a table by part.
struct FactSheet {
  let sheet: ModelSheet
  /// Bytes of the weights by the name of their storage.
  let weights: [(format: String, bytes: Int)]

  /// What is known.
  var about: Markup {
    let facts = sheet.architecture.facts
    return list([
      ("authors", Markup(facts.authors.joined(separator: ", "))),
      ("paper", Self.linked(facts.paper == "none" ? "" : facts.paper ?? "")),
      ("licence", Markup(facts.licence ?? "")), ("weights", Self.linked(facts.weights ?? "")),
      ("note", Markup(facts.note ?? "")),
    ])
  }

  /// Sizes and costs in large numbers.
  var figures: Markup {
    let (shape, footprint) = (sheet.plan.shape, sheet.footprint)
    let cached = footprint.stateBytesPerToken(in: .bf16)
    let active = sheet.plan.activeParameterCount
    let tiles: [(String, String, String)] = [
      (
        "parameters", Quantity.short(footprint.parameterCount),
        footprint.parameterCount.grouped
          + (active < footprint.parameterCount ? ", \(Quantity.short(active)) active" : "")
      ),
      ("layers", shape.layerCount.readable, "\(shape.hiddenSize.readable) wide"),
      ("context", shape.contextLength.readable, "tokens"),
      ("vocabulary", shape.vocabSize.readable, "tokens"),
      (
        "FLOPs per token", Quantity.operations(footprint.flopsAtStart),
        "\(Quantity.operations(footprint.flopsAtContext)) at \(footprint.context.grouped)"
      ),
      (
        "KV cache per token", cached == 0 ? "none" : Quantity.bytes(cached),
        "\(Quantity.bytes(footprint.stateBytes(in: .bf16))) at \(footprint.context.grouped), in bf16"
      ),
    ]
    return .element(
      "dl", ["class": "figures"],
      tiles.map { term, value, detail in
        .element(
          "div",
          [
            .element("dt", Markup(term)),
            .element("dd", [.element("b", Markup(value)), .element("small", Markup(detail))]),
          ])
      })
  }

  /// Costs by part.
  var costs: Markup {
    let footprint = sheet.footprint
    let rows = footprint.parts.map { part in
      row(
        part.name.description, part.parameterCount == 0 ? "–" : part.parameterCount.grouped,
        part.parameterCount == 0 ? "" : Quantity.share(part.parameterCount, of: footprint.parameterCount),
        Quantity.operations(part.flopsAtStart), Quantity.operations(part.flopsAtContext),
        kind: PartKind(scope: part.name.scope))
    }
    let total = row(
      "total", footprint.parameterCount.grouped, "", Quantity.operations(footprint.flopsAtStart),
      Quantity.operations(footprint.flopsAtContext), kind: nil)
    let active = sheet.plan.activeParameterCount
    let met =
      active == footprint.parameterCount
      ? [] : [row("active", active.grouped, Quantity.share(active, of: footprint.parameterCount), "", "", kind: nil)]
    let head = ["", "parameters", "share", "FLOPs, first token", "at \(footprint.context.grouped)"].map {
      Markup.element("th", ["scope": "col", "class": $0 == "share" ? "share" : ""], Markup($0))
    }
    return .element(
      "div", ["class": "scroll"],
      [
        .element(
          "table", ["class": "costs"],
          [.element("thead", .element("tr", head)), .element("tbody", rows + [total] + met)])
      ])
  }

  /// What the weights take.
  var memory: Markup {
    let cached = sheet.footprint.stateBytes(in: .f32)
    let head = [""] + weights.map(\.format)
    let rows = [("weights", 0), ("with KV cache", cached)].filter {
      $0.1 > 0 || $0.0 == "weights"
    }
    return .element(
      "div", ["class": "scroll"],
      [
        .element(
          "table", ["class": "costs"],
          [
            .element("thead", .element("tr", head.map { .element("th", ["scope": "col"], Markup($0)) })),
            .element(
              "tbody",
              rows.map { name, besides in
                .element(
                  "tr",
                  [.element("th", ["scope": "row"], Markup(name))]
                    + weights.map { .element("td", ["class": "number"], Markup(Quantity.bytes($0.bytes + besides))) })
              }),
          ])
      ])
  }

  /// The components with every option that takes effect.
  var parts: Markup {
    let facts = sheet.facts.filter { $0.group != "costs" && $0.group != "sizes" }
    var groups: [String] = []
    for fact in facts where !groups.contains(fact.group) { groups.append(fact.group) }
    return .element(
      "div", ["class": "parts"],
      groups.map { group in
        let own = facts.filter { $0.group == group }
        let name = own.first { $0.key.isEmpty }?.value ?? ""
        let options = own.filter { !$0.key.isEmpty && $0.value != nil }
        return .element(
          "section", ["class": "part \(Self.kind(ofGroup: group).styleClass)"],
          [
            .element("h3", [Markup(group == name ? group : "\(group): \(name)")]),
            options.isEmpty
              ? .nothing : list(options.map { ($0.key, Markup($0.value ?? "")) }),
          ])
      })
  }

  /// The kind of part that a group of facts is about.
  static func kind(ofGroup group: String) -> PartKind {
    Slot(rawValue: String(group.prefix { $0 != "," })).map { PartKind($0) } ?? .plain
  }

  private func row(_ name: String, _ cells: String..., kind: PartKind?) -> Markup {
    .element(
      "tr", ["class": kind == nil ? "total" : ""],
      [
        .element(
          "th", ["scope": "row"],
          [kind.map { .element("i", ["class": "swatch \($0.styleClass)"]) } ?? .nothing, Markup(name)])
      ]
        + cells.enumerated().map { .element("td", ["class": $0 == 1 ? "number share" : "number"], Markup($1)) })
  }

  private func list(_ terms: [(String, Markup)]) -> Markup {
    let rows = terms.filter { !$0.1.source.isEmpty }.map { term, value in
      Markup.element("div", [.element("dt", .name(term)), .element("dd", value)])
    }
    return rows.isEmpty ? .nothing : .element("dl", ["class": "facts"], rows)
  }

  /// A text that is an address as a link, anything else as it is.
  static func linked(_ text: String) -> Markup {
    guard text.hasPrefix("https://") || text.hasPrefix("http://") else { return Markup(text) }
    let short = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: true).last.map(String.init) ?? text
    return .element(
      "a", ["href": text, "rel": "noreferrer"], Markup(short.hasPrefix("/") ? String(short.dropFirst()) : short))
  }
}
