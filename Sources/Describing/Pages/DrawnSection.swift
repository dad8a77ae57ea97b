import Components
import Composition

/// A section of a model's drawing by itself: layers that read alike, or what stands before or behind them.
public struct DrawnSection: Sendable {
  /// The layers that it draws; none for what stands outside them.
  public let layers: [Int]
  /// The drawing as SVG, coloured by whoever shows it. The group of the node NAME has the class `named-NAME`.
  public let svg: String
  /// What each node does, line by line, by its name.
  public let words: [String: String]
  /// The component that writes each node, by its name.
  public let components: [String: ComponentChoice]
}

extension ModelSheet {
  /// The model's drawing in its sections, from its tokens to its logits.
  public var drawnSections: [DrawnSection] {
    let sections = diagram.stack(nil).sections
    let layered = sections.filter { !$0.layers.isEmpty }
    let isParallel = layered.contains { ColumnLayout($0.nodes).branchCount > 1 }
    let style = isParallel ? DrawingStyle.narrow : .wide.fitting(layered)
    let width = layered.map { style.width(branches: ColumnLayout($0.nodes).branchCount) }.max()
    return sections.map { section in
      let names = NodeNames(choices.of(section.stack), layers: section.layers)
      let number = layered.firstIndex { $0.layers == section.layers } ?? 0
      let frame =
        section.layers.isEmpty ? nil : ModelDrawing.frame(section, number: number, of: layered.count)
      let drawing = SectionDrawing(
        section, names: names, style: style, width: width ?? style.width(branches: 1), frame: frame,
        marks: section.nodes.map { $0.kind == .sum ? "" : "named-\($0.title)" })
      let title = frame.map { "\($0.letter) \($0.title)" } ?? section.nodes.first?.title ?? ""
      let picture = Markup.svg(
        width: drawing.width, height: drawing.height, title: title, description: section.inWords(names),
        drawing.markup())
      let words = section.nodes.filter { $0.kind != .sum }.map { node in
        let lines = node.lines.map { [$0.call, $0.detail].filter { !$0.isEmpty }.joined(separator: " ") }
        return (node.title, lines.joined(separator: "; "))
      }
      let components = section.nodes.compactMap { node in names.component(of: node).map { (node.title, $0) } }
      return DrawnSection(
        layers: section.layers, svg: picture.source, words: Dictionary(words) { first, _ in first },
        components: Dictionary(components) { first, _ in first })
    }
  }
}
