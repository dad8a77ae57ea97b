import Components
import Composition
import Specification
import Testing

@Suite("how matrices are initialized")
struct InitializationTests {
  private func starts(_ changes: String...) throws -> [String: PlannedTensor.Initialization] {
    let zoo = try ZooModels()
    let plan = try zoo.composer.compose(zoo.loader.load("gpt2", patches: try Overrides(changes).patches))
    return Dictionary(uniqueKeysWithValues: plan.parameters.map { ($0.name.text, $0.initialization) })
  }

  @Test("GPT-2 scales what writes to the residual line by its depth")
  func depthScaled() throws {
    let starts = try starts()
    // Two such matrices a layer, 12 layers.
    let scaled = PlannedTensor.Initialization.normal(0.02 / (24.0).squareRoot())
    #expect(starts["layers.3.attn.o.weight"] == scaled && starts["layers.11.mlp.down.weight"] == scaled)
    for name in ["embed.tokens", "embed.positions", "layers.3.attn.q", "layers.3.mlp.up"] {
      #expect(starts[name + ".weight"] == .normal(0.02))
    }
    #expect(starts["layers.3.attn.o.bias"] == .zeros && starts["layers.3.attn_norm.weight"] == .ones)
  }

  @Test(
    "what writes to the residual stream does so whatever it is called: a projection, a shared expert; no router does")
  func writers() throws {
    let scaled = PlannedTensor.Initialization.normal(0.02 / (24.0).squareRoot())
    let projections = try starts("attention={type: projection}", "mlp={type: projection}")
    #expect(projections["layers.3.attn.projection.weight"] == scaled)
    #expect(projections["layers.3.mlp.projection.weight"] == scaled)
    let experts = try starts(
      "mlp={type: moe, num_experts: 4, top_k: 2, expert_size: 8, shared_size: 8, shared_gate: true}")
    for name in ["experts.*.down", "shared.down"] { #expect(experts["layers.3.moe.\(name).weight"] == scaled) }
    for name in ["router", "shared_gate", "experts.*.up", "shared.up"] {
      #expect(experts["layers.3.moe.\(name).weight"] == .normal(0.02), "\(name)")
    }
  }

  @Test("experts start as the file says too, and remain several of which a token meets some")
  func experts() throws {
    let zoo = try ZooModels()
    let plan = try zoo.composer.compose(
      zoo.loader.load("mixtral-8x7b", patches: try Overrides(["init={type: normal, std: 0.1}"]).patches))
    let tensor = try #require(plan.parameters.first { $0.name == "layers.3.moe.experts.*.up.weight" })
    #expect(tensor.initialization == .normal(0.1) && tensor.chosen == 2)
  }

  @Test("a file chooses: one deviation, or one that follows from the inputs")
  func chosen() throws {
    let one = try starts("init={type: normal, std: 0.1, embedding_std: 0.5}")
    #expect(one["layers.3.attn.o.weight"] == .normal(0.1) && one["embed.tokens.weight"] == .normal(0.5))
    let inputs = try starts("init={type: fan_in, gain: 2}")
    #expect(
      inputs["layers.3.mlp.down.weight"] == .normal(2 / (3072.0).squareRoot())
        && inputs["embed.tokens.weight"] == .normal(0.02))
    #expect(throws: Problems.self) { try starts("init=nrmal") }
    #expect(throws: Problems.self) { try starts("init={type: normal, gain: 2}") }
  }
}
