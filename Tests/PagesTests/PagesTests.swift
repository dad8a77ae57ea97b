import Components
import Composition
import Models
import Describing
import Specification
import StandardComponents
import TestSupport
import Testing

@Suite("pages")
struct PagesTests {
  static let names: [String] = ((try? Here.models())?.catalog.models() ?? []).map(\.name)

  private func sheet(_ name: String, _ changes: String...) throws -> ModelSheet { try sheet(name, changes) }

  private func sheet(_ name: String, _ changes: [String]) throws -> ModelSheet {
    let models = try Here.models()
    let described = try models.describe(name, patches: Overrides(changes).patches)
    return ModelSheet(described.architecture, described.choices, described.plan)
  }

  private func page(_ name: String, _ changes: String...) throws -> String {
    ModelPage(try sheet(name, changes), weights: [("f32", 4)]).text
  }

  private func diff(_ a: String, _ b: String) throws -> String {
    let (first, second) = (try sheet(a), try sheet(b))
    let patch = ArchitectureDiff.patch(from: first.architecture, to: second.architecture)
    return DiffPage(
      first, second, names: (a, b), diff: ArchitectureDiff(first, second), patch: patch, others: Setting(.group([]))
    ).text
  }

  /// What every page must be: well-formed, whole in itself, and told in words too.
  private func check(_ text: String, _ name: String) throws -> ParsedPage {
    let page = try #require(ParsedPage(text), "\(name) is well-formed")
    for (element, attributes) in page.elements {
      #expect(attributes["src"] == nil && element != "link" && element != "img", "\(name) loads nothing")
      #expect(attributes["href"] == nil || element == "a")
    }
    #expect(!text.contains("url(") && !text.contains("@import"), "\(name) loads nothing")
    #expect(page.drawingsWithoutTitle == 0, "every drawing of \(name) has a title")
    // Faces differ: 11 pixels of a wide monospaced one are 6.7 a character, a proportional one is narrower.
    for text in page.texts {
      let width = Double(text.words.count) * (text.styles.contains("detail") ? 6.7 : 6.2)
      let left =
        text.styles.contains("ending") ? text.x - width : text.styles.contains("centered") ? text.x - width / 2 : text.x
      #expect(left >= -2 && left + width <= text.canvas.width + 4, "'\(text.words)' of \(name) is cut off")
      #expect(text.y > 0 && text.y <= text.canvas.height, "'\(text.words)' of \(name) stands in its drawing")
    }
    return page
  }

  @Test("every model of the zoo has a page that is well-formed, loads nothing, and cuts no word off", arguments: names)
  func models(_ name: String) throws {
    let page = try check(try self.page(name), name)
    #expect(page.words.contains(try sheet(name).footprint.parameterCount.grouped))
  }

  @Test(
    "two models stand side by side",
    arguments: [("gpt2-xl", "llama-7b"), ("gpt1", "tiny-hybrid"), ("tiny-hybrid", "gpt-j-6b"), ("gpt2", "gpt2")])
  func differences(_ a: String, _ b: String) throws {
    let text = try diff(a, b)
    _ = try check(text, "\(a) and \(b)")
    #expect(text.contains("class=\"ring\"") == (a != b), "what differs is ringed, and nothing else")
  }

  @Test("sizes alone ring nothing, and a part that changes is ringed alone")
  func rings() throws {
    let sizes = try diff("gpt2", "gpt2-medium")
    #expect(!sizes.contains("class=\"ring\""))
    func count(_ changes: String...) throws -> Int {
      let (first, second) = (try sheet("gpt2"), try sheet("gpt2", changes))
      let text = DiffPage(
        first, second, names: ("a", "b"), diff: ArchitectureDiff(first, second), patch: nil, others: Setting(.group([]))
      ).text
      return text.split(separator: "class=\"ring\"").count - 1
    }
    // What differs has a ring on both sides, and with more that differs there are more.
    let mlp = try count("mlp.activation=relu")
    #expect(mlp > 0 && mlp.isMultiple(of: 2))
    #expect(try count("mlp.activation=relu", "norm=rmsnorm") > mlp)
  }

