#!/usr/bin/env python3
"""A very small random checkpoint of every family that both the zoo and transformers have, with the reference's logits.

usage: tiny.py OUT [name ...]        needs: pip install torch transformers==5.23.0 safetensors
OUT/<name>/ gets config.json, model.safetensors and expected.safetensors: `input_ids` [1, tokens], `logits`
[1, tokens, vocabulary] (float32, eager attention) and `greedy` [1, 6 + 8], the first tokens and what continues them. Seeds are made of names, so that the same version makes the same files.
"""
import hashlib, inspect, json, os, sys, warnings
warnings.filterwarnings("ignore"); os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch, transformers
from safetensors.torch import save_file
from transformers import CONFIG_MAPPING, AutoModelForCausalLM
torch.set_num_threads(1); transformers.utils.logging.disable_progress_bar()

LAYERS, TOKENS, VOCABULARY = 4, 12, 16
# Whatever a family calls its sizes.
SIZES = {}
for words, value in [
    ("hidden_size n_embd d_model", 8), ("num_hidden_layers n_layer n_layers num_layers", LAYERS),
    ("num_attention_heads n_head n_heads num_heads attention_heads", 2), ("num_key_value_heads", 1), ("head_dim", 4),
    ("intermediate_size ffn_dim n_inner ffn_hidden_size dff intermediate_size_mlp", 12), ("vocab_size", VOCABULARY),
    ("max_position_embeddings n_positions n_ctx max_seq_len", 32), ("bos_token_id", 1), ("eos_token_id", 2), ("pad_token_id", 0),
    ("moe_intermediate_size", 8), ("shared_expert_intermediate_size", 8), ("sliding_window window_size", 4),
    ("num_experts num_local_experts n_routed_experts moe_num_experts", 4), ("num_experts_per_tok moe_k", 2),
    ("query_pre_attn_scalar", 4), ("original_max_position_embeddings", 8),
    ("attention_dropout hidden_dropout resid_pdrop embd_pdrop attn_pdrop dropout activation_dropout hidden_dropout_prob "
     "attention_probs_dropout_prob residual_dropout embedding_dropout layerdrop mlp_dropout embed_dropout resid_dropout", 0.0),
]: SIZES.update({word: value for word in words.split()})
LATENT = dict(q_lora_rank=6, kv_lora_rank=6, qk_nope_head_dim=4, qk_rope_head_dim=2, v_head_dim=4, num_key_value_heads=2, head_dim=2)
WIDER = dict(qk_rope_head_dim=4, head_dim=4)                 # two pairs, so that another width of heads runs
MAMBA2 = dict(mamba_n_heads=4, mamba_d_head=4, mamba_headdim=4, n_mamba_heads=4, mamba_d_state=4, mamba_n_groups=1, mamba_chunk_size=4, chunk_size=4, mamba_expand=2)
DELTA = dict(linear_num_value_heads=4, linear_num_key_heads=2, linear_key_head_dim=4, linear_value_head_dim=4, layer_types=["linear_attention", "full_attention"] * 2)
EXPERTS = dict(n_routed_experts=4, n_shared_experts=1, first_k_dense_replace=1, n_group=2, topk_group=1)
INDEXER = dict(index_n_heads=8, index_head_dim=6, index_topk=4)    # so many heads that no two keys score zero
LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8)
# name: (model_type, what is special)
FAMILIES = {name: (name, {}) for name in """apertus arcee biogpt bitnet bloom cohere ctrl flex_olmo gemma2 gemma3_text glm glm4 gpt2 gpt_bigcode
    granite helium hunyuan_v1_dense jais2 llama nanochat nemotron olmo olmo2 olmo3 olmoe opt openai-gpt persimmon phi qwen2
    qwen3 qwen2_moe qwen3_moe seed_oss smollm3 starcoder2 xglm mistral ministral vaultgemma falcon ernie4_5 hyperclovax""".split()}
