import Checkpoints
import Components
import Files
import Testing

/// What is written into a config.json so that others read it as we do.
@Suite struct ConfigurationWritingTests {
  private let binding = """
    {"match": {"model_type": "x"}, "write": {"architectures": ["XForCausalLM"]}, "floats": ["limit"],
     "bind": {"layers.count": "num_hidden_layers", "hidden_size": "hidden_size", "norm.eps": "rms_norm_eps",
      "position.theta": {"from": ["rope_parameters.rope_theta", "rope_theta"], "default": 10000},
      "head.softcap": {"from": "final_logit_softcapping", "default": 30}, "mlp.clamp": "limit",
      "mlp.activation": {"from": ["hidden_activation", "hidden_act"], "map": {"gelu_pytorch_tanh": "gelu_tanh", "old": "gelu_tanh", "silu": "silu"}},
      "attention.num_kv_heads": {"from": "num_key_value_heads", "default": 8},
      "layers.pattern": {"from": "layer_types", "map": {"sliding_attention": "local", "full_attention": "global"}}}}
    """
  private let spec = """
    {"hidden_size": 32, "layers": {"count": 5, "pattern": ["2*local", "global"]}, "norm": {"eps": 1},
     "position": {"theta": 500000}, "head": {"softcap": 50}, "mlp": {"activation": "gelu_tanh", "clamp": 7}}
    """

  @Test("floats have a fraction, integers have none, and a pattern names every layer")
  func spelling() throws {
    let config = try ConfigBinding(Setting(json: binding)).configuration(for: Setting(json: spec)) { path in
      path == "attention.num_kv_heads" ? .value(Setting(text: "4")) : .unknown
    }
    #expect(
      config.serialized()
        == #"{"model_type":"x","num_hidden_layers":5,"hidden_size":32,"rms_norm_eps":1.0,"rope_parameters":{"rope_theta":500000.0},"#
        + #""final_logit_softcapping":50.0,"limit":7.0,"hidden_activation":"gelu_pytorch_tanh","#
        + #""layer_types":["sliding_attention","sliding_attention","full_attention","sliding_attention","sliding_attention"],"#
        + #""num_key_value_heads":4,"architectures":["XForCausalLM"]}"#)
  }

  @Test("a model's own configuration is written as it came, and what was changed is changed alone")
  func original() throws {
    let text =
      #"{"model_type":"x","num_hidden_layers":5,"hidden_size":32,"rms_norm_eps":1,"rope_theta":500000,"final_logit_softcapping":50,"#
      + #""limit":7.0,"hidden_act":"old","num_key_value_heads":2,"layer_types":["sliding_attention","sliding_attention","full_attention","#
      + #""sliding_attention","sliding_attention"],"eos_token_id":[2,7],"strange":{"kept":[1.0,null]}}"#
    let original = try #require(JSONValue(parsing: text).object)
    var tree = try Setting(json: spec)
    tree[path: "attention.num_kv_heads"] = Setting(text: "2")
    let written = try ConfigBinding(Setting(json: binding)).configuration(for: tree, original: original)
    #expect(written.serialized() == text.dropLast() + #","architectures":["XForCausalLM"]}"#)

    tree[path: "position.theta"] = Setting(text: "20000")
    tree[path: "head.softcap"] = Setting(text: "40")
    let changed = try ConfigBinding(Setting(json: binding)).configurations(for: tree, original: original)[1]
    #expect(changed["rope_theta"] == nil && changed["rope_parameters"]?["rope_theta"]?.serialized() == "20000.0")
    #expect(changed["final_logit_softcapping"]?.serialized() == "40.0")
    #expect(changed["hidden_act"] == "old" && changed["strange"] == original["strange"])
    #expect(changed["eos_token_id"] == [2, 7] && changed["layer_types"] == original["layer_types"])
  }

  @Test("an axis of one entry is written, and taken off when it is read")
  func unitAxes() throws {
    let layout = try TensorLayout(parsing: "out 1 in")
    #expect(layout.axisCount == 2 && layout.unitAxes == [1] && !layout.isTransposed)
    #expect(try LayoutBinding(layout, targets: [[[6, 4]]]) { _ in nil }.storedShape == [6, 1, 4])
    #expect(try LayoutBinding(layout, targets: [[[6]]]) { _ in nil }.storedShape == [6])
  }

  @Test("one number is written without an axis, and nothing else is")
  func scalar() throws {
    let layout = try TensorLayout(parsing: "scalar")
    #expect(try LayoutBinding(layout, targets: [[[1]]]) { _ in nil }.storedShape == [])
    #expect(throws: LayoutProblem.self) { try LayoutBinding(layout, targets: [[[2]]]) { _ in nil } }
  }
}
