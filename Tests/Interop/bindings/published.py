#!/usr/bin/env python3
"""Configurations as they stand on the hub: keys of older versions, of a model's own code, and of how it was trained.

usage: published.py BINDINGS        needs: pip install torch transformers==5.23.0 safetensors
BINDINGS is Tests/Bindings. To each folder named below a case "as published" is added, or made anew, with the logits that
the reference implementation gives it: such a configuration is read, never refused. The keys are those of published
models' config.json, the sizes those of the folder's weights.
"""
import json, logging, os, shutil, sys, tempfile, warnings
warnings.filterwarnings("ignore"); logging.disable(logging.CRITICAL); os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch, transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM
torch.set_num_threads(1); transformers.utils.logging.disable_progress_bar()

TITLE = "as published"
CODE = {"auto_map": {"AutoConfig": "configuration_x.XConfig", "AutoModelForCausalLM": "modeling_x.XForCausalLM"}, "_name_or_path": "x/y"}
STEPS = dict(time_step_init_scheme="random", time_step_scale=1.0, time_step_floor=1e-4, time_step_min=0.001, time_step_max=0.1)
HUNYUAN = dict(attention_head_dim=4, cla_share_factor=2, dense_list=[8, 0], enable_lm_head_fp32=False, im_start_id=4, mask_init_id=12,
               mlp_bias=False, norm_type="rms", org_vocab_size=16, pad_id=0, text_start_id=6, use_cla=False, use_qk_norm=True,
               use_rotary_pos_emb=True, use_mixed_mlp_moe=False, num_experts=1, add_classification_head=False, class_num=0)
# name: (what is said, what is not said)
PUBLISHED = {
    "bamba": (dict(attn_rotary_emb=2, attn_layer_indices=[1, 3]), []),
    "cohere2": (dict(_sliding_window_pattern=2, cache_implementation="hybrid", use_parallel_block=True, rotary_pct=1.0), []),
    "falcon": (CODE, []),
    "falcon_mamba": (STEPS | dict(expand=16, intermediate_size=16), []),
    "gemma2": (dict(sliding_window_size=4, cache_implementation="hybrid"), []),
    "hunyuan_v1_dense": (HUNYUAN, []),
    "jamba": (CODE | dict(calc_logits_for_entire_prompt=False, mamba_inner_layernorms=True, n_ctx=32, num_logits_to_keep=1), []),
    "kimi_linear": (CODE | dict(linear_attn_config=dict(full_attn_layers=[2, 4], head_dim=4, kda_layers=[1, 3], num_heads=2, short_conv_kernel_size=4),
                    first_k_dense_replace=1, head_dim=72, mla_use_nope=True, moe_layer_freq=1, moe_router_activation_func="sigmoid", use_grouped_topk=True,
                    num_nextn_predict_layers=0, rope_theta=10000.0, rope_scaling=None), ["layer_types", "mlp_layer_types", "linear_head_dim", "linear_num_heads", "linear_conv_kernel_dim"]),
    "llama": (CODE, []),
    "mamba": (STEPS | dict(intermediate_size=16, d_inner=16, d_model=8, ssm_cfg={}, fused_add_norm=True, rms_norm=True), []),
    "mamba2": (STEPS, []),
    "mimo_v2_flash": (CODE | dict(add_swa_attention_sink_bias=True,
                      add_full_attention_sink_bias=False, attention_chunk_size=128, hybrid_block_size=None, layernorm_epsilon=1e-5, moe_layer_freq=[0, 1, 1, 1],
                      scoring_func="sigmoid", topk_method="noaux_tc", sliding_window_size=3), []),
    "nemotron_h": (CODE | dict(num_query_groups=1, rms_norm_eps=1e-5, norm_eps=1e-5, attention_head_dim=4, time_step_rank=3), []),
    "phi3": (CODE | dict(mlp_bias=False, lm_head_bias=False, full_attn_mod=1, interpolate_factor=1), []),
    "phimoe": (CODE | dict(original_max_position_embeddings=8, input_jitter_noise=0.01, rope_theta=10000.0,
               rope_scaling=dict(type="longrope", long_factor=[1.0, 2.0], short_factor=[1.0, 1.5], long_mscale=1.2, short_mscale=1.2,
                                 original_max_position_embeddings=8)), ["rope_parameters"]),
    "recurrent_gemma": (dict(embeddings_scale_by_sqrt_dim=True, final_w_init_variance_scale=0.08), []),
    "starcoder2": (dict(layer_norm_epsilon=1e-5), []),
    "granitemoehybrid-dense": (dict(init_method="mup", normalization_function="rmsnorm", position_embedding_type="nope", rope_scaling=None, rope_theta=10000), ["rope_parameters"]),
    "lfm2_moe": (dict(norm_topk_prob=False), []),
    "internlm3": (CODE, ["rms_norm_eps"]),
}

def logits(folder, ids):
    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    with torch.no_grad(): return model.float().eval()(input_ids=ids, use_cache=False).logits.float()

def main():
    bindings = sys.argv[1]
    for name, (said, unsaid) in PUBLISHED.items():
        folder = os.path.join(bindings, name)
        if not os.path.exists(folder): print(name, "has no folder"); continue
        config = json.load(open(folder + "/config.json")); cases = json.load(open(folder + "/cases.json"))
        stored = load_file(folder + "/logits.safetensors")
        old = [i for i, case in enumerate(cases) if case["title"] == TITLE]
        index = old[0] if old else len(cases)
        case = {"title": TITLE, "set": said, "remove": sorted(key for key in unsaid if key in config)}
        changed = {k: v for k, v in (config | said).items() if k not in unsaid or k in said}
        work = tempfile.mkdtemp()
        try:
            shutil.copy(folder + "/model.safetensors", work); json.dump(changed, open(work + "/config.json", "w"))
            stored[str(index)] = logits(work, stored["input_ids"])[0].contiguous()
        finally: shutil.rmtree(work)
        cases[index:index + 1] = [case]
        json.dump(cases, open(folder + "/cases.json", "w"), indent=0); save_file(stored, folder + "/logits.safetensors")
        print(f"{name}: moves {float((stored[str(index)] - stored['unchanged']).abs().max()):.3g}", flush=True)

main()
