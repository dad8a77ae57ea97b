import Components
import Testing

/// A family of the fixtures: its map, and the canonical tensors its fixture has.
struct FixtureMap: Sendable, CustomTestStringConvertible {
  let folder: String
  let map: String
  /// Canonical tensors outside the layers, and those of each of the four layers.
  let shared: [String: [Int]]
  let layer: [String: [Int]]

  var testDescription: String { folder }

  var tensors: [PlannedTensor] {
    var all = shared.map { ($0.key, $0.value) }
    for number in 0..<4 { all += layer.map { ("layers.\(number)." + $0.key, $0.value) } }
    return all.sorted { $0.0 < $1.0 }.map {
      PlannedTensor(name: TensorName($0.0), shape: $0.1, use: .matrix, initialization: .zeros)
    }
  }

  /// `names` with a `.weight` and, if wanted, a `.bias` as long as the first axis.
  static func tensors(_ shapes: [String: [Int]], bias: Bool = false) -> [String: [Int]] {
    var all: [String: [Int]] = [:]
    for (name, shape) in shapes {
      all[name + ".weight"] = shape
      if bias { all[name + ".bias"] = [shape[0]] }
    }
    return all
  }
}

private let embed = ["embed.tokens.weight": [128, 32]]
private let head = ["head.weight": [128, 32]]
private let norm = FixtureMap.tensors(["final_norm": [32]])
private let biasedNorm = FixtureMap.tensors(["final_norm": [32]], bias: true)

private func attention(kv: Int, bias: Bool = false) -> [String: [Int]] {
  FixtureMap.tensors(
    ["attn.q": [32, 32], "attn.k": [kv, 32], "attn.v": [kv, 32], "attn.o": [32, 32]], bias: bias)
}

private func mlp(gated: Bool, size: Int = 64, bias: Bool = false) -> [String: [Int]] {
  var shapes = ["mlp.up": [size, 32], "mlp.down": [32, size]]
  if gated { shapes["mlp.gate"] = [size, 32] }
  return FixtureMap.tensors(shapes, bias: bias)
}

private func joined(_ groups: [String: [Int]]...) -> [String: [Int]] {
  groups.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
}

private let llamaNames = """
  "prefix": "model.", "tensors": {"embed_tokens": "embed.tokens", "norm": "final_norm", "/lm_head": "head"},
  "layer_prefix": "layers.*."
  """
private let llamaLayer = """
  "input_layernorm": "attn_norm", "post_attention_layernorm": "mlp_norm", "self_attn.q_proj": "attn.q",
  "self_attn.k_proj": "attn.k", "self_attn.v_proj": "attn.v", "self_attn.o_proj": "attn.o",
  "self_attn.q_norm": "attn.q_norm", "self_attn.k_norm": "attn.k_norm",
  "mlp.gate_proj": "mlp.gate", "mlp.up_proj": "mlp.up", "mlp.down_proj": "mlp.down"
  """
private let norms = ["attn_norm": [32], "mlp_norm": [32]]

