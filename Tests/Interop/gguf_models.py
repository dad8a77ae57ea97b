#!/usr/bin/env python3
"""Tiny models that GGUF files are made of, beside those of `bindings/tiny.py`: with what readers take for granted.

usage: gguf_models.py OUT        needs: pip install torch transformers==5.23.0 safetensors
OUT/<name>/ as `bindings/tiny.py` makes it. The last ones are published formats that transformers has not, made of models that
compute the same.
"""
import json, os, shutil, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "bindings"))
import tiny, torch
from safetensors.torch import load_file, save_file

MODELS = {
    "afmoe-scaled": ("afmoe", dict(mup_enabled=True, num_dense_layers=1, num_shared_experts=1)),
    "exaone4-64": ("exaone4", dict(num_hidden_layers=64, hidden_size=32, num_attention_heads=4, num_key_value_heads=2, head_dim=8, intermediate_size=32)), "exaone4-plain": ("exaone4", dict(sliding_window=None, layer_types=["full_attention"] * 4)),
    "laguna-windows": ("laguna", dict(num_attention_heads_per_layer=[2, 4, 4, 2], layer_types=["full_attention"] + ["sliding_attention"] * 3)),
    "laguna-whole": ("laguna", dict(num_attention_heads_per_layer=None, layer_types=["full_attention"] * 4, gating="per-element", sliding_window=0)),
    # The widths and the number of layers with keys of their own that llama.cpp has.
    "gemma3n-25": ("gemma3n_text", dict(num_hidden_layers=25, hidden_size_per_layer_input=256, vocab_size_per_layer_input=16, altup_num_inputs=4, laurel_rank=64, num_kv_shared_layers=5, intermediate_size=[4096] * 25, activation_sparsity_pattern=[0.95] * 10 + [0.0] * 15, layer_types=(["sliding_attention"] * 4 + ["full_attention"]) * 5)),
    # As it is published: transformers writes no word of the sigmoid.
    "deepseek_v3-published": ("deepseek_v3", tiny.LATENT | tiny.EXPERTS | tiny.WIDER | dict(scoring_func="sigmoid")),
    "olmo3-3": ("olmo3", dict(num_hidden_layers=3)),
    "llama4-8192": ("llama4_text", dict(num_experts_per_tok=1, attention_chunk_size=8192, interleave_moe_layer_step=2)),
    "llama4-sparse": ("llama4_text", dict(num_experts_per_tok=1, attention_chunk_size=8192, interleave_moe_layer_step=1)),
    "mellum-windows": ("mellum", dict(layer_types=["full_attention"] + ["sliding_attention"] * 3)),
    "granitemoe_swa-plain": ("granitemoe_swa", dict(shared_intermediate_size=8)),
    "hunyuan_v1_moe-even": ("hunyuan_v1_moe", dict(moe_topk=[2] * 4, moe_intermediate_size=[12] * 4, num_shared_expert=[1] * 4)),
    "ernie4_5_moe-even": ("ernie4_5_moe", dict(num_key_value_heads=1, intermediate_size=16, moe_intermediate_size=8, moe_layer_start_index=1, moe_num_shared_experts=2)),
    "nemotron_h-mlp": ("nemotron_h", dict(layers_block_type=["linear_attention", "full_attention", "mlp", "linear_attention"], mamba_num_heads=4, mamba_head_dim=4, ssm_state_size=4, n_groups=2, chunk_size=4)),
    "nemotron_h-moe": ("nemotron_h", dict(layers_block_type=["linear_attention", "full_attention", "moe", "linear_attention"], mamba_num_heads=4, mamba_head_dim=4, ssm_state_size=4, n_groups=2, chunk_size=4)),
    "mamba2-groups": ("mamba2", dict(state_size=4, num_heads=4, head_dim=4, n_groups=2, expand=2, chunk_size=4)),
}

def joined(weights, layers, names):
    """The weights of `names` of each layer as one, under another name: {new: [old, ...]}."""
    return {new.format(i=i) + kind: torch.cat([weights[o.format(i=i) + kind] for o in old]) for i in range(layers) for new, old in names.items()
            for kind in (".weight", ".bias") if all(o.format(i=i) + kind in weights for o in old)}