FAMILIES |= {
    "gpt_neox": ("gpt_neox", dict(hidden_size=16)), "stablelm": ("stablelm", dict(hidden_size=16)), "cohere2": ("cohere2", {}), "codegen": ("codegen", dict(rotary_dim=2, n_embd=16, hidden_size=16, n_head=4, num_attention_heads=4)), "gptj": ("gptj", dict(rotary_dim=2)),
    "cwm": ("cwm", dict(rope_parameters=LLAMA3)), "gemma": ("gemma", {}), "exaone4": ("exaone4", {}),
    "deepseek_v2": ("deepseek_v2", LATENT | EXPERTS), "deepseek_v3": ("deepseek_v3", LATENT | EXPERTS | WIDER),
    "dots1": ("dots1", EXPERTS), "glm4_moe": ("glm4_moe", EXPERTS), "solar_open": ("solar_open", {k: v for k, v in EXPERTS.items() if k != "first_k_dense_replace"}),
    "ernie4_5_moe": ("ernie4_5_moe", dict(moe_layer_start_index=1, moe_num_shared_experts=1)),
    "gpt_neo": ("gpt_neo", dict(attention_types=[[["global", "local"], 2]])), "gpt_oss": ("gpt_oss", {}),
    "granitemoe": ("granitemoe", {}), "granitemoeshared": ("granitemoeshared", dict(shared_intermediate_size=8)),
    "hunyuan_v1_moe": ("hunyuan_v1_moe", dict(moe_topk=[2] * LAYERS, moe_intermediate_size=[12] * LAYERS, num_shared_expert=[1] * LAYERS)),
    "lfm2": ("lfm2", dict(block_ff_dim=12, layer_types=["conv", "full_attention", "conv", "full_attention"])),
    "llama4_text": ("llama4_text", dict(num_experts_per_tok=1, attention_chunk_size=6, interleave_moe_layer_step=2)),
    "mamba2": ("mamba2", dict(state_size=4, num_heads=4, head_dim=4, n_groups=1, expand=2, chunk_size=4)),
    "minicpm3": ("minicpm3", LATENT | dict(dim_model_base=8)), "youtu": ("youtu", LATENT | WIDER | dict(pad_token_id=None))   # else a row of zeros when it is loaded
    , "minimax_m2": ("minimax_m2", {}),
    "ministral3": ("ministral3", {}), "mixtral": ("mixtral", dict(sliding_window=None)),
    "modernbert-decoder": ("modernbert-decoder", dict(local_attention=8)), "mpt": ("mpt", dict(expansion_ratio=4)),
    "phi3": ("phi3", dict(sliding_window=None)),
    "phi3-longrope": ("phi3", dict(sliding_window=None, rope_parameters=dict(rope_type="longrope", rope_theta=10000.0, short_factor=[1.0, 1.1], long_factor=[2.0, 2.5], original_max_position_embeddings=8))),
    # Without a theta in attn_config, which decides nothing there, transformers 5.23.0 makes none ("no attribute 'rope_theta'").
    "dbrx": ("dbrx", dict(attn_config=dict(kv_n_heads=1, rope_theta=10000.0, clip_qkv=1.5), ffn_config=dict(ffn_hidden_size=12, moe_num_experts=4, moe_top_k=2))),
    "llama-llama3": ("llama", dict(rope_parameters=LLAMA3)), "llama-yarn": ("llama", dict(rope_parameters=dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=8))),
    "falcon-40b": ("falcon", dict(new_decoder_architecture=True, num_kv_heads=1)),
    "falcon-rw": ("falcon", dict(alibi=True, multi_query=False, parallel_attn=False, bias=True)),
    "opt-350m": ("opt", dict(do_layer_norm_before=False, word_embed_proj_dim=4)),
    "qwen2-windows": ("qwen2", dict(use_sliding_window=True, max_window_layers=2)),
    # What was published since.
    "afmoe": ("afmoe", dict(num_dense_layers=1, num_shared_experts=1)),
    "aria_text": ("aria_text", {}),
    "axk1": ("axk1", LATENT | EXPERTS | WIDER),
    "bailing_hybrid": ("bailing_hybrid", {k: v for k, v in LATENT.items() if k != "q_lora_rank"} | dict(qk_rope_head_dim=4, head_dim=4, layer_group_size=2, first_k_dense_replace=1, num_expert_group=2, topk_group=1, num_experts=4, num_shared_experts=1, num_experts_per_token=2)),
    "bamba": ("bamba", MAMBA2 | dict(attn_layer_indices=[1, 3])),
    "cohere2_moe": ("cohere2_moe", dict(num_shared_experts=1)),
    "cohere_compass_text": ("cohere_compass_text", dict(logit_scale=0.5, layer_types=["sliding_attention", "full_attention"] * 2, rope_parameters=dict(full_attention=None, sliding_attention=dict(rope_type="default", rope_theta=10000.0)))),
    "diffllama": ("diffllama", dict(num_key_value_heads=2, num_attention_heads=4)),
    "doge": ("doge", dict(keep_window_size=32, num_key_value_heads=1, sliding_window=None)),
    "exaone_moe": ("exaone_moe", dict(num_shared_experts=1)),
    "falcon_h1": ("falcon_h1", dict(key_multiplier=0.7, attention_in_multiplier=0.9, attention_out_multiplier=1.1, ssm_in_multiplier=0.8, ssm_out_multiplier=1.2, ssm_multipliers=[0.9, 1.1, 0.8, 1.2, 0.7], mlp_multipliers=[0.9, 1.2], embedding_multiplier=1.5, lm_head_multiplier=0.6, mamba_d_ssm=16, mamba_n_heads=4, mamba_d_head=4, mamba_d_state=4, mamba_n_groups=1, mamba_chunk_size=4)),
    "falcon_mamba": ("falcon_mamba", dict(state_size=4, time_step_rank=3)),
    "flint": ("flint", {}),
    "glm4_moe_lite": ("glm4_moe_lite", LATENT | EXPERTS | WIDER),
    "gpt-sw3": ("gpt-sw3", {}),
    "gpt_neox_japanese": ("gpt_neox_japanese", dict(hidden_size=16)),
    "granite_swa": ("granite_swa", dict(layer_rope_theta=[0, 10000.0, 500.0, 10000.0])),
    "granitemoe_swa": ("granitemoe_swa", dict(layer_rope_theta=[0, 10000.0, 500.0, 10000.0], shared_intermediate_size=8)),
    "granitemoehybrid": ("granitemoehybrid", MAMBA2 | dict(layer_types=["mamba", "attention", "mamba", "attention"], shared_intermediate_size=8)),
    "granitemoehybrid-dense": ("granitemoehybrid", MAMBA2 | dict(num_local_experts=0, num_experts_per_tok=0, layer_types=["mamba", "attention", "mamba", "attention"], shared_intermediate_size=12)),
    "hy_v3": ("hy_v3", dict(num_shared_experts=1)),
    "internlm3": ("internlm3", {}),
    "iquestcoder": ("iquestcoder", {}),
    "jamba": ("jamba", dict(num_experts=2, attn_layer_period=2, attn_layer_offset=1, mamba_d_state=4, mamba_dt_rank=3, use_mamba_kernels=False)),
    "kimi_linear": ("kimi_linear", LATENT | dict(linear_head_dim=4, linear_num_heads=2, num_shared_experts=1, layer_types=["linear_attention", "full_attention"] * 2)),
    "kolibri1": ("kolibri1", {}),
    "laguna": ("laguna", dict(num_attention_heads_per_layer=[2, 4, 4, 2], layer_types=["full_attention", "sliding_attention", "sliding_attention", "full_attention"])),
    "lfm2_moe": ("lfm2_moe", dict(num_dense_layers=1, layer_types=["conv", "full_attention", "conv", "full_attention"])),
    "lfm3": ("lfm3", dict(conv_L_cache=3, layer_types=["conv", "sliding_attention", "full_attention", "conv"])),
    "mamba": ("mamba", dict(state_size=4, time_step_rank=3)),
    "mellum": ("mellum", dict(layer_types=["full_attention", "sliding_attention"] * 2, mlp_layer_types=["dense", "sparse", "sparse", "dense"])),
    "mimo_v2_flash": ("mimo_v2_flash", dict(v_head_dim=6, num_attention_heads=4, layer_types=["full_attention", "sliding_attention"] * 2, head_dim=12)),
    "minimax": ("minimax", dict(block_size=4, sliding_window=None)),
    "nemotron_h": ("nemotron_h", dict(layers_block_type=["mamba", "attention", "moe", "mlp"], mamba_num_heads=4, mamba_head_dim=4, ssm_state_size=4, n_groups=1, chunk_size=4, moe_shared_expert_intermediate_size=8)),
    "olmo_hybrid": ("olmo_hybrid", DELTA | dict(linear_num_value_heads=2)),
    "phimoe": ("phimoe", dict(attention_bias=True, lm_head_bias=True)),
    "qwen3_5_moe_text": ("qwen3_5_moe_text", DELTA | dict(head_dim=8)),
    "qwen3_5_text": ("qwen3_5_text", DELTA | dict(head_dim=8)),
    "qwen3_next": ("qwen3_next", DELTA | dict(head_dim=8)),
    "recurrent_gemma": ("recurrent_gemma", dict(lru_width=8, attention_window_size=4)),
    # Keys that an indexer chooses, experts of attention, recurrences of one number a channel, shared blocks.
    "axk2": ("axk2", LATENT | WIDER | INDEXER | dict(n_routed_experts=4, n_shared_experts=1, n_group=2, topk_group=1, gated_norm_rank=3)),
    "axk2-light": ("axk2", LATENT | WIDER | INDEXER | dict(n_routed_experts=4, n_shared_experts=1, gated_norm_rank=3)),
    "deepseek_v32": ("deepseek_v32", LATENT | EXPERTS | WIDER | INDEXER),
    "dots3_note_text": ("dots3_note_text", LATENT | WIDER | INDEXER | dict(n_routed_experts=4, n_shared_experts=1, first_k_dense_replace=1, shared_experts_intermediate_size=8, sliding_window=4, swa_num_attention_heads=2, swa_num_key_value_heads=2, swa_q_lora_rank=5, swa_kv_lora_rank=7, swa_head_dim=8, swa_qk_nope_head_dim=4, swa_qk_rope_head_dim=4, swa_v_head_dim=6, layer_types=["indexed_attention", "sliding_attention"] * 2)),
    "glm_moe_dsa": ("glm_moe_dsa", LATENT | EXPERTS | WIDER | INDEXER | dict(indexer_types=["full", "shared", "full", "shared"])),
    "jetmoe": ("jetmoe", dict(kv_channels=4, num_key_value_heads=2)),
    "longcat_flash": ("longcat_flash", LATENT | dict(qk_rope_head_dim=4, head_dim=4, num_layers=2, num_hidden_layers=4, n_routed_experts=4, zero_expert_num=2, moe_topk=3, expert_ffn_hidden_size=8, ffn_hidden_size=12)),
    "minimax_m3_vl_text": ("minimax_m3_vl_text", dict(head_dim=6, rotary_dim=4, num_attention_heads=4, num_key_value_heads=2, intermediate_size=8, dense_intermediate_size=12, shared_intermediate_size=8, index_n_heads=2, index_head_dim=6, index_block_size=2, index_topk_blocks=3, index_local_blocks=1, layer_types=["full_attention", "minimax_m3_sparse"] * 2, mlp_layer_types=["dense", "sparse", "sparse", "sparse"])),
    "rwkv": ("rwkv", dict(attention_hidden_size=8, context_length=32)),
    "xlm": ("xlm", dict(emb_dim=8, causal=True, n_langs=1, pad_token_id=1)),
    "zamba": ("zamba", dict(mamba_d_state=4, mamba_dt_rank=3, n_mamba_heads=2, num_key_value_heads=2, attention_head_dim=8, head_dim=8, num_hidden_layers=5, layers_block_type=["linear_attention", "hybrid", "linear_attention", "hybrid", "hybrid"])),
    "zamba2": ("zamba2", dict(mamba_d_state=4, mamba_expand=2, n_mamba_heads=4, chunk_size=4, num_hidden_layers=6, num_key_value_heads=2, mamba_ngroups=1, num_mem_blocks=2, adapter_rank=3, attention_head_dim=8, head_dim=8, layers_block_type=["linear_attention", "hybrid", "linear_attention", "hybrid", "hybrid", "linear_attention"])),
    "zamba2-rope": ("zamba2", dict(mamba_d_state=4, mamba_expand=2, n_mamba_heads=4, chunk_size=4, num_hidden_layers=4, num_key_value_heads=2, mamba_ngroups=1, use_mem_rope=True, use_shared_attention_adapter=True, adapter_rank=3, attention_head_dim=8, head_dim=8, layers_block_type=["linear_attention", "hybrid"] * 2)),
    "gemma4_text": ("gemma4_text", dict(num_hidden_layers=6, global_head_dim=8, hidden_size_per_layer_input=3, vocab_size_per_layer_input=16, num_kv_shared_layers=2, layer_types=["sliding_attention", "sliding_attention", "full_attention", "sliding_attention", "sliding_attention", "full_attention"])),
    "gemma3n_text": ("gemma3n_text", dict(num_hidden_layers=6, vocab_size_per_layer_input=13, hidden_size_per_layer_input=3, altup_num_inputs=3, laurel_rank=3, num_kv_shared_layers=2, intermediate_size=[12, 12, 16, 12, 12, 16], activation_sparsity_pattern=[0.7, 0.4, 0.0, 0.0, 0.0, 0.0], layer_types=["sliding_attention", "sliding_attention", "full_attention", "sliding_attention", "sliding_attention", "full_attention"])),
    "gemma4_unified_text": ("gemma4_unified_text", dict(num_hidden_layers=4, global_head_dim=8, layer_types=["sliding_attention", "full_attention"] * 2)),
    "hrm_text": ("hrm_text", dict(num_hidden_layers=2, H_cycles=2, L_cycles=2)),
}

