#!/usr/bin/env python3
"""Tiny models whose rotary scaling goes by the length of the text, with what transformers generates across the border.

usage: lengths.py [OUT]        writes OUT/<name>/{config.json,model.safetensors,expected.json}; OUT is Tes../Regressions/Lengths
needs: pip install torch transformers==5.23.0 safetensors

expected.json has, computed in float32 with eager attention:
  prompt, greedy   generate(prompt) with a cache, greedily, across the original context
  text, logits     a text longer than the context, and the logits of its last token in one pass
"""
import json, os, sys, warnings
warnings.filterwarnings("ignore"); os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch
from transformers import AutoConfig, AutoModelForCausalLM

SIZES = dict(
    hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, vocab_size=32,
    bos_token_id=1, eos_token_id=None, pad_token_id=0, initializer_range=0.4, tie_word_embeddings=False)
SHORT, LONG = [1.0, 1.1, 1.3, 1.6], [1.0, 2.5, 6.0, 11.0]
MODELS = {
    # Phi-3 computes its cache again where a text outgrows the original context; LLaMA keeps what is cached.
    "phi3-longrope": ("phi3", dict(
        max_position_embeddings=96, original_max_position_embeddings=24,
        rope_parameters=dict(rope_type="longrope", rope_theta=10000.0, short_factor=SHORT, long_factor=LONG))),
    "llama-longrope": ("llama", dict(
        max_position_embeddings=96, rope_parameters=dict(
            rope_type="longrope", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=24,
            short_factor=SHORT, long_factor=LONG))),
    "llama-dynamic": ("llama", dict(
        max_position_embeddings=24, rope_parameters=dict(rope_type="dynamic", rope_theta=10000.0, factor=3.0))),
}

def make(name, out):
    kind, extra = MODELS[name]
    for seed in range(200):
        torch.manual_seed(seed)
        config = AutoConfig.for_model(kind, **SIZES, **extra)
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
        prompt = [(7 * i * i + 3 * i + 5) % 32 for i in range(14)]
        text = [(5 * i * i + i + 2) % 32 for i in range(60)]
        with torch.no_grad():
            result = model.generate(
                torch.tensor([prompt]), max_new_tokens=40, do_sample=False, return_dict_in_generate=True, output_scores=True)
            greedy = result.sequences[0, len(prompt):].tolist()
            margin = min((s.topk(2).values[0, 0] - s.topk(2).values[0, 1]).item() for s in result.scores)
            # A fresh model: dynamic frequencies stay with what a model has seen.
            fresh = AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
            fresh.load_state_dict(model.state_dict())
            logits = fresh(torch.tensor([text])).logits[0, -1].tolist()
            uncached = fresh.generate(torch.tensor([prompt]), max_new_tokens=40, do_sample=False, use_cache=False)
        # Only a text that tells the ways apart is worth keeping: many tokens, none chosen by a hair.
        if margin > 0.02 and len(set(greedy[10:])) > 8: break
    folder = os.path.join(out, name)
    model.save_pretrained(folder)
    for left in ("generation_config.json",):
        if os.path.exists(os.path.join(folder, left)): os.remove(os.path.join(folder, left))
    json.dump(dict(prompt=prompt, greedy=greedy, text=text, logits=logits), open(os.path.join(folder, "expected.json"), "w"))
    print(name, "seed", seed, "margin %.3f" % margin, "uncached the same:", uncached[0, len(prompt):].tolist() == greedy)

if __name__ == "__main__":
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../Regressions/Lengths")
    for name in MODELS: make(name, out)
