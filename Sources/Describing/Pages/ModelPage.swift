import Components
import Composition
import Specification

/// A model as a page: its drawing, its layers, where its parameters are, what is known about it, and its file.
public struct ModelPage: Sendable {
  private let sheet: ModelSheet
  private let weights: [(format: String, bytes: Int)]

  /// The page of `sheet`; `weights` are the bytes of its tensors by the name of their storage.
  public init(_ sheet: ModelSheet, weights: [(format: String, bytes: Int)]) {
    self.sheet = sheet
    self.weights = weights
  }

  /// The file, which needs nothing else.
  public var text: String {
    let architecture = sheet.architecture
    let title = architecture.facts.title ?? architecture.name
    let facts = FactSheet(sheet: sheet, weights: weights)
    let details = [
      section("Components and their options", "details", [facts.parts]), section("The file", "details", file),
    ]
    // Beside a long column there is room for everything.
    let isLong = sheet.diagram.stack(nil).sections.count { !$0.layers.isEmpty } > 1
    let body: [Markup] = [
      .element(
        "header", [.element("h1", Markup(title)), .element("p", ["class": "subtitle"], Markup(subtitle(title)))]),
      .element(
        "main",
        [
          .element(
            "div", ["class": "model"],
            [
              section("The block", "drawing", [ModelDrawing(sheet: sheet).markup]),
              .element(
                "div", ["class": "side"],
                [
                  section("Figures", "", [facts.figures, facts.about]),
                  section("Layers", "", [LayerStrip(sheet: sheet).markup]),
                  section("Parameters", "", [Treemap(sheet.plan).markup, facts.costs]),
                  section("Memory", "", [facts.memory]),
                ] + (isLong ? details : [])),
            ])
        ] + (isLong ? [] : details)),
      .element("footer", .element("p", "Written by chimera show from the composed plan; no weights were read.")),
    ]
    return Page(title: "\(title) · architecture", summary: summary(title), body: body).text
  }

  private func subtitle(_ title: String) -> String {
    let architecture = sheet.architecture
    return [
      title == architecture.name ? nil : architecture.name, architecture.family.map { "family \($0)" },
      architecture.facts.year.map(String.init),
    ].compactMap { $0 }.joined(separator: " · ")
  }

  private func summary(_ title: String) -> String {
    "\(title): \(Quantity.short(sheet.footprint.parameterCount)) parameters in \(sheet.plan.shape.layerCount) layers."
  }

  /// What the merged file says of the model, and folded away, what it says of checkpoints.
  private var file: [Markup] {
    let tree = sheet.architecture.resolved
    let shaping = Setting(.group((tree.entries ?? []).filter { !Self.bindingKeys.contains($0.key) }))
    let bindings = Setting(.group((tree.entries ?? []).filter { Self.bindingKeys.contains($0.key) }))
    var pieces = [HighlightedYAML(shaping).markup]
    if !(bindings.entries ?? []).isEmpty {
      pieces.append(
        .element(
          "details", [.element("summary", "How its checkpoints are read"), HighlightedYAML(bindings).markup]))
    }
    return pieces
  }

  private static let bindingKeys: Set<String> = ["tokenizer", "chat", "checkpoint", "config", "gguf"]
}

/// A part of a page under a heading.
func section(_ title: String, _ name: String, _ pieces: [Markup]) -> Markup {
  .element("section", ["class": name], [.element("h2", Markup(title))] + pieces)
}
