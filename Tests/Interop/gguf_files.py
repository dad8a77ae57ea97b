#!/usr/bin/env python3
"""Is what `chimera save --to gguf` writes what others read?

usage: gguf_files.py CHIMERA FOLDER ... [--llama LIB] [--converter LLAMA_CPP] [--table FILE]      needs: pip install torch transformers==5.23.0 gguf==0.19.0 numpy
FOLDER is a fixture: config.json, model.safetensors and expected.safetensors with `input_ids` and `logits`.

Each folder is written as it is and as Q8_0. Chimera must read back the reference's logits; PyPI gguf must read the file, and the blocks
of Q8_0, Q4_0, Q4_1, Q5_0 and Q5_1 must be those of its quantizer. With --llama, the folder of libllama.so and libggml-base.so, and the
Python package `llama_cpp` on the path, llama.cpp must give the reference's logits too (1e-3 is the bound, but for DIFFERENCES), and a
wider model's blocks must be those of ggml, K-quants included. With --converter, llama.cpp's sources, Chimera must read what their
converter makes of the folder (`gguf_converter.py`) to the reference's logits too, but for CONVERTED.
"""
import argparse, ctypes, json, os, subprocess, sys, tempfile
import numpy as np
from gguf import GGUFReader, GGMLQuantizationType
from gguf.quants import quantize
from safetensors.numpy import load_file

def run(*command): return subprocess.run(command, capture_output=True, text=True)

def own_logits(chimera, path, ids):
    with tempfile.TemporaryDirectory() as t:
        r = run(chimera, "logits", path, "--exact", "--tokens", ",".join(map(str, ids)), "--output", t + "/l.safetensors")
        if r.returncode: return r.stderr.strip().split("\n")[0]
        return load_file(t + "/l.safetensors")["logits"]

# Where llama.cpp itself computes something else, and how far that goes.
GELU = (5e-3, "llama.cpp looks GELU up in a table of f16")
DIFFERENCES = {name: GELU for name in ("bloom", "gemma", "gemma2", "gemma3_text", "gpt2", "gpt_bigcode", "gpt_neox", "gpt_neox-serial", "mpt", "phi", "starcoder2")}
DIFFERENCES["gpt_oss"] = (2e-2, "llama.cpp rounds the range that YaRN blends; the model says `truncate: false`")
DIFFERENCES["gptj"] = (None, "llama.cpp knows the name, and loads none")
DIFFERENCES["olmoe"] = (None, "llama.cpp takes as many key heads as query heads")

DIFFERENCES["gemma3n-25"] = (5e-2, "llama.cpp divides a variance by one less than the width, and looks GELU up in a table of f16")
DIFFERENCES["phimoe"] = (1e1, "llama.cpp weighs the two best experts by a softmax, and the model each against those nearly as good")
WINDOWED = "llama.cpp turns windowed layers by the base of the others"
DIFFERENCES["mellum-windows"] = (None, WINDOWED)
# Where the converter does not say what the reference computes, or llama.cpp's sources do not know the model.
CONVERTED = {name: "the converter writes a feed-forward four times as wide as the model" for name in ("gpt2", "gpt_bigcode", "falcon-40b-style")}
CONVERTED["phi"] = "the converter writes as many key heads as query heads"
CONVERTED["mistral"] = "the converter says nothing of the window"
CONVERTED["qwen3_moe"] = "no file says that weights are not made to add up to one"
CONVERTED["deepseek_v2"] = "the converter writes groups of experts, which `greedy` does not count by"
CONVERTED["deepseek_v3"] = "the converter says of the sigmoid what config.json does, where transformers writes nothing"
CONVERTED["glm"] = "the converter writes the width as the length of context, and another epsilon"
CONVERTED["afmoe"] = "no file says that embeddings are not scaled, which llama.cpp always does"
CONVERTED["laguna"] = "no file says which layers have windows; llama.cpp takes the first of four for the one without"
CONVERTED["exaone4"] = "llama.cpp gives windows to 64 layers alone"

