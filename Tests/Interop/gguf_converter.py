#!/usr/bin/env python3
"""A folder as llama.cpp's converter writes it, in f32.

usage: gguf_converter.py LLAMA_CPP FOLDER OUT.gguf        needs: pip install torch transformers==5.23.0 numpy sentencepiece
LLAMA_CPP is a folder with llama.cpp's sources, such as `vendor/llama.cpp` of llama-cpp-python's source archive.
"""
import json, logging, shutil, sys, tempfile
from pathlib import Path
import torch
sys.path.insert(0, sys.argv[1] + "/gguf-py"); sys.path.insert(0, sys.argv[1])
import gguf, conversion
from conversion import base

GONE = object()
# What published configurations say, and transformers leaves out or says in other words.
KINDS = {"linear_attention": "M", "full_attention": "*", "mlp": "-", "moe": "E"}
MORE = {
    "afmoe": lambda c: dict(score_func="sigmoid", route_norm=True),
    "cohere2": lambda c: dict(rotary_pct=1.0),
    "dots1": lambda c: dict(scoring_func="sigmoid"),
    "exaone_moe": lambda c: dict(scoring_func="sigmoid", num_nextn_predict_layers=0),
    "glm4_moe": lambda c: dict(num_nextn_predict_layers=0),
    "gpt2": lambda c: dict(n_ctx=c["n_positions"]),
    "granitemoehybrid": lambda c: dict(layer_types=[{"linear_attention": "mamba", "full_attention": "attention"}.get(t, t) for t in c["layer_types"]]),
    "hunyuan_v1_moe": lambda c: {k: [c[k]] for k in ("moe_topk", "num_shared_expert", "moe_intermediate_size") if isinstance(c.get(k), int)},
    "minimax_m2": lambda c: dict(rotary_dim=int(c["head_dim"] * c["rope_parameters"].get("partial_rotary_factor", 1.0))),
    "mpt": lambda c: dict(architectures=["MPTForCausalLM"]),
    "nemotron_h": lambda c: dict(hybrid_override_pattern="".join(KINDS[t] for t in c["layers_block_type"]))
        | ({} if "moe" in c["layers_block_type"] else {k: GONE for k in ("num_experts_per_tok", "n_routed_experts", "n_shared_experts", "n_group", "topk_group")}),
    "phimoe": lambda c: dict(architectures=["PhiMoEForCausalLM"], original_max_position_embeddings=c["max_position_embeddings"]),
    "solar_open": lambda c: dict(partial_rotary_factor=1.0),
}

def vocabulary(self):
    """A word for each id, in place of the tokenizer that a random model has not."""
    count, w = self.hparams.get("vocab_size") or self.hparams["padded_vocab_size"], self.gguf_writer
    w.add_tokenizer_model("gpt2"); w.add_tokenizer_pre("gpt-2"); w.add_token_merges(["t 1"])
    w.add_token_list(["t%d" % i for i in range(count)]); w.add_token_types([gguf.TokenType.NORMAL] * count)

logging.disable(logging.WARNING)
folder = Path(sys.argv[2]); config = json.load(open(folder / "config.json"))
with tempfile.TemporaryDirectory() as t, torch.inference_mode():
    if not (folder / "tokenizer.json").exists():        # some converters cut tensors to the size of the vocabulary
        copy = Path(t) / folder.resolve().name; shutil.copytree(folder, copy); folder = copy
        json.dump({"model": {"vocab": {"t%d" % i: i for i in range(config.get("vocab_size", 0))}}, "added_tokens": []}, open(folder / "tokenizer.json", "w"))
    hparams = base.ModelBase.load_hparams(folder, False); hparams.update(MORE.get(config["model_type"], lambda c: {})(config))
    hparams = {k: v for k, v in hparams.items() if v is not GONE}
    kind = conversion.get_model_class(conversion.get_model_architecture(hparams, base.ModelType.TEXT), mmproj=False)
    if kind.supports_mtp_export: kind.no_mtp = True
    for parent in kind.__mro__:
        if "set_vocab" in vars(parent): parent.set_vocab = vocabulary
    kind(folder, gguf.LlamaFileType.ALL_F32, Path(sys.argv[3]), eager=True, hparams=hparams).write()
