import Components
import Composition
import Testing

@Suite("what a plan costs")
struct FootprintTests {
  let zoo: ZooModels

  init() throws { zoo = try ZooModels() }

  @Test("the parts of GPT-2 are those of its formula")
  func partsOfGPT2() throws {
    let footprint = try zoo.sheet("gpt2").footprint
    let parts = Dictionary(uniqueKeysWithValues: footprint.parts.map { ($0.name.description, $0.parameterCount) })
    // V·d, C·d, L·(4d² + 4d), L·(8d² + 5d) and (2L + 1)·2d with V 50257, C 1024, d 768, L 12; the head is tied.
    #expect(parts["embed.tokens"] == 50257 * 768)
    #expect(parts["embed.positions"] == 1024 * 768)
    #expect(parts["attn"] == 12 * (4 * 768 * 768 + 4 * 768))
    #expect(parts["mlp"] == 12 * (8 * 768 * 768 + 5 * 768))
    #expect(parts["norms"] == 25 * 2 * 768)
    #expect(parts["head"] == 0)
    #expect(footprint.parameterCount == 124_439_808)
  }

  @Test("matrices cost two operations a weight, attention four for each number of each key seen")
  func operations() throws {
    let footprint = try zoo.sheet("gpt2").footprint
    let attention = try #require(footprint.parts.first { $0.name.description == "attn" })
    // Between one key and 1024: per layer and key, 2·768 for q·k, 2·768 for p·v and 5 for each head's softmax.
    #expect(attention.flopsAtContext - attention.flopsAtStart == 12 * 1023 * (4 * 768 + 5 * 12))
    let head = try #require(footprint.parts.first { $0.name.description == "head" })
    #expect(head.flopsAtStart == 2 * 50257 * 768)
  }

  @Test("a window stops the growth of cache and operations")
  func window() throws {
    let full = try zoo.sheet("gpt2").footprint
    let local = try zoo.sheet("gpt2", "attention.window=256").footprint
    #expect(full.stateBytes(in: .f32) == 2 * 12 * 768 * 1024 * 4)
    #expect(local.stateBytes(in: .f32) == 2 * 12 * 768 * 256 * 4)
    #expect(local.flopsAtStart == full.flopsAtStart && local.flopsAtContext < full.flopsAtContext)
  }

  @Test("blocks store matrices, vectors stay whole")
  func weightBytes() throws {
    let footprint = try zoo.sheet("gpt2").footprint
    #expect(footprint.weightBytes(elementsPerBlock: 1, bytesPerBlock: 4) == 4 * 124_439_808)
    // Norms and biases: 25 norms of 2·768, and 4·768 + 5·768 biases a layer.
    let vectors = 25 * 2 * 768 + 12 * 9 * 768
    #expect(
      footprint.weightBytes(elementsPerBlock: 32, bytesPerBlock: 34) == (124_439_808 - vectors) / 32 * 34 + vectors * 4)
  }

  @Test("parts add up to the plan, and so do distinct layers counted once", arguments: ZooModels.names)
  func addsUp(_ name: String) throws {
    let sheet = try zoo.sheet(name)
    #expect(sheet.footprint.parameterCount == sheet.plan.parameterCount)
    #expect(try zoo.composer.parameterCount(of: sheet.architecture) == sheet.plan.parameterCount)
    #expect(sheet.footprint.flopsAtContext == sheet.plan.flopsPerToken(context: sheet.footprint.context))
  }

  @Test("a model whose numbers cannot be counted is refused")
  func tooLarge() throws {
    let architecture = try zoo.loader.load(
      "llama-2-7b",
      patches: ["hidden_size", "vocab_size", "mlp.intermediate_size"].map { path in
        var patch = Setting(.group([]))
        patch[path: path] = Setting(text: "2147483647")
        return patch
      } + [
        Setting(.group([Setting.Entry("attention", Setting(.group([Setting.Entry("head_dim", Setting(text: "64"))])))]))
      ])
    let problems = #expect(throws: Problems.self) { try zoo.composer.compose(architecture) }
    #expect(problems?.list.first?.sentence == "the model is too large: its numbers cannot be counted in 64 bits")
    let counted = #expect(throws: Problems.self) { try zoo.composer.parameterCount(of: architecture) }
    #expect(counted != nil)
  }
}