class Llama:
    def __init__(self, folder):
        os.environ["LLAMA_CPP_LIB_PATH"] = folder
        import llama_cpp
        self.l = llama_cpp
        self.quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(self.quiet, ctypes.c_void_p(0)); llama_cpp.llama_backend_init()
    def logits(self, path, ids, vocabulary):
        """In a process of its own, for llama.cpp ends the one that it cannot go on in."""
        with tempfile.TemporaryDirectory() as t:
            child = os.fork()
            if child == 0:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2); os.environ["GGML_NO_BACKTRACE"] = "1"
                rows = self.own_logits(path, ids, vocabulary)
                if isinstance(rows, str): open(t + "/word", "w").write(rows)
                else: np.save(t + "/rows.npy", rows)
                os._exit(0)
            if os.waitpid(child, 0)[1]: return "llama.cpp aborts"
            return open(t + "/word").read() if os.path.exists(t + "/word") else np.load(t + "/rows.npy")
    def own_logits(self, path, ids, vocabulary):
        L = self.l
        p = L.llama_model_default_params(); p.n_gpu_layers = 0
        model = L.llama_model_load_from_file(path.encode(), p)
        if not model: return "llama.cpp does not load it"
        c = L.llama_context_default_params(); c.n_ctx = 256; c.n_batch = 256; c.n_threads = 1; c.type_k = 0; c.type_v = 0; c.flash_attn_type = 0
        context = L.llama_init_from_model(model, c)
        if not context: return "llama.cpp makes no context"
        b = L.llama_batch_init(len(ids), 0, 1); b.n_tokens = len(ids)
        for i, t in enumerate(ids): b.token[i] = t; b.pos[i] = i; b.n_seq_id[i] = 1; b.seq_id[i][0] = 0; b.logits[i] = 1
        if L.llama_decode(context, b): return "llama.cpp does not decode"
        rows = np.stack([np.ctypeslib.as_array(L.llama_get_logits_ith(context, i), (vocabulary,)).copy() for i in range(len(ids))])
        L.llama_batch_free(b); L.llama_free(context); L.llama_model_free(model)
        return rows

def difference(rows, wanted):
    return rows if isinstance(rows, str) else "%.1e" % np.abs(rows - wanted).max()

KINDS = "Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q4_K_S Q4_K_M Q5_K_S Q5_K_M Q6_K".split()

