import Components
import TestSupport
import Testing

@Suite("names of tensors") struct TensorNameTests {
  @Test(
    "a name's text is read back as the same name",
    arguments: [
      TensorName(layer: 3, path: ["attn", "q", "weight"]), TensorName(path: ["embed", "tokens", "weight"]),
      TensorName(layer: 0, path: ["moe", "experts", "*", "up", "weight"]),
      TensorName(layer: 0, path: ["moe", "experts", "*", "up", "weight"], numbers: [7]), TensorName(layer: 12),
    ])
  func text(name: TensorName) {
    #expect(TensorName(name.text) == name)
  }

  @Test("a name is told by its parts: the layer, the path inside it, and the numbers of several")
  func parts() {
    let name: TensorName = "layers.3.moe.experts.7.up.bias"
    #expect(name.layer == 3 && name.path == ["moe", "experts", "*", "up", "bias"] && name.numbers == [7])
    #expect(name.localText == "moe.experts.7.up.bias" && name.pattern == "layers.*.moe.experts.*.up.bias")
    #expect(name.patternNumbers == [3, 7] && name.isBias && name.owner == "layers.3.moe.experts.7.up")
    #expect(!name.isSeveral && TensorName("layers.3.moe.experts.*.up").isSeveral)
    #expect(TensorName("layers.3.moe.experts.*.up").member(7) == name.owner)
  }

  @Test(
    "what only looks like a layer is none", arguments: ["layers", "layers.x.q", "layers.03.q", "layers.-1.q", "h.3.q"])
  func noLayer(text: String) {
    #expect(TensorName(text).layer == nil && TensorName(text).text == text)
  }

  @Test("a second stack's names begin with the stack, and name other tensors")
  func stacks() {
    let name = TensorName(stack: "image", layer: 0, path: ["mlp"]).appending("up.weight")
    #expect(name.text == "image.layers.0.mlp.up.weight" && name.pattern == "image.layers.*.mlp.up.weight")
    #expect(name.localText == "mlp.up.weight" && name != "layers.0.mlp.up.weight")
    #expect(!name.isBeside("layers.0.mlp.up.weight") && name.isBeside(TensorName(stack: "image", layer: 0)))
  }

  @Test("every tensor, state and scope of a plan that is in a layer says which", arguments: ["gpt2", "mixtral-8x7b"])
  func plans(model: String) throws {
    let plan = try Here.models().describe(model).plan
    for name in plan.parameters.map(\.name) + plan.states.map(\.name) + plan.steps.map(\.scope) {
      #expect((name.layer != nil) == name.text.hasPrefix("layers."), "\(name)")
      #expect(TensorName(name.text) == name)
    }
  }
}