/// Maps as in the taxonomy's §6, shapes as in the fixtures' `config.json` (width 32, vocabulary 128, 4 layers).
let fixtureMaps: [FixtureMap] = [
  FixtureMap(
    folder: "gpt2",
    map: """
      {"prefix": "transformer.", "tensors": {"wte": "embed.tokens", "wpe": "embed.positions", "ln_f": "final_norm"},
       "layer_prefix": "h.*.", "layer": {"ln_1": "attn_norm", "ln_2": "mlp_norm",
       "attn.c_attn": {"to": ["attn.q", "attn.k", "attn.v"], "layout": "m (q|k|v)"},
       "attn.c_proj": {"to": "attn.o", "layout": "hd m"}, "mlp.c_fc": {"to": "mlp.up", "layout": "m f"},
       "mlp.c_proj": {"to": "mlp.down", "layout": "f m"}}, "ignore": ["attn.bias", "attn.masked_bias"]}
      """,
    shared: joined(embed, ["embed.positions.weight": [64, 32]], biasedNorm),
    layer: joined(
      FixtureMap.tensors(norms, bias: true), attention(kv: 32, bias: true), mlp(gated: false, bias: true))),
  FixtureMap(
    folder: "gpt_neox",
    map: """
      {"prefix": "gpt_neox.",
       "tensors": {"embed_in": "embed.tokens", "final_layer_norm": "final_norm", "/embed_out": "head"},
       "layer_prefix": "layers.*.", "axes": {"h": "attention.num_heads"}, "layer": {
       "input_layernorm": "attn_norm", "post_attention_layernorm": "mlp_norm",
       "attention.query_key_value": {"to": ["attn.q", "attn.k", "attn.v"], "layout": "(h (q|k|v)) m"},
       "attention.dense": "attn.o", "mlp.dense_h_to_4h": "mlp.up", "mlp.dense_4h_to_h": "mlp.down"}}
      """,
    shared: joined(embed, head, biasedNorm),
    layer: joined(
      FixtureMap.tensors(norms, bias: true), attention(kv: 32, bias: true), mlp(gated: false, bias: true))),
  FixtureMap(
    folder: "llama", map: "{\(llamaNames), \"layer\": {\(llamaLayer)}}", shared: joined(embed, head, norm),
    layer: joined(FixtureMap.tensors(norms), attention(kv: 16), mlp(gated: true))),
  FixtureMap(
    folder: "qwen3", map: "{\(llamaNames), \"layer\": {\(llamaLayer)}}", shared: joined(embed, head, norm),
    layer: joined(
      FixtureMap.tensors(joined(norms, ["attn.q_norm": [8], "attn.k_norm": [8]])), attention(kv: 16),
      mlp(gated: true))),
  FixtureMap(
    folder: "gptj",
    map: """
      {"prefix": "transformer.", "tensors": {"wte": "embed.tokens", "ln_f": "final_norm", "/lm_head": "head"},
       "layer_prefix": "h.*.", "layer": {"ln_1": "attn_norm", "attn.q_proj": "attn.q", "attn.k_proj": "attn.k",
       "attn.v_proj": "attn.v", "attn.out_proj": "attn.o", "mlp.fc_in": "mlp.up", "mlp.fc_out": "mlp.down"}}
      """,
    shared: joined(embed, head, ["head.bias": [128]], biasedNorm),
    layer: joined(
      FixtureMap.tensors(["attn_norm": [32]], bias: true), attention(kv: 32), mlp(gated: false, bias: true))),
  FixtureMap(
    folder: "phi3",
    map: """
      {\(llamaNames), "layer": {\(llamaLayer),
       "self_attn.qkv_proj": {"to": ["attn.q", "attn.k", "attn.v"], "layout": "(q|k|v) m"},
       "mlp.gate_up_proj": {"to": ["mlp.gate", "mlp.up"], "layout": "(gate|up) m"}}}
      """,
    shared: joined(embed, head, norm),
    layer: joined(FixtureMap.tensors(norms), attention(kv: 16), mlp(gated: true))),
  FixtureMap(
    folder: "falcon-40b-style",
    map: """
      {"prefix": "transformer.", "tensors": {"word_embeddings": "embed.tokens", "ln_f": "final_norm", "/lm_head": "head"},
       "layer_prefix": "h.*.", "axes": {"kv": "attention.num_kv_heads"}, "layer": {
       "ln_attn": "attn_norm", "ln_mlp": "mlp_norm",
       "self_attention.query_key_value": {"to": ["attn.q", "attn.k", "attn.v"], "layout": "(kv (q|k|v)) m"},
       "self_attention.dense": "attn.o", "mlp.dense_h_to_4h": "mlp.up", "mlp.dense_4h_to_h": "mlp.down"}}
      """,
    shared: joined(embed, biasedNorm),
    layer: joined(FixtureMap.tensors(norms, bias: true), attention(kv: 16), mlp(gated: false))),
  FixtureMap(
    folder: "codegen",
    map: """
      {"prefix": "transformer.", "tensors": {"wte": "embed.tokens", "ln_f": "final_norm", "/lm_head": "head"},
       "layer_prefix": "h.*.", "layer": {"ln_1": "attn_norm",
       "attn.qkv_proj": {"to": ["attn.q", "attn.k", "attn.v"], "layout": "(4 (q|v|k)) m"},
       "attn.out_proj": "attn.o", "mlp.fc_in": "mlp.up", "mlp.fc_out": "mlp.down"},
       "ignore": ["attn.causal_mask"]}
      """,
    shared: joined(embed, head, ["head.bias": [128]], biasedNorm),
    layer: joined(
      FixtureMap.tensors(["attn_norm": [32]], bias: true), attention(kv: 32), mlp(gated: false, bias: true))),
  FixtureMap(
    folder: "mixtral",
    map: """
      {\(llamaNames), "layer": {\(llamaLayer), "block_sparse_moe.gate": "moe.router",
       "block_sparse_moe.experts.*.w1": "moe.experts.*.gate", "block_sparse_moe.experts.*.w3": "moe.experts.*.up",
       "block_sparse_moe.experts.*.w2": "moe.experts.*.down"}}
      """,
    shared: joined(embed, head, norm),
    layer: joined(
      FixtureMap.tensors(norms), attention(kv: 16), ["moe.router.weight": [4, 32]],
      (0..<4).reduce(into: [:]) { all, expert in
        all["moe.experts.\(expert).gate.weight"] = [64, 32]
        all["moe.experts.\(expert).up.weight"] = [64, 32]
        all["moe.experts.\(expert).down.weight"] = [32, 64]
      })),
  FixtureMap(
    folder: "gpt_oss",
    map: """
      {\(llamaNames), "layer": {\(llamaLayer), "mlp.router": "moe.router",
       "self_attn.sinks": {"to": "attn.sinks", "exact": true},
       "mlp.experts.gate_up_proj": {"to": ["moe.experts.*.gate.weight", "moe.experts.*.up.weight"],
         "layout": "e m (f (gate|up))", "exact": true},
       "mlp.experts.gate_up_proj_bias": {"to": ["moe.experts.*.gate.bias", "moe.experts.*.up.bias"],
         "layout": "e (f (gate|up))", "exact": true},
       "mlp.experts.down_proj": {"to": "moe.experts.*.down.weight", "layout": "e f m", "exact": true},
       "mlp.experts.down_proj_bias": {"to": "moe.experts.*.down.bias", "layout": "e m", "exact": true}}}
      """,
    shared: joined(embed, head, norm),
    layer: joined(
      FixtureMap.tensors(norms), attention(kv: 16, bias: true), ["attn.sinks": [4]],
      FixtureMap.tensors(["moe.router": [4, 32]], bias: true),
      (0..<4).reduce(into: [:]) { all, expert in
        all.merge(
          FixtureMap.tensors(
            [
              "moe.experts.\(expert).gate": [64, 32], "moe.experts.\(expert).up": [64, 32],
              "moe.experts.\(expert).down": [32, 64],
            ], bias: true)
        ) { first, _ in first }
      })),
  FixtureMap(
    folder: "bloom",
    map: """
      {"prefix": "transformer.", "tensors": {"word_embeddings": "embed.tokens",
       "word_embeddings_layernorm": "embed.norm", "ln_f": "final_norm", "/lm_head": "head"},
       "tied": {"head": "embed.tokens"},
       "layer_prefix": "h.*.", "axes": {"h": "attention.num_heads"}, "layer": {
       "input_layernorm": "attn_norm", "post_attention_layernorm": "mlp_norm",
       "self_attention.query_key_value": {"to": ["attn.q", "attn.k", "attn.v"], "layout": "(h (q|k|v)) m"},
       "self_attention.dense": "attn.o", "mlp.dense_h_to_4h": "mlp.up", "mlp.dense_4h_to_h": "mlp.down"}}
      """,
    shared: joined(embed, FixtureMap.tensors(["embed.norm": [32]], bias: true), biasedNorm),
    layer: joined(
      FixtureMap.tensors(norms, bias: true), attention(kv: 32, bias: true), mlp(gated: false, size: 128, bias: true))),
]