def published(out):
    def of(name, kind, special):
        tiny.make(out, "made-of", kind, special); folder = os.path.join(out, "made-of")
        weights, expected = load_file(folder + "/model.safetensors"), load_file(folder + "/expected.safetensors"); shutil.rmtree(folder)
        return weights, expected
    def put(name, config, weights, expected):
        folder = os.path.join(out, name); os.makedirs(folder, exist_ok=True)
        sizes = dict(vocab_size=tiny.VOCABULARY, hidden_size=8, num_hidden_layers=4, num_attention_heads=2, intermediate_size=12, tie_word_embeddings=False)
        config = {k: v for k, v in (sizes | config).items() if v is not None}
        json.dump(config, open(folder + "/config.json", "w"), indent=1)
        save_file({k: v.contiguous().clone() for k, v in weights.items()}, folder + "/model.safetensors", metadata={"format": "pt"}); save_file(expected, folder + "/expected.safetensors")
    p, even = "model.layers.{i}.", dict(num_key_value_heads=2, tie_word_embeddings=False, head_dim=4)
    w, e = of("qwen", "qwen2", {k: v for k, v in even.items() if k != "head_dim"} | dict(rms_norm_eps=1e-6)); q = "transformer.h.{i}."
    put("qwen", dict(architectures=["QWenLMHeadModel"], model_type="qwen", seq_length=32, max_position_embeddings=32, kv_channels=4, intermediate_size=24,
            layer_norm_epsilon=1e-6, rotary_emb_base=10000, rotary_pct=1.0, no_bias=True, use_logn_attn=False, use_dynamic_ntk=False),
        {"transformer.wte.weight": w["model.embed_tokens.weight"], "transformer.ln_f.weight": w["model.norm.weight"], "lm_head.weight": w["lm_head.weight"]} | joined(w, 4, {
            q + "attn.c_attn": [p + "self_attn.%s_proj" % x for x in "qkv"], q + "attn.c_proj": [p + "self_attn.o_proj"], q + "ln_1": [p + "input_layernorm"],
            q + "ln_2": [p + "post_attention_layernorm"], q + "mlp.w2": [p + "mlp.gate_proj"], q + "mlp.w1": [p + "mlp.up_proj"], q + "mlp.c_proj": [p + "mlp.down_proj"]}), e)
    w, e = of("chatglm", "glm", dict(head_dim=4, rms_norm_eps=1e-5, tie_word_embeddings=False, partial_rotary_factor=0.5)); q = "transformer.encoder.layers.{i}."
    put("chatglm", dict(architectures=["ChatGLMModel"], model_type="chatglm", padded_vocab_size=tiny.VOCABULARY, seq_length=32, num_layers=4, num_hidden_layers=None, intermediate_size=None, multi_query_attention=True,
            multi_query_group_num=1, kv_channels=4, add_qkv_bias=True, ffn_hidden_size=12, layernorm_epsilon=1e-5, rmsnorm=True, add_bias_linear=False, post_layer_norm=True,
            original_rope=True, apply_residual_connection_post_layernorm=False, rope_ratio=1),
        {"transformer.embedding.word_embeddings.weight": w["model.embed_tokens.weight"], "transformer.encoder.final_layernorm.weight": w["model.norm.weight"],
            "transformer.output_layer.weight": w["lm_head.weight"]} | joined(w, 4, {
            q + "self_attention.query_key_value": [p + "self_attn.%s_proj" % x for x in "qkv"], q + "self_attention.dense": [p + "self_attn.o_proj"],
            q + "input_layernorm": [p + "input_layernorm"], q + "post_attention_layernorm": [p + "post_attention_layernorm"],
            q + "mlp.dense_h_to_4h": [p + "mlp.gate_up_proj"], q + "mlp.dense_4h_to_h": [p + "mlp.down_proj"]}), e)
    w, e = of("minicpm", "granite", dict(embedding_multiplier=12.0, residual_multiplier=0.7, attention_multiplier=0.5, logits_scaling=2.0, tie_word_embeddings=True, rms_norm_eps=1e-5))
    put("minicpm", dict(architectures=["MiniCPMForCausalLM"], model_type="minicpm", max_position_embeddings=32, num_key_value_heads=1, rms_norm_eps=1e-5, hidden_act="silu",
            scale_emb=12, scale_depth=1.4, dim_model_base=4, rope_theta=10000.0, tie_word_embeddings=True), {k: v for k, v in w.items() if "lm_head" not in k}, e)
    w, e = of("baichuan", "llama", dict(num_hidden_layers=32, num_key_value_heads=2, tie_word_embeddings=False, rms_norm_eps=1e-6))
    put("baichuan-32", dict(architectures=["BaichuanForCausalLM"], model_type="baichuan", num_hidden_layers=32, max_position_embeddings=32, model_max_length=32,
            rms_norm_eps=1e-6, hidden_act="silu"), {k: v for k, v in w.items() if not any(x in k for x in ("q_proj", "k_proj", "v_proj"))}
        | joined(w, 32, {p + "self_attn.W_pack": [p + "self_attn.%s_proj" % x for x in "qkv"]}), e)

def unread(folder):
    """Keys and values of the layers that read others', which published files of Gemma 3n have and transformers does not write."""
    weights = load_file(folder + "/model.safetensors")
    for i in range(20, 25):
        for name in ("self_attn.k_proj", "self_attn.v_proj", "self_attn.k_norm"): weights[f"model.layers.{i}.{name}.weight"] = torch.ones_like(weights[f"model.layers.0.{name}.weight"])
    save_file(weights, folder + "/model.safetensors", metadata={"format": "pt"})

for name, (kind, special) in MODELS.items(): print("%-20s %6d parameters, logits' deviation %.2f" % (name, *tiny.make(sys.argv[1], name, kind, special)), flush=True)
unread(sys.argv[1] + "/gemma3n-25")
published(sys.argv[1])
