import Components
import Conformance
import Probing
import TestSupport
import Testing

@Suite("names of a plan's values and parts")
struct ProbeMapTests {
  @Test("every value has one name, and heads, sublayers and layers have theirs")
  func names() throws {
    let map = ProbeMap(try TinyModel("position=rope").plan)
    #expect(Set(map.values.map(\.name)).count == map.values.count)
    let written = map.plan.steps.reduce(0) { $0 + $1.outputs.count }
    #expect(map.values.count >= written)
    let names = map.values.map(\.name)
    for name in [
      "embed", "embed.tokens", "layers.0.input", "layers.0.attn.q", "layers.0.attn.q.rope", "layers.0.attn.k.rope",
      "layers.0.attn.attend", "layers.0.attn", "layers.0.attn_residual", "layers.1.mlp", "layers.1.output", "logits",
    ] { #expect(names.contains(name), "\(name)") }
    #expect(try map.parts(of: .layer).map(\.name) == ["layers.0", "layers.1"])
    #expect(try map.parts(of: .head).count == 8)
    #expect(
      try map.parts(of: .sublayer).map(\.name) == ["layers.0.attn", "layers.0.mlp", "layers.1.attn", "layers.1.mlp"])
  }

  @Test("a star is any word, and a part comes before a value of its name")
  func patterns() throws {
    let map = ProbeMap(try TinyModel().plan)
    #expect(try map.parts(named: "layers.*.attn").map(\.kind) == [.sublayer, .sublayer])
    #expect(try map.parts(named: "layers.1.attn.head.*").count == 4)
    #expect(try map.values(named: "layers.*.attn.q").count == 2)
    #expect(throws: ProbeProblem.self) { try map.parts(named: "layers.7") }
    #expect(throws: ProbeProblem.self) { try map.parts(named: "layers.*.*.*.*.*") }
  }

  @Test("what nothing is called is told with what there is, in a sentence")
  func refusals() throws {
    let map = ProbeMap(try TinyModel().plan)
    let problem = try #require(throws: ProbeProblem.self) { try map.parts(named: "layers.0.atn") }
    #expect(
      problem.description.hasPrefix("nothing in the model is named 'layers.0.atn' (did you mean 'layers.0.attn'?); "))
    #expect(problem.description.contains("layers.*.attn.head.*, ") && !problem.description.contains("layers.1."))
    #expect(throws: ProbeProblem.self) { try map.values(named: "attn") }
    let none = ProbeMap(try TinyModel("attention={type: short_conv}").plan)
    let headless = try #require(throws: ProbeProblem.self) { try none.parts(of: .head) }
    #expect(
      headless.description.hasSuffix("has no heads that can be changed by themselves; it has sublayers or layers"))
  }
}