def make(out, name, kind, special):
    seed = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16); torch.manual_seed(seed)
    cls = CONFIG_MAPPING[kind]
    known = set(inspect.signature(cls.__init__).parameters) | set(getattr(cls, "attribute_map", {}))
    for base in cls.__mro__: known |= set(getattr(base, "__annotations__", {}))
    config = cls(**({k: v for k, v in SIZES.items() if k in known} | special))
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        # Large enough that each layer matters, and rounded to bf16 so that a file may hold half the bytes.
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * (0.35 if parameter.dim() > 1 else 0.2))
            parameter.copy_(parameter.bfloat16().float())
    ids = torch.randint(3, VOCABULARY, (1, TOKENS), generator=generator)
    with torch.no_grad():
        logits = model(input_ids=ids, use_cache=False).logits.float()
        greedy = ids[:, :6]
        for _ in range(8): greedy = torch.cat([greedy, model(input_ids=greedy, use_cache=False).logits[:, -1:].argmax(-1)], 1)
    assert torch.isfinite(logits).all()
    folder = os.path.join(out, name); model.save_pretrained(folder)
    extra = os.path.join(folder, "generation_config.json")
    if os.path.exists(extra): os.remove(extra)
    save_file({"input_ids": ids, "logits": logits.contiguous(), "greedy": greedy}, os.path.join(folder, "expected.safetensors"))
    return sum(p.numel() for p in model.parameters()), float(logits.std())

if __name__ == "__main__":
    failed = 0
    for name, (kind, special) in FAMILIES.items():
        if sys.argv[2:] and name not in sys.argv[2:]: continue
        try: print("%-20s %6d parameters, logits' deviation %.2f" % (name, *make(sys.argv[1], name, kind, special)), flush=True)
        except Exception as error: failed += 1; print(f"{name}: {type(error).__name__}: {str(error)[:200]}", flush=True)
    sys.exit(failed > 0)