  @Test("what a file says is text, never markup")
  func escaped() throws {
    let text = try page("gpt2", "facts.title=\"<script>alert(1)</script> & more\"")
    #expect(!text.contains("<script>") && text.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; more"))
    _ = try check(text, "an odd title")
  }

  @Test("the story of GPT and LLaMA tells itself")
  func story() throws {
    let diff = ArchitectureDiff(try sheet("gpt2-xl"), try sheet("llama-7b"))
    let told = Dictionary(uniqueKeysWithValues: diff.story.map { ($0.group, $0.changes) })
    #expect(told["position"] == ["learned → rope"])
    #expect(told["norm"]?.contains("layernorm → rmsnorm") == true)
    #expect(told["attention"]?.contains("bias dropped") == true)
    #expect(told["mlp"]?.suffix(3) == ["now gated", "bias dropped", "activation gelu_tanh → silu"])
    #expect(told["head"] == ["no longer tied"])
    #expect(told["costs"]?.first == "parameters 1.56B → 6.74B (× 4.33)")
    #expect(ArchitectureDiff(try sheet("gpt1"), try sheet("gpt2")).story.first?.changes == ["placement post → pre"])
  }

  @Test("the growth of a cost is drawn, and told in words and numbers")
  func scaling() throws {
    let points = [64, 128, 4096].map { size in
      let time = Double(size) * 1e-4
      return ScalingPage.Point(
        size: size, seconds: (time, 0.9 * time, 1.4 * time), expected: 0.8e-4 * Double(size).squareRoot(),
        isBoundByMemory: size < 100)
    }
    let curve = ScalingPage.Curve(title: "A prompt", axis: "tokens", points: points)
    let growth = try #require(curve.growth)
    #expect(abs(growth.measured - 1) < 1e-9 && abs(growth.expected - 0.5) < 1e-9)
    let alone = ScalingPage.Curve(title: "Alone", axis: "tokens", points: Array(points.prefix(1)))
    #expect(alone.growth == nil)
    let text = ScalingPage(model: "a<b", setting: "f32 weights", curves: [curve, alone]).text
    let page = try check(text, "scaling")
    #expect(page.words.contains("the time grows as their power 1.00, and is expected to as 0.50"))
    #expect(page.elements.count { $0.name == "circle" } == 4)
  }

  @Test("the gallery has a card for each family with its sizes, and a row for each part that appeared")
  func gallery() throws {
    let models = try Here.models()
    let composer = Composer(Standard.kit.registry)
    let names = ["gpt2", "gpt2-xl", "llama-7b", "llama-3.1-8b"]
    let entries = try names.map { name in
      let described = try models.describe(name)
      let assembly = try composer.assemble(described.architecture)
      let parts = described.choices.used.map { ModelFeature(group: $0.slot.rawValue, name: $0.name) }
      return GalleryPage.Entry(
        described.architecture, choices: assembly.choices, sketch: try assembly.sketch(), parameterCount: 1_000_000,
        madeOf: ["some & <words>"], parts: parts.sorted { $0.name < $1.name })
    }
    let text = GalleryPage(entries, pages: true).text
    let page = try check(text, "the gallery")
    let families = try Set(names.map { try models.describe($0).architecture.family })
    #expect(page.elements.count { $0.name == "article" } == families.count)
    #expect(page.elements.count { $0.name == "li" && $0.attributes["data-size"] == "1000000" } == names.count)
    #expect(page.elements.filter { $0.name == "a" }.map { $0.attributes["href"] } == names.map { "\($0).html" })
    #expect(page.texts.contains { $0.words == "rope" } && page.texts.contains { $0.words == "2019" })
    // Both families have a head; it tells nothing.
    #expect(!page.texts.contains { $0.words == "head" })
    #expect(text.contains("\"attention.num_heads\":\"25\""))
    #expect(!GalleryPage(entries, pages: false).text.contains(".html\">"))
  }
}
