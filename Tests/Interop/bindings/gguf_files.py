#!/usr/bin/env python3
"""GGUF files of tiny models whose metadata or tensors scale rotary angles, with the reference's logits.

usage: gguf_files.py TINY OUT        needs: pip install torch transformers==5.23.0 safetensors gguf
TINY is a folder of `tiny.py`. OUT gets NAME.gguf and NAME.safetensors (`input_ids`, `logits`): what the reference
implementation computes with the same weights, scaled by what the file says.
"""
import json, math, os, shutil, sys, tempfile
import gguf, numpy, torch
from safetensors.torch import load_file, save_file
from references import logits

def write(path, arch, config, tensors, more):
    writer = gguf.GGUFWriter(path, arch)
    heads = config["num_attention_heads"]
    writer.add_context_length(config["max_position_embeddings"]); writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"]); writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads); writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"]); writer.add_rope_dimension_count(config["hidden_size"] // heads)
    writer.add_rope_freq_base((config.get("rope_parameters") or {}).get("rope_theta", 10000.0)); writer.add_file_type(0)
    more(writer)
    for name, tensor in tensors.items(): writer.add_tensor(name, numpy.ascontiguousarray(tensor.float().numpy()))
    writer.write_header_to_file(); writer.write_kv_data_to_file(); writer.write_tensors_to_file(); writer.close()

NAMES = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "self_attn.qkv_proj": "attn_qkv", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
         "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "mlp.gate_up_proj": "ffn_up"}

def renamed(weights, config, permuted):
    """llama.cpp's names; LLaMA's rows of q and k are as Meta trained them, neighbours turning together."""
    result = {}
    for name, tensor in weights.items():
        if name == "model.embed_tokens.weight": result["token_embd.weight"] = tensor
        elif name == "model.norm.weight": result["output_norm.weight"] = tensor
        elif name == "lm_head.weight": result["output.weight"] = tensor
        else:
            _, _, layer, rest = name.split(".", 3); stem, kind = rest.rsplit(".", 1)
            if permuted and stem in ("self_attn.q_proj", "self_attn.k_proj"):
                count = config["num_attention_heads"] if stem[10] == "q" else config["num_key_value_heads"]
                tensor = tensor.reshape(count, 2, tensor.shape[0] // count // 2, *tensor.shape[1:]).swapaxes(1, 2).reshape(tensor.shape)
            result[f"blk.{layer}.{NAMES[stem]}.{kind}"] = tensor
    return result

def make(tiny, out, name, source, arch, rope, more, extra={}, permuted=False, change={}):
    config = json.load(open(os.path.join(tiny, source, "config.json"))); weights = load_file(os.path.join(tiny, source, "model.safetensors"))
    ids = load_file(os.path.join(tiny, source, "expected.safetensors"))["input_ids"]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(tiny, source, "model.safetensors"), folder)
        config["rope_parameters"] = dict(rope, rope_theta=10000.0); config.update(change)
        json.dump(config, open(os.path.join(folder, "config.json"), "w"))
        wanted = logits(folder, ids)
    tensors = renamed(weights, config, permuted) | {k: torch.tensor(v) for k, v in extra.items()}
    write(os.path.join(out, name + ".gguf"), arch, config, tensors, more)
    save_file({"input_ids": ids, "logits": wanted.contiguous()}, os.path.join(out, name + ".safetensors"))
    print(name, float(wanted.std()))

def main():
    tiny, out = sys.argv[1:3]; os.makedirs(out, exist_ok=True)
    factors = [1.5, 6.0]
    same = dict(rope_type="longrope", short_factor=factors, long_factor=factors, attention_factor=1.0, original_max_position_embeddings=32)
    nothing = lambda writer: None
    make(tiny, out, "llama-rope-freqs", "llama", "llama", same, nothing, {"rope_freqs.weight": factors}, permuted=True)
    make(tiny, out, "qwen2-rope-freqs", "qwen2", "qwen2", same, nothing, {"rope_freqs.weight": factors})
    make(tiny, out, "llama-scale-linear", "llama", "llama", dict(rope_type="linear", factor=4.0),
         lambda w: w.add_float32("llama.rope.scale_linear", 4.0), permuted=True)
    make(tiny, out, "qwen2-scale-linear", "qwen2", "qwen2", dict(rope_type="linear", factor=2.0),
         lambda w: w.add_float32("qwen2.rope.scale_linear", 2.0))
    make(tiny, out, "qwen2-factor-alone", "qwen2", "qwen2", dict(rope_type="linear", factor=2.0),
         lambda w: w.add_rope_scaling_factor(2.0))
    make(tiny, out, "qwen2-yarn", "qwen2", "qwen2", dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=8),
         lambda w: (w.add_rope_scaling_type(gguf.RopeScalingType.YARN), w.add_rope_scaling_factor(4.0), w.add_rope_scaling_orig_ctx_len(8)))
    short, long = [1.0, 1.25], [2.0, 5.0]
    make(tiny, out, "phi3-rope-factors", "phi3", "phi3",
         dict(rope_type="longrope", short_factor=short, long_factor=long, original_max_position_embeddings=8, partial_rotary_factor=1.0),
         lambda w: (w.add_rope_scaling_orig_ctx_len(8), w.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(32 / 8) / math.log(8)))),
         {"rope_factors_long.weight": long, "rope_factors_short.weight": short}, change={"original_max_position_embeddings": 8})

main()
