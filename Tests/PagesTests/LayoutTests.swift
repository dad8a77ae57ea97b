import Components
import Composition
import Models
import Pages
import Specification
import TestSupport
import Testing

@Suite("what drawings are laid out by")
struct LayoutTests {
  private func layers(_ changes: String) throws -> Diagram.Section {
    let plan = try Here.models().describe("stories260K", patches: Overrides(["block=\(changes)"]).patches).plan
    return try #require(Diagram(plan).sections.first { !$0.layers.isEmpty })
  }

  @Test("sublayers one after the other take one column, and stand below each other")
  func serial() throws {
    let layout = ColumnLayout(try layers("{placement: pre}").nodes)
    #expect(layout.columns == [1, 1, 0, 1, 1, 0])
    #expect(layout.levels == [1, 2, 3, 4, 5, 6])
  }

  @Test("parallel sublayers stand side by side, under one norm where they share it")
  func parallel() throws {
    let own = ColumnLayout(try layers("{parallel: true}").nodes)
    #expect(own.columns == [1, 1, 2, 2, 0, 0])
    #expect(own.levels == [1, 2, 1, 2, 3, 4])
    let shared = ColumnLayout(try layers("{parallel: true, shared_norm: true}").nodes)
    #expect(shared.columns == [1, 1, 2, 0, 0])
    #expect(shared.levels == [1, 2, 2, 3, 4])
  }

  @Test("a norm on the line stands on the line")
  func post() throws {
    #expect(ColumnLayout(try layers("{placement: post}").nodes).columns == [1, 0, 0, 1, 0, 0])
  }

  @Test("in a box parts that run beside each other stand side by side, and what reads them all takes the whole width")
  func parts() throws {
    let plan = try Here.models().describe("deepseek-v3").plan
    let layers = try #require(Diagram(plan).sections.max { $0.layers.count < $1.layers.count })
    let layout = { (title: String) in
      ColumnLayout(try #require(layers.nodes.first { $0.title == title }?.inner).nodes, isInside: true)
    }
    let attention = try layout("attn")
    #expect(attention.columns == [1, 2, 0, 0])
    #expect(attention.levels == [1, 1, 2, 3])
    let experts = try layout("moe")
    #expect(experts.columns == [1, 1, 2, 0])
    #expect(experts.levels == [1, 2, 2, 3], "the shared expert stands beside the experts, not beside the router")
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