def blocks_of_ggml(chimera, folder):
    """The tensors of each kind whose bytes are not ggml's, of a Llama that is wide enough for blocks of 256."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM
    base = ctypes.CDLL(folder + "/libggml-base.so")
    base.ggml_quantize_chunk.restype = ctypes.c_size_t
    base.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(hidden_size=512, intermediate_size=1024, num_hidden_layers=8, num_attention_heads=8,
        num_key_value_heads=4, vocab_size=512, max_position_embeddings=64, tie_word_embeddings=False))
    for weight in model.parameters():  # heavier tails than normal, a row of zeros and one of equal numbers
        if weight.ndim == 2: weight.data = torch.distributions.StudentT(4.0).sample(weight.shape) * 0.02; weight.data[0] = 0; weight.data[1] = 0.01
    rows = []
    with tempfile.TemporaryDirectory() as t:
        model.save_pretrained(t + "/m"); run(chimera, "save", t + "/m", "--to", "gguf", "--output", t + "/f.gguf")
        plain = {x.name: x for x in GGUFReader(t + "/f.gguf").tensors}
        for mix in KINDS:
            r = run(chimera, "save", t + "/m", "--to", "gguf", "--quantize", mix, "--output", t + "/q.gguf")
            if r.returncode: rows.append((mix, r.stderr.strip(), 1)); continue
            counts = {}
            for x in GGUFReader(t + "/q.gguf").tensors:
                if x.tensor_type.name in ("F32", "F16"): continue
                source = np.ascontiguousarray(plain[x.name].data.astype(np.float32)); n = source.shape[0]
                out = np.zeros(x.data.size, np.uint8)
                base.ggml_quantize_chunk(int(x.tensor_type.value), source.ctypes.data, out.ctypes.data, 0, n, source.size // n, None)
                count = counts.setdefault(x.tensor_type.name, [0, 0]); count[1] += 1; count[0] += np.array_equal(out, x.data.reshape(-1))
            rows.append((mix, ", ".join("%s %d/%d" % (k, *v) for k, v in counts.items()), sum(v[0] != v[1] for v in counts.values())))
            os.remove(t + "/q.gguf")
    return rows

def main():
    p = argparse.ArgumentParser(); p.add_argument("chimera"); p.add_argument("folders", nargs="+"); p.add_argument("--llama"); p.add_argument("--converter"); p.add_argument("--table")
    a = p.parse_args(); llama = Llama(a.llama) if a.llama else None
    table, bad, seen = [], 0, set()
    for folder in a.folders:
        name = os.path.basename(folder.rstrip("/"))
        if not os.path.exists(folder + "/expected.safetensors") or name in seen: continue
        seen.add(name)
        expected = load_file(folder + "/expected.safetensors"); ids, wanted = expected["input_ids"][0].tolist(), expected["logits"][0]
        with tempfile.TemporaryDirectory() as t:
            converted = ""
            if a.converter:
                here = os.path.dirname(os.path.abspath(__file__))
                r = run(sys.executable, here + "/gguf_converter.py", a.converter, folder, t + "/c.gguf")
                if r.returncode: converted = "none: " + r.stderr.strip().split("\n")[-1][:80].replace("|", " ")
                else:
                    converted = difference(own_logits(a.chimera, t + "/c.gguf", ids), wanted)
                    if not (converted[0].isdigit() and float(converted) <= 1e-4):
                        by_llama = difference(llama.logits(t + "/c.gguf", ids, wanted.shape[1]), wanted) if llama else ""
                        converted = converted.split("error: ")[-1].replace(t, "").replace("|", " ") + ("; llama.cpp " + by_llama if by_llama else "")
                        if name in CONVERTED: converted += ": " + CONVERTED[name]
                        else: bad += 1
            r = run(a.chimera, "save", folder, "--to", "gguf", "--output", t + "/m.gguf")
            if r.returncode: table.append((name, "refused: " + r.stderr.split("error: ", 1)[-1].split("\n")[0], "", converted, "")); print(*table[-1], flush=True); continue
            own = difference(own_logits(a.chimera, t + "/m.gguf", ids), wanted)
            theirs = difference(llama.logits(t + "/m.gguf", ids, wanted.shape[1]), wanted) if llama else ""
            plain = {x.name: x for x in GGUFReader(t + "/m.gguf").tensors}
            blocks = []
            for kind in ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"):
                r = run(a.chimera, "save", folder, "--to", "gguf", "--quantize", kind, "--output", t + "/q.gguf")
                if r.returncode: blocks.append(kind + " " + r.stderr.strip()[:80]); continue
                same = total = 0
                for x in GGUFReader(t + "/q.gguf").tensors:
                    if x.tensor_type.name in ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"):
                        other = quantize(plain[x.name].data.astype(np.float32).reshape(x.data.shape[0], -1), x.tensor_type)
                        total += 1; same += int(np.array_equal(other.ravel(), x.data.ravel()))
                if same != total: bad += 1
                blocks.append("%d/%d" % (same, total)); os.remove(t + "/q.gguf")
            limit, why = DIFFERENCES.get(name, (1e-3, ""))
            for word, bound in ((own, 1e-4), (theirs, limit)):
                try: bad += bound is None or float(word) > bound
                except ValueError: bad += word != "" and bound is not None
            if llama and why: theirs += ": " + why
            table.append((name, own, theirs, converted, " ".join(blocks))); print(*table[-1], flush=True)
    wide = blocks_of_ggml(a.chimera, a.llama) if a.llama and a.table else []
    for row in wide: print(*row[:2], flush=True); bad += row[2]
    if a.table:
        with open(a.table, "w") as f:
            f.write("# GGUF files\n\nThe largest difference of a logit from transformers 5.23's, of the file that `chimera save --to gguf` writes, read by Chimera and by llama.cpp; of the file that llama.cpp's converter writes, read by Chimera; and of the tensors in blocks how many have the bytes that PyPI gguf 0.19.0 gives, for Q8_0, Q4_0, Q4_1, Q5_0 and Q5_1. Made by `make interop` (`Tests/Interop/gguf_files.py`).\n\n| model | Chimera | llama.cpp | the converter's, by Chimera | tensors of the same bytes |\n|---|---|---|---|---|\n")
            for row in table: f.write("| %s | %s | %s | %s | %s |\n" % row)
            if wide: f.write("\nA Llama of width 512, random with heavy tails: of the tensors of each format how many have the bytes of ggml (llama-cpp-python 0.3.36).\n\n| `--quantize` | tensors of the same bytes |\n|---|---|\n")
            for row in wide: f.write("| %s | %s |\n" % row[:2])
    print("%d folders, %d beyond the bounds" % (len(table), bad)); sys.exit(bad > 0)
main()
