import Components
import Composition
import Describing
import Testing

@Suite("the drawing of a model")
struct DiagramTests {
  let zoo: ZooModels

  init() throws { zoo = try ZooModels() }

  private func text(_ sheet: ModelSheet, width: Int = 100) -> String {
    DiagramText(sheet.diagram, width: width, variants: sheet.architecture.layers.map(\.variant)).text
  }

  /// The layer of a small model with some changes, without its frame, cut after so many columns.
  private func layer(_ changes: String, columns: Int) throws -> [String] {
    let lines = text(try zoo.sheet("stories260K", "block=\(changes)")).split(separator: "\n").map(String.init)
    return lines.filter { $0.hasPrefix("  ║") }.map { line in
      var row = String(line.dropFirst(4).prefix(columns))
      while row.last == " " { row.removeLast() }
      return row
    }
  }

  @Test("a norm before, after the sublayer, or on the line stands where the block puts it")
  func placements() throws {
    let box = [
      "  │  ┌─┴─ attn", "  │  │ q", "  │  │ k, v", "  │  │ rope q,", "  │  │ cache k", "  │  │ attend",
      "  │  │ o", "  │  └─┬──────",
    ]
    let before = ["  ├────╮", "  │    ●  rmsn"]
    #expect(try layer("{placement: pre}", columns: 14).prefix(11) == (before + box + ["  ⊕────╯"])[...])
    #expect(
      try layer("{placement: output}", columns: 14).prefix(11)
        == (["  ├────╮"] + box + ["  │    ●  rmsn", "  ⊕────╯"])[...])
    #expect(
      try layer("{placement: sandwich}", columns: 14).prefix(12)
        == (before + box + ["  │    ●  rmsn", "  ⊕────╯"])[...])
    #expect(
      try layer("{placement: post}", columns: 14).prefix(11)
        == (["  ├────╮"] + box + ["  ⊕────╯", "  ●  rmsnorm"])[...])
  }

  @Test("parallel sublayers leave the same line and join it after one another")
  func parallel() throws {
    let rows = try layer("{parallel: true}", columns: 18)
    #expect(rows.count { $0.contains("⊕") } == 2)
    #expect(rows.suffix(2) == ["  ⊕────╯    │", "  ⊕─────────╯"])
    #expect(rows.contains("  ├────┼────╮"), "the second branch passes the first's result")
    let shared = try layer("{parallel: true, shared_norm: true}", columns: 18)
    #expect(shared.count { $0.contains("●") } == 1)
    #expect(shared.contains("  │    ├────╮"), "the norm goes to one")
    #expect(shared.contains("  │    ╰────┼────╮"), "and to the other")
  }

  @Test("a factor on the branch is written beside the sum")
  func factor() throws {
    let lines = text(try zoo.sheet("stories260K", "block.residual_scale=0.5")).split(separator: "\n")
    #expect(lines.count { $0.contains("⊕────╯  beta 0.5") } == 2)
  }

  @Test("distinct layers are drawn once each, under a strip that says where they stand")
  func pattern() throws {
    let drawing = text(try zoo.sheet("tiny-hybrid"))
    #expect(drawing.contains("│  layers  ABBC BBBC BBBD\n"))
    #expect(drawing.contains("══ B × 8: layers 1–2, 4–6, 8–10 · local ═"))
    #expect(drawing.contains("══ D: layer 11 · global ═"))
    #expect(drawing.split(separator: "\n").count { $0.hasPrefix("  ╔") } == 4)
  }

  @Test("of a model whose every layer differs only some are drawn, and the rest counted")
  func manyKinds() throws {
    let changes = (0..<12).map { "{layers: \($0), mlp: {intermediate_size: \(64 + $0)}}" }.joined(separator: ", ")
    let drawing = text(try zoo.sheet("gpt2", "layers.overrides=[\(changes)]"))
    #expect(drawing.split(separator: "\n").count { $0.hasPrefix("  ╔") } == DiagramText.drawnKinds)
    #expect(drawing.contains("and 8 more kinds of layers"))
    #expect(drawing.contains("layers  ABCDEFGH IJKL"))
  }

  /// The parts of the box `title` in the layers of `name` that stand most often.
  private func parts(_ title: String, of name: String) throws -> Diagram.Section {
    let layers = try zoo.sheet(name).diagram.sections.max { $0.layers.count < $1.layers.count }
    return try #require(layers?.nodes.first { $0.title == title }?.inner)
  }

  @Test("experts are one box of several, behind their router and beside what every token meets")
  func experts() throws {
    let nodes = try parts("moe", of: "deepseek-v3").nodes
    #expect(nodes.map(\.title) == ["router", "experts", "shared expert", ""])
    #expect(nodes.map(\.kind) == [.box, .box, .box, .sum])
    #expect(nodes.map(\.inputs) == [[0], [1, 0], [0], [2, 3]])
    #expect(nodes.map { $0.stack.map { [$0.chosen, $0.count] } } == [nil, [8, 256], nil, nil])
    // Three matrices of 7168 × 2048 each.
    #expect(nodes[1].parameterCount == 256 * 3 * 7168 * 2048)
    let drawing = text(try zoo.sheet("deepseek-v3"))
    #expect(drawing.contains("┌─┴─ 8 of 256 experts ─") && drawing.contains("─ 256 × 44,040,192 ─"))
    #expect(drawing.contains("├────┤"), "experts read the router and the token")
    let without = try parts("moe", of: "gpt-oss-20b").nodes
    #expect(without.map(\.title) == ["router", "experts"])
  }

  @Test("latent attention shows what is made, what is kept of a token, and what reads it")
  func latent() throws {
    let nodes = try parts("attn", of: "deepseek-v3").nodes
    #expect(nodes.map(\.title) == ["queries", "latent", "heads", ""])
    #expect(nodes.map(\.inputs) == [[0], [0], [1, 2], [3]])
    // A latent of 512 numbers and a key of 64 that turns.
    #expect(nodes[2].lines.first?.call == "cache latent" && nodes[2].lines.first?.detail == "576 a token")
    let drawing = text(try zoo.sheet("deepseek-v3"))
    #expect(drawing.contains("├────╯"), "the heads read the latent from the rail to their right")
  }

  @Test("what attention keeps is told, and for how long")
  func kept() throws {
    let section = try #require(try zoo.sheet("gpt-oss-20b").diagram.sections.first { !$0.layers.isEmpty })
    let lines = try #require(section.nodes.first { $0.title == "attn" }).lines
    #expect(lines.contains { $0.call == "cache k, v" && $0.detail == "512 a token, of the last 128" })
  }

  @Test("everything that is learned is drawn, frames close, and no line is too long", arguments: ZooModels.names)
  func complete(_ name: String) throws {
    let sheet = try zoo.sheet(name)
    for section in sheet.diagram.sections {
      #expect(section.nodes.reduce(0) { $0 + $1.parameterCount } == section.parameterCount)
    }
    for width in [80, 100] {
      let lines = text(sheet, width: width).split(separator: "\n")
      #expect(lines.allSatisfy { $0.count <= width })
      let framed = lines.filter { ["╔", "║", "╚"].contains($0.dropFirst(2).first) }
      // Each stack is drawn as wide as it needs.
      #expect(Set(framed.map(\.count)).count <= sheet.diagram.stacks.count, "the right edge of frames is one line")
      #expect(framed.allSatisfy { ["╗", "║", "╝"].contains($0.last) })
    }
  }
}
