import Components
import Composition
import Describing
import Testing

@Suite("the options that take effect")
struct ArchitectureChoicesTests {
  let zoo: ZooModels

  init() throws { zoo = try ZooModels() }

  private func attention(_ sheet: ModelSheet) throws -> ComponentChoice {
    try #require(sheet.choices.layer(0)[.attention])
  }

  @Test("defaults are told, and those that follow from sizes or other options with their values")
  func defaults() throws {
    let attention = try attention(zoo.sheet("gpt2"))
    #expect(attention.value("num_kv_heads")?.integer == 12)
    #expect(attention.value("head_dim")?.integer == 64)
    #expect(attention.value("scale")?.number == 0.125)
    #expect(attention.options.first { $0.path == "num_heads" }?.isSet == true)
    #expect(attention.options.first { $0.path == "num_kv_heads" }?.isSet == false)
    #expect(attention.options.contains { $0.path == "window" } && attention.value("window") == nil)
  }

  @Test("what stands inside a component is told under its key")
  func parts() throws {
    let attention = try attention(zoo.sheet("gpt2", "attention.qk_norm.scope=head"))
    #expect(attention.value("qk_norm.type")?.text == "layernorm")
    #expect(attention.value("qk_norm.eps")?.number == 1e-5)
    let scaled = try #require(zoo.sheet("llama-3.1-8b").choices.layer(0)[.position])
    #expect(scaled.value("scaling.type")?.text == "llama3")
    #expect(scaled.value("scaling.high_freq_factor")?.number == 4)
  }

  @Test("writing a default changes nothing")
  func writtenDefault() throws {
    let plain = try zoo.sheet("gpt2")
    let written = try zoo.sheet("gpt2", "attention.num_kv_heads=12", "attention.scale=auto", "head.scale=1")
    #expect(plain.choices.isEquivalent(to: written.choices))
    let other = try zoo.sheet("gpt2", "attention.num_kv_heads=6")
    #expect(!plain.choices.isEquivalent(to: other.choices))
  }

  @Test("layers that differ only in what has no effect are one kind")
  func kinds() throws {
    let same = try zoo.sheet("gpt2", "layers.overrides=[{layers: 3, attention: {num_kv_heads: 12}}]")
    #expect(same.choices.kinds.count == 1)
    let two = try zoo.sheet("gpt2", "layers.overrides=[{layers: 3, attention: {num_kv_heads: 4}}]")
    #expect(two.choices.kinds.count == 2 && two.choices.kindOfLayer == [0, 0, 0, 1] + [Int](repeating: 0, count: 8))
  }

  @Test("what is used counts parts of components, and no position that every layer replaces")
  func used() throws {
    let used = try zoo.sheet("gpt2").choices.used
    #expect(used.contains(ComponentName(slot: .activation, name: "gelu_tanh")))
    #expect(used.contains(ComponentName(slot: .position, name: "learned")))
    let variant = try zoo.sheet("gpt2", "position=rope", "layers.overrides=[{layers: \"0:\", position: none}]")
    #expect(!variant.choices.used.contains(ComponentName(slot: .position, name: "rope")))
  }
}
