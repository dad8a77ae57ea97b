import Components
import Composition
import Models
import Describing
import Specification
import TestSupport
import Testing

@Suite("what drawings are laid out by")
struct LayoutTests {
  private func layers(_ changes: String) throws -> Diagram.Section {
    let plan = try Here.models().describe("stories260K", patches: Overrides(["block=\(changes)"]).patches).plan
    return try #require(Diagram(plan).sections.first { !$0.layers.isEmpty })
  }

  /// Where the node `title` was put: its column, 0 for the whole width, and its level from the top.
  private func place(_ title: String, _ nodes: [Diagram.Node], _ layout: ColumnLayout) throws -> (
    column: Int, level: Int
  ) {
    let index = try #require(nodes.firstIndex { $0.title == title }, "\(title) of \(nodes.map(\.title))")
    return (layout.columns[index], layout.levels[index])
  }

  @Test("sublayers one after the other take one column, and stand below each other")
  func serial() throws {
    let layout = ColumnLayout(try layers("{placement: pre}").nodes)
    #expect(Set(layout.columns.filter { $0 > 0 }).count == 1)
    #expect(zip(layout.levels, layout.levels.dropFirst()).allSatisfy(<))
  }

  @Test("parallel sublayers stand side by side, under one norm where they share it", arguments: [false, true])
  func parallel(_ shared: Bool) throws {
    let nodes = try layers("{parallel: true, shared_norm: \(shared)}").nodes
    let layout = ColumnLayout(nodes)
    let (attention, mlp) = (try place("attn", nodes, layout), try place("mlp", nodes, layout))
    #expect(attention.level == mlp.level)
    #expect(attention.column > 0 && mlp.column > 0 && attention.column != mlp.column)
    #expect(layout.levels.count { $0 < attention.level } == (shared ? 1 : 2), "the norms above them")
    #expect(layout.columns.last == 0 && layout.levels.last == layout.levels.max(), "the sum is below, across both")
  }

  @Test("a norm on the residual stream stands on the residual stream")
  func post() throws {
    let nodes = try layers("{placement: post}").nodes
    let layout = ColumnLayout(nodes)
    for (node, column) in zip(nodes, layout.columns) {
      #expect((column == 0) == !["attn", "mlp"].contains(node.title), "\(node.title)")
    }
  }

  @Test("in a box parts that run beside each other stand side by side, and what reads them all takes the whole width")
  func parts() throws {
    let plan = try Here.models().describe("deepseek-v3").plan
    let layers = try #require(Diagram(plan).sections.max { $0.layers.count < $1.layers.count })
    for title in ["attn", "moe"] {
      let nodes = try #require(layers.nodes.first { $0.title == title }?.inner).nodes
      let layout = ColumnLayout(nodes, isInside: true)
      let beside = layout.columns.indices.filter { layout.columns[$0] == 2 }
      #expect(beside.count == 1 && layout.columns.last == 0, "\(title): \(layout.columns)")
      let level = layout.levels[beside[0]]
      #expect(layout.columns.indices.contains { layout.columns[$0] == 1 && layout.levels[$0] == level })
    }
    let experts = try #require(layers.nodes.first { $0.title == "moe" }?.inner).nodes
    let layout = ColumnLayout(experts, isInside: true)
    #expect(
      layout.levels[2] > layout.levels[0], "the shared expert stands beside the experts, not beside the router")
  }

  @Test("areas are as large as what they stand for, and fill the map")
  func areas() {
    let sizes = [38.0, 21, 13, 8, 8, 5, 3, 2, 1, 1]
    let areas = Treemap.areas(sizes, in: Treemap.Area(x: 0, y: 0, width: 100, height: 100))
    for (size, area) in zip(sizes, areas) {
      // Hundred percent each way: the sizes add up to 100, the map has 10,000 parts. Sums of doubles round.
      #expect(abs(area.width * area.height - size * 100) < 1e-6)
      #expect(area.x >= 0 && area.y >= 0 && area.x + area.width <= 100 + 1e-9 && area.y + area.height <= 100 + 1e-9)
    }
    for (i, a) in areas.enumerated() {
      for b in areas[(i + 1)...] {
        let across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
        let down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
        #expect(across < 1e-9 || down < 1e-9, "areas do not overlap")
      }
    }
  }

  @Test("highlighting changes no character of the YAML")
  func highlighting() throws {
    let tree = try Here.models().describe("tiny-hybrid").architecture.resolved
    let yaml = HighlightedYAML(tree)
    var text = ""
    var isTag = false
    for character in yaml.markup.source {
      if character == "<" { isTag = true }
      if !isTag { text.append(character) }
      if character == ">" { isTag = false }
    }
    for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")] {
      text = text.replacing(entity, with: character)
    }
    #expect(text == yaml.text)
  }
}
