import Checkpoints
import Components
import Files
import SharedData
import Testing

private let llamaMap = """
  {"prefix": "model.", "tensors": {"embed_tokens": "embed.tokens", "norm": "final_norm", "/lm_head": "head"},
   "layer_prefix": "layers.*.", "layer": {"input_layernorm": "attn_norm", "post_attention_layernorm": "mlp_norm",
   "self_attn.q_proj": "attn.q", "self_attn.k_proj": "attn.k", "self_attn.v_proj": "attn.v",
   "self_attn.o_proj": "attn.o", "mlp.gate_proj": "mlp.gate", "mlp.up_proj": "mlp.up", "mlp.down_proj": "mlp.down"}}
  """
private let ggufMap = """
  {"tensors": {"token_embd": "embed.tokens", "output_norm": "final_norm", "output": "head"},
   "layer_prefix": "blk.*.", "layer": {"attn_norm": "attn_norm", "ffn_norm": "mlp_norm",
   "attn_q": "attn.q", "attn_k": "attn.k", "attn_v": "attn.v", "attn_output": "attn.o",
   "ffn_gate": "mlp.gate", "ffn_up": "mlp.up", "ffn_down": "mlp.down"}}
  """

private func plan(layers: Int, width: Int, kv: Int, size: Int, vocab: Int) -> [PlannedTensor] {
  var shapes: [(String, [Int])] = [("embed.tokens.weight", [vocab, width]), ("final_norm.weight", [width])]
  for layer in 0..<layers {
    shapes += [
      ("attn_norm", [width]), ("mlp_norm", [width]), ("attn.q", [width, width]), ("attn.k", [kv, width]),
      ("attn.v", [kv, width]), ("attn.o", [width, width]), ("mlp.gate", [size, width]), ("mlp.up", [size, width]),
      ("mlp.down", [width, size]),
    ].map { ("layers.\(layer).\($0.0).weight", $0.1) }
  }
  return shapes.map { PlannedTensor(name: TensorName($0.0), shape: $0.1, use: .matrix, initialization: .zeros) }
}

@Suite struct RealCheckpointTests {
  @Test(
    "one model's safetensors and GGUF hold the same numbers, but for the order of the rotated rows",
    .needs("llama/stories260K"))
  func stories() throws {
    let folder = try SharedData.path("llama/stories260K")
    let tensors = plan(layers: 5, width: 64, kv: 32, size: 172, vocab: 512)
    let safetensors = try CheckpointMap(Setting(json: llamaMap))
      .match(tensors, with: CheckpointFolder(path: folder).tensors).load()
    let gguf = try CheckpointMap(Setting(json: ggufMap))
      .match(tensors, with: GGUFFile(path: folder + "/stories260K.gguf").tensors).load()
    for tensor in tensors {
      let left = try #require(safetensors[tensor.name.text])
      let right = try #require(gguf[tensor.name.text])
      if ["attn.q.weight", "attn.k.weight"].contains(tensor.name.localText) {
        #expect(left.floats.sorted() == right.floats.sorted())
      } else {
        #expect(left.floats == right.floats, "\(tensor.name)")
      }
    }
  }

  @Test("a quantised model is mapped whole, without a copy", .needs(SharedData.smolLM2))
  func quantised() throws {
    let file = try GGUFFile(path: SharedData.path(SharedData.smolLM2))
    let tensors = plan(layers: 30, width: 576, kv: 192, size: 1536, vocab: 49152)
    let loaded = try CheckpointMap(Setting(json: ggufMap)).match(tensors, with: file.tensors).load()
    let first = UInt(bitPattern: file.file.bytes.baseAddress)
    #expect(
      loaded.values.allSatisfy {
        (first..<first + UInt(file.file.bytes.count)).contains(UInt(bitPattern: $0.bytes.baseAddress))
      })
    #expect(loaded["embed.tokens.weight"]?.format == .q8_0)
    #expect(loaded["layers.29.attn.q.weight"]?.format == .q4_1)
    #expect(loaded["final_norm.weight"]?.format == .f32)
    #expect(loaded.values.reduce(0) { $0 + $1.shape.reduce(1, *) } == 134_515_008)
  }

  @Test(
    "the wrong map for a file is refused with one sentence, and a model of other sizes with all of them",
    .needs("llama/stories260K"))
  func wrongMap() throws {
    let stored = try CheckpointFolder(path: SharedData.path("llama/stories260K")).tensors
    let tensors = plan(layers: 5, width: 64, kv: 32, size: 172, vocab: 512)
    let map = try CheckpointMap(Setting(json: ggufMap))
    let problems = #expect(throws: Problems.self) { _ = try map.match(tensors, with: stored) }
    #expect(
      problems?.list.map(\.sentence) == [
        "the checkpoint has none of the tensors that the map expects, such as 'token_embd.weight'; "
          + "it has names like 'model.embed_tokens.weight'"
      ])
    let larger = plan(layers: 6, width: 72, kv: 36, size: 172, vocab: 512)
    let many = #expect(throws: Problems.self) {
      _ = try CheckpointMap(Setting(json: llamaMap)).match(larger, with: stored)
    }
    // Two tensors outside of the layers have a wrong shape, and nine in each of five layers, which are said together; of
    // the sixth layer there is nothing.
    #expect(many?.list.count == 12)
    #expect(
      many?.list.map(\.sentence).contains(
        "'model.layers.0–4.mlp.up_proj.weight' has shape [172, 64]; 'layers.0–4.mlp.up.weight' needs [172, 72]")
        == true)
    #expect(
      many?.list.map(\.sentence).contains(
        "the checkpoint has nothing of layer 5, such as 'model.layers.5.input_layernorm.weight'") == true)
  }
}
