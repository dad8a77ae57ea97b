#!/usr/bin/env python3
"""Do PEFT and Chimera compute the same with one adapter, whoever of them made it?

usage: adapters.py CHIMERA FOLDER ... [--table FILE]      needs: pip install torch transformers==5.23.0 peft==0.21.2 safetensors
FOLDER is a fixture: config.json, model.safetensors and expected.safetensors with `input_ids`.

Each KIND of adapter below is made by PEFT for every folder, its numbers drawn at random, and saved; `chimera logits
--adapter` must give PEFT's logits (1e-4 of the largest is the bound: products are added before instead of behind), and so must transformers
with the folder that `chimera save --adapter` writes. Then `chimera train --lora` makes adapters of the same folders, of which PEFT must
give the logits that Chimera gives.
"""
import argparse, json, os, shutil, subprocess, sys, tempfile, warnings
warnings.filterwarnings("ignore"); os.environ["TRANSFORMERS_VERBOSITY"] = "error"; os.environ["HF_HUB_OFFLINE"] = "1"
import numpy, torch, transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM
torch.set_num_threads(1); transformers.utils.logging.disable_progress_bar()
BOUND = 1e-4

def run(*command):
    return subprocess.run(command, capture_output=True, text=True)

def base(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()

def logits(model, ids):
    with torch.no_grad(): return model.eval()(input_ids=ids).logits.float()[0]

def linears(model):
    """Names of the matrices inside layers, without their layers' numbers."""
    names = []
    for name, module in model.named_modules():
        if (isinstance(module, torch.nn.Linear) or type(module).__name__ == "Conv1D") and any(word.isdigit() for word in name.split(".")):
            names.append(name.split(".")[-1])
    return sorted(set(names))

def kinds(model):
    every = linears(model)
    tied = bool(model.config.tie_word_embeddings)
    head = [n for n, m in model.named_modules() if m is model.get_output_embeddings()]
    yield "lora", dict(r=4, lora_alpha=6, target_modules="all-linear")
    yield "rslora", dict(r=4, lora_alpha=6, target_modules=every, use_rslora=True)
    yield "dora", dict(r=4, lora_alpha=6, target_modules=every, use_dora=True)
    yield "patterns", dict(r=4, lora_alpha=6, target_modules=every, rank_pattern={every[0]: 2, r"(.*\.)?[02]\.[^.]*\." + every[-1]: 3},
                           alpha_pattern={every[-1]: 9})
    yield "layers", dict(r=4, lora_alpha=6, target_modules=every, layers_to_transform=[1, 3])
    yield "regex", dict(r=4, lora_alpha=6, target_modules=r".*\.(1|2)\..*" + every[0])
    yield "bias", dict(r=4, lora_alpha=6, target_modules=every, bias="all")
    norm = next(n.split(".")[-1] for n, m in model.named_modules() if "norm" in n.lower() or ".ln_" in n)
    yield "norms", dict(r=4, lora_alpha=6, target_modules=every, modules_to_save=[norm])
    if not tied: yield "head", dict(r=4, lora_alpha=6, target_modules=every, modules_to_save=[head[0].split(".")[-1]])
    embed = next(n for n, m in model.named_modules() if m is model.get_input_embeddings()).split(".")[-1]
    if not tied: yield "embedding", dict(r=4, lora_alpha=6, target_modules=every[:1] + [embed])

def randomise(model):
    torch.manual_seed(1)
    for name, p in model.named_parameters():
        if p.requires_grad or "lora_" in name:
            scale = 1.0 if "magnitude" in name else 0.3
            p.data += scale * 0.3 * torch.randn_like(p) if "magnitude" in name else 0.3 * torch.randn_like(p)

def ours(chimera, model, ids, *more):
    with tempfile.TemporaryDirectory() as t:
        r = run(chimera, "logits", model, "--exact", "--tokens", ",".join(map(str, ids[0].tolist())), "--output", t + "/l.safetensors", *more)
        if r.returncode: return None, r.stderr.strip()
        return load_file(t + "/l.safetensors")["logits"], ""

def theirs_to_ours(chimera, folder, ids, rows):
    for kind, options in kinds(base(folder)):
        name = os.path.basename(folder.rstrip("/"))
        with tempfile.TemporaryDirectory() as t:
            try:
                model = get_peft_model(base(folder), LoraConfig(task_type="CAUSAL_LM", **options))
            except Exception as e:
                rows.append((name, kind, "PEFT makes none: " + str(e).split("\n")[0][:80], "")); continue
            randomise(model)
            model.save_pretrained(t + "/adapter")
            wanted = logits(model, ids)
            got, why = ours(chimera, folder, ids, "--adapter", t + "/adapter")
            if got is None: rows.append((name, kind, "refused: " + why.split("\n")[0].replace(t, "")[:150], "")); continue
            size = max(1.0, wanted.abs().max().item())
            difference = (got - wanted).abs().max().item() / size
            r = run(chimera, "save", folder, "--adapter", t + "/adapter", "--output", t + "/merged")
            merged = "not saved: " + r.stderr.strip().split("\n")[0][:120] if r.returncode else "%.1e" % ((logits(base(t + "/merged"), ids) - wanted).abs().max().item() / size)
            rows.append((name, kind, "%.1e" % difference, merged))

def ours_to_theirs(chimera, folder, ids, rows):
    name = os.path.basename(folder.rstrip("/"))
    for kind, options in [("lora", "rank=3,alpha=5"), ("rslora", "rank=3,alpha=5,rslora"), ("dora", "rank=2,dora"), ("target", "rank=2,target=attn.v+attn.o,dropout=0.1")]:
        with tempfile.TemporaryDirectory() as t:
            ids_path = t + "/tokens.bin"
            numpy.random.default_rng(0).integers(0, 100, 4000).astype("uint16").tofile(ids_path)
            r = run(chimera, "train", folder, "--data", ids_path, "--lora", options, "--steps", "8", "--batch", "2", "--context", "16",
                    "--lr", "0.01", "--threads", "1", "--out", t + "/run", "--quiet", "--eval-every", "0")
            if r.returncode: rows.append((name, "train " + kind, "not trained: " + r.stderr.strip().split("\n")[0][:150], "")); continue
            got, why = ours(chimera, folder, ids, "--adapter", t + "/run")
            if got is None: rows.append((name, "train " + kind, "refused: " + why[:150], "")); continue
            try: model = PeftModel.from_pretrained(base(folder), t + "/run")
            except Exception as e: rows.append((name, "train " + kind, "PEFT refuses: " + str(e)[:200], "")); continue
            loaded = {k for k in model.state_dict() if "lora" in k}
            change = (logits(model, ids) - logits(base(folder), ids)).abs().max().item()
            rows.append((name, "train " + kind, "%.1e" % (got - logits(model, ids)).abs().max().item(), "changes logits by %.1e" % change))

def main():
    p = argparse.ArgumentParser(); p.add_argument("chimera"); p.add_argument("folders", nargs="+"); p.add_argument("--table"); p.add_argument("--only")
    a = p.parse_args()
    rows, bad = [], 0
    for folder in a.folders:
        if not os.path.exists(folder + "/expected.safetensors"): continue
        ids = load_file(folder + "/expected.safetensors")["input_ids"][:1]
        start = len(rows)
        try:
            if a.only != "train": theirs_to_ours(a.chimera, folder, ids, rows)
            if a.only != "read": ours_to_theirs(a.chimera, folder, ids, rows)
        except Exception as e: rows.append((os.path.basename(folder.rstrip("/")), "", "failed: " + repr(e)[:200], ""))
        for row in rows[start:]: print("%-20s %-14s %-20s %s" % row, flush=True)
    for row in rows:
        for word in row[2:]:
            try:
                if float(word) > BOUND: bad += 1
            except ValueError:
                if word.startswith(("failed", "PEFT refuses", "not saved")): bad += 1
    if a.table:
        with open(a.table, "w") as f:
            f.write("# Adapters of PEFT and of `chimera train --lora`\n\nThe largest difference of a logit, Chimera against PEFT 0.21.2, made by `make interop` (`Tests/Interop/adapters.py`).\n\n")
            f.write("| model | adapter | with `--adapter` | merged by `save` |\n|---|---|---|---|\n")
            for row in rows: f.write("| %s | %s | %s | %s |\n" % row)
    print("%d rows, %d beyond %g" % (len(rows), bad, BOUND)); sys.exit(bad > 0)
main()
