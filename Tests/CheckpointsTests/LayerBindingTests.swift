import Checkpoints
import Components
import Files
import Testing

/// What configurations say of layers one by one: by letters, by periods, and by lists with a value for each.
@Suite("Bindings of layers") struct LayerBindingTests {
  private static func binding(_ bind: String) throws -> ConfigBinding {
    try ConfigBinding(Setting(json: #"{"match": {"model_type": "x"}, "bind": \#(bind)}"#))
  }

  private static func patch(_ bind: String, _ config: String) throws -> JSONValue {
    let source = ConfigSource(name: "config.json", config: try JSONValue(parsing: config), tensors: [])
    return JSONValue(try binding(bind).bind(source).patch)
  }

  @Test(
    "a pattern comes from letters, or from a period and an offset",
    arguments: [
      (
        #"{"layers.pattern": {"letters": "p", "map": {"M": "mamba", "*": "full", "-": "mlp"}}}"#, #"{"p": "M*-M"}"#,
        #"{"layers": {"pattern": ["mamba", "full", "mlp", "mamba"]}}"#
      ),
      (#"{"layers.count": {"count": "p"}}"#, #"{"p": "M*-M"}"#, #"{"layers": {"count": 4}}"#),
      (
        #"{"layers.pattern": {"period": "n", "offset": "k", "in": "full", "out": "mamba"}}"#, #"{"n": 4, "k": 1}"#,
        #"{"layers": {"pattern": ["mamba", "full", "mamba", "mamba"]}}"#
      ),
      // No layer has that place in a period.
      (
        #"{"layers.pattern": {"period": "n", "offset": 5, "in": "full", "out": "mamba"}}"#, #"{"n": 2}"#,
        #"{"layers": {"pattern": ["mamba", "mamba"]}}"#
      ),
    ])
  func patterns(bind: String, config: String, expected: String) throws {
    #expect(try Self.patch(bind, config) == JSONValue(parsing: expected))
  }

  @Test("a pattern comes from the layers that have a tensor; a constant beside a pattern is said of all layers")
  func stored() throws {
    let bind = #"""
      {"layers.count": "n", "layers.pattern": {"join": [{"listed": "m", "in": "s", "out": "d", "layers": "n"},
        {"value": ["full"]}, {"stored": {"moe": "l.*.gate"}, "out": "mlp", "layers": "n"}], "layers": "n"}}
      """#
    let tensors = ["l.1.gate": [2, 2]]
    let config = try JSONValue(parsing: #"{"n": 3, "m": [2]}"#)
    let source = ConfigSource(name: "config.json", config: config, shapes: tensors)
    let patch = try Self.binding(bind).bind(source).patch
    #expect(
      JSONValue(patch)
        == (try JSONValue(
          parsing: #"{"layers": {"count": 3, "pattern": ["d+full+mlp", "d+full+moe", "s+full+mlp"]}}"#)))
    let two = bind.replacing(#", {"stored": {"moe": "l.*.gate"}, "out": "mlp", "layers": "n"}"#, with: "")
    let spec = try Setting(json: #"{"layers": {"count": 3, "pattern": ["d+full", "2*s+full"]}}"#)
    #expect(
      try Self.binding(two).configuration(for: spec)
        == JSONValue(parsing: #"{"model_type": "x", "n": 3, "m": [1, 2]}"#))
  }

  @Test("a list with a value for each layer becomes an override for each value, and says nothing where it is off")
  func lists() throws {
    let bind = """
      {"layers.count": "n", "layers.*.position.theta": {"from": "theta", "off": [0]},
       "layers.*.position": {"from": "theta", "map": {"0": "none", "_": "absent"}}}
      """
    let overrides = try Self.patch(bind, #"{"n": 4, "theta": [0, 10000.0, 500.0, 10000.0]}"#)["layers"]?["overrides"]
    #expect(
      try overrides
        == JSONValue(
          parsing: """
            [{"layers": [1, 3], "position": {"theta": 10000}}, {"layers": [2], "position": {"theta": 500}},
             {"layers": [0], "position": "none"}]
            """))
  }

  @Test("a list that is too short, and a value that is no list, are refused by name")
  func refusals() throws {
    let bind = #"{"layers.count": "n", "layers.*.attention.num_heads": "heads"}"#
    for (config, sentence) in [
      (#"{"n": 4, "heads": [2, 4]}"#, "there are 2 values for 4 layers"),
      (#"{"n": 4, "heads": {"a": 2}}"#, #"{"a":2} is no list with a value for each layer"#),
    ] {
      let problems = try #require(throws: Problems.self) { try Self.patch(bind, config) }
      #expect(problems.list.map(\.sentence) == ["config.json: \(sentence) (for layers.*.attention.num_heads)"])
    }
  }

  @Test("what each layer has is written as a list again, letters as a text, a period as two numbers")
  func written() throws {
    let bind = """
      {"layers.count": "n", "layers.pattern": {"letters": "p", "map": {"M": "mamba", "*": "full"}},
       "layers.*.position.theta": {"from": "theta", "off": [0]},
       "layers.*.position": {"from": "theta", "map": {"0": "none", "_": "absent"}}}
      """
    let spec = try Setting(json: #"{"layers": {"count": 3, "pattern": ["mamba", "full"]}}"#)
    let config = try Self.binding(bind).configuration(for: spec) { path in
      switch path {
      case "layers.*.position.theta": .value(Setting(.list([.null, Setting(text: "500"), Setting(text: "10000")])))
      case "layers.*.position": .value(Setting(.list(["none", "rope", "rope"].map { Setting(text: $0) })))
      default: .unknown
      }
    }
    #expect(
      config.object?["p"] == "M*M" && config.object?["n"] == 3
        && config.object?["theta"].map { $0.serialized() } == "[0,500,10000]", "\(config.serialized())")

    let period =
      #"{"layers.count": "n", "layers.pattern": {"period": "t", "offset": "o", "in": "full", "out": "mamba"}}"#
    let layers = try Setting(json: #"{"layers": {"count": 6, "pattern": ["mamba", "full", "mamba"]}}"#)
    let counted = try Self.binding(period).configuration(for: layers)
    #expect(counted.object?["t"] == 3 && counted.object?["o"] == 1, "\(counted.serialized())")
  }

  @Test("one stored name is what layers of each kind have under 'any'")
  func alternatives() throws {
    let map = try CheckpointMap(
      Setting(
        json: """
          {"layer_prefix": "layers.*.", "layer": {"norm": {"any": ["attn_norm", "mlp_norm"]}}}
          """))
    let tensors = ["layers.0.attn_norm.weight", "layers.1.mlp_norm.weight"].map {
      PlannedTensor(name: TensorName($0), shape: [4], use: .vector, initialization: .ones)
    }
    #expect(map.layout(of: tensors) == ["layers.0.norm.weight": [4], "layers.1.norm.weight": [4]])
    let problems = try #require(throws: Problems.self) {
      _ = try CheckpointMap(
        Setting(json: #"{"layer_prefix": "layers.*.", "layer": {"norm": {"any": "attn_norm"}}}"#))
    }
    #expect(
      problems.list.map(\.sentence) == [
        "'any' is a list of what a tensor is in layers of several kinds, and stands alone"
      ])
  }
}
