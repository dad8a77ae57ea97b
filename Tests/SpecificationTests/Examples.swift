/// Specifications that tests share: the four that the language was designed on, a study and a map of names.
enum Examples {
  /// GPT-2 small, complete in one file.
  static let gpt2 = """
    name: gpt2
    vocab_size: 50257
    context_length: 1024
    hidden_size: 768
    layers: {count: 12}
    position: {type: learned}
    norm: {type: layernorm, eps: 1.0e-5}
    block: {placement: pre}
    attention: {num_heads: 12, bias: true}
    mlp: {intermediate_size: 3072, activation: gelu_tanh, bias: true}
    head: {tied: true}
    tokenizer: gpt2
    expected_params: 124439808
    checkpoint:
      prefix: transformer.            # optional when loading
      tensors:
        wte: embed.tokens
        wpe: embed.positions
        ln_f: final_norm
      layer_prefix: h.*.
      layer:
        ln_1: attn_norm
        attn.c_attn: {to: [attn.q, attn.k, attn.v], layout: m (q|k|v)}
        attn.c_proj: {to: attn.o, layout: hd m}
        ln_2: mlp_norm
        mlp.c_fc: {to: mlp.up, layout: m f}
        mlp.c_proj: {to: mlp.down, layout: f m}
      ignore: [attn.bias, attn.masked_bias]
    """

  /// Llama 3.2 1B, whose checkpoint builds on a map.
  static let llama = """
    name: llama-3.2-1b
    vocab_size: 128256
    context_length: 131072
    hidden_size: 2048
    layers: {count: 16}
    position:
      type: rope
      theta: 500000
      scaling: {type: llama3, factor: 32, low_freq_factor: 1, high_freq_factor: 4, original_context: 8192}
    norm: {type: rmsnorm, eps: 1.0e-5}
    block: {placement: pre}
    attention: {num_heads: 32, num_kv_heads: 8, head_dim: 64}
    mlp: {gated: true, activation: silu, intermediate_size: 8192}
    head: {tied: true}
    tokenizer: llama-3
    expected_params: 1235814400
    checkpoint: {naming: hf-llama}
    """

  /// Gemma 2 2B, whose layers alternate.
  static let gemma = """
    name: gemma-2-2b
    vocab_size: 256000
    context_length: 8192
    hidden_size: 2304
    embedding: {scale: sqrt_hidden}
    position: {type: rope, theta: 10000}
    norm: {type: rmsnorm, eps: 1.0e-6, unit_offset: true}
    block: {placement: sandwich}
    attention: {num_heads: 8, num_kv_heads: 4, head_dim: 256, scale: 0.0625, softcap: 50.0}
    mlp: {gated: true, activation: gelu_tanh, intermediate_size: 9216}
    layers:
      count: 26
      pattern: [local, global]
      variants:
        local: {attention: {window: 4096}}
        global: {}
    head: {tied: true, softcap: 30.0}
    tokenizer: gemma
    expected_params: 2614341888
    checkpoint:
      naming: hf-llama
      layer:
        post_attention_layernorm: attn_out_norm
        pre_feedforward_layernorm: mlp_norm
        post_feedforward_layernorm: mlp_out_norm
    """

  /// A hybrid of GPT-2 with layers of four kinds.
  static let hybrid = """
    name: tiny-hybrid
    extends: gpt2                    # vocab, width, tokenizer
    context_length: 2048
    position: {type: none}
    norm: {type: rmsnorm, eps: 1.0e-5}
    attention: {num_kv_heads: 4, bias: null, qk_norm: {scope: head}}
    mlp: {activation: relu2, bias: null}
    layers:
      pattern: [3*local, global]     # 3 sliding-window RoPE layers, then one NoPE full layer
      variants:
        local:
          attention: {window: 512}
          position: {type: rope, theta: 10000}
        global: {}
      overrides:
        - layers: 0
          mlp: {gated: true, activation: silu, intermediate_size: 2048}
        - layers: "6:"
          mlp:
            type: moe
            gated: true
            activation: silu
            num_experts: 8
            top_k: 2
            expert_size: 1024
            router: {score: softmax, normalize: true}
        - layers: -1
          block: {placement: sandwich}
    checkpoint: null
    expected_params: 199088640
    """

  /// A study, which is no architecture: only its YAML matters here.
  static let study = """
    ablation: gpt2-components
    base: gpt2
    hold: {params: 1%, tokens: 50000000, data_order: same}
    seeds: [1, 2, 3]                 # baseline seeds give the noise floor
    arms:
      rope:     {position: {type: rope, theta: 10000}}
      alibi:    {position: {type: alibi}}
      nope:     {position: {type: none}}
      rmsnorm:  {norm: {type: rmsnorm, eps: 1.0e-5}}
      swiglu:   {mlp: {gated: true, activation: silu, intermediate_size: match_params}}
      gqa-4:    {attention: {num_kv_heads: 4}}
      parallel: {block: {parallel: true, shared_norm: true}}
      untied:   {head: {tied: false}}
    """

  /// A map of names.
  static let naming = """
    # naming preset hf-llama (about 60 families use it unchanged or with 1-4 patched lines)
    prefix: model.
    tensors: {embed_tokens: embed.tokens, norm: final_norm, /lm_head: head}
    layer_prefix: layers.*.
    layer:
      input_layernorm: attn_norm
      self_attn.q_proj: attn.q
      self_attn.k_proj: attn.k
      self_attn.v_proj: attn.v
      self_attn.o_proj: attn.o
      self_attn.q_norm: attn.q_norm
      self_attn.k_norm: attn.k_norm
      post_attention_layernorm: mlp_norm
      mlp.gate_proj: mlp.gate
      mlp.up_proj: mlp.up
      mlp.down_proj: mlp.down
    """

  /// A zoo of all of them.
  static let zoo = [
    "gpt2/gpt2.yaml": gpt2, "llama/llama-3.2-1b.yaml": llama, "gemma/gemma-2-2b.yaml": gemma,
    "hybrids/tiny-hybrid.yaml": hybrid, "naming/hf-llama.yaml": naming,
  ]

  /// The smallest architecture there is.
  static let small = """
    name: small
    vocab_size: 100
    context_length: 64
    hidden_size: 32
    layers: {count: 4}
    position: learned
    norm: {type: layernorm, eps: 1.0e-5}
    """
}
