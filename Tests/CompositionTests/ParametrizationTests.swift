import Components
import Composition
import Specification
import Testing

/// The rules of muP (Tensor Programs V, table 8, the columns of Adam) and of CompleteP (arXiv 2505.01618, table 1), by the
/// kind of tensor. GPT-2 is 768 wide and 12 layers deep.
@Suite("parametrizations") struct ParametrizationTests {
  private func tensors(_ changes: String...) throws -> [String: PlannedTensor] {
    let plan = try plan(changes)
    return Dictionary(uniqueKeysWithValues: plan.parameters.map { ($0.name.text, $0) })
  }

  private func plan(_ changes: [String]) throws -> Plan {
    let zoo = try ZooModels()
    return try zoo.composer.compose(zoo.loader.load("gpt2", patches: try Overrides(changes).patches))
  }

  private static let hidden = ["attn.q", "attn.k", "attn.v", "attn.o", "mlp.up", "mlp.down"]

  @Test("muP: a hidden matrix starts narrower and moves slower by the width, and nothing else does") func mup() throws {
    // Four times the base's width.
    let tensors = try tensors("init={type: mup, base_width: 192}", "head.tied=false")
    for name in Self.hidden {
      let tensor = try #require(tensors["layers.3.\(name).weight"])
      #expect(tensor.initialization == .normal(0.01), "\(name)")
      #expect(tensor.update == UpdateScale(rate: 0.25, decay: 4, epsilon: 0.25), "\(name)")
    }
    for name in [
      "embed.tokens.weight", "embed.positions.weight", "head.weight", "layers.3.attn.o.bias",
      "layers.3.attn_norm.weight",
      "final_norm.weight",
    ] {
      let tensor = try #require(tensors[name])
      #expect(tensor.update == UpdateScale(rate: 1, decay: 1, epsilon: 0.25), "\(name)")
      if name.hasPrefix("embed") || name.hasPrefix("head") {
        #expect(tensor.initialization == .normal(0.02), "\(name)")
      }
    }
  }

  @Test("muP divides logits by the width, and CompleteP sublayers' results by the depth besides") func factors() throws
  {
    func text(_ changes: String...) throws -> [String] {
      try plan(changes).steps.map { "\($0.scope) \($0.operation.name) \($0.operation.attributes)" }
    }
    func scale(_ steps: [String], _ number: String) -> Int { steps.count { $0.contains(number) } }
    let plain = try text("init={type: mup, base_width: 768}")
    #expect(try plain == text("init=normal"))
    let wide = try text("init={type: mup, base_width: 192}")
    #expect(scale(wide, "0.25") == scale(plain, "0.25") + 1)
    let deep = try text("init={type: completep, base_width: 768, base_layers: 3}")
    #expect(scale(deep, "0.25") == scale(plain, "0.25") + 24)
    #expect(
      try text("init={type: completep, base_width: 768, base_layers: 12}") == plain)
  }

  @Test("CompleteP: rates by the width, ε by width and depth; with a smaller alpha rates fall with the depth")
  func completep() throws {
    let tensors = try tensors("init={type: completep, base_width: 192, base_layers: 3}")
    for name in Self.hidden {
      let tensor = try #require(tensors["layers.3.\(name).weight"])
      #expect(tensor.initialization == .normal(0.01), "\(name)")
      #expect(tensor.update == UpdateScale(rate: 0.25, decay: 4, epsilon: 1.0 / 16), "\(name)")
    }
    #expect(tensors["layers.3.mlp.up.bias"]?.update == UpdateScale(rate: 1, decay: 1, epsilon: 1.0 / 16))
    #expect(tensors["final_norm.weight"]?.update == UpdateScale(rate: 1, decay: 1, epsilon: 0.25))
    #expect(tensors["embed.tokens.weight"]?.update == UpdateScale(rate: 1, decay: 1, epsilon: 0.25))
    let half = try self.tensors("init={type: completep, base_width: 768, base_layers: 3, alpha: 0.5}")
    #expect(half["layers.3.mlp.up.weight"]?.update == UpdateScale(rate: 0.5, decay: 1, epsilon: 0.5))
    #expect(half["layers.3.mlp.up.bias"]?.update.rate == 0.5 && half["final_norm.weight"]?.update.rate == 1)
  }

  @Test("experts are hidden matrices, and what is no sum over a width is none") func kinds() throws {
    let experts = try tensors(
      "init={type: mup, base_width: 192}", "mlp={type: moe, num_experts: 4, top_k: 2, expert_size: 64}")
    for name in ["up", "down"] {
      #expect(experts["layers.3.moe.experts.*.\(name).weight"]?.update.rate == 0.25, "\(name)")
    }
    let mamba = try tensors("init={type: mup, base_width: 192}", "attention={type: mamba, state_size: 4}")
    let small = mamba.values.filter { $0.name.layer == 3 && $0.name.text.contains("attn.") && $0.update.rate == 1 }
    #expect(small.contains { $0.name.text.contains("conv") }, "\(small.map(\.name.text))")
  }

  @Test(
    "a parametrization without its base, or in a model that cannot have it, is refused in a sentence",
    arguments: [
      ("init=mup", "base_width"), ("init={type: completep, base_width: 64}", "base_layers"),
      ("init={type: mup, base_width: 0}", "base_width"),
      ("init={type: completep, base_width: 64, base_layers: 2, alpha: 2}", "alpha"),
      ("init={type: mu}", "initialization"),
    ])
  func refused(_ change: String, _ word: String) {
    do {
      _ = try plan([change])
      Issue.record("\(change) was taken")
    } catch {
      let text = "\((error as? Problems)?.list ?? [])"
      #expect(text.contains(word), "\(error)")
    }
  }
}
