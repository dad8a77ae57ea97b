#!/usr/bin/env python3
"""Does transformers read what `chimera save` writes as the same model?

usage: save.py CHIMERA FOLDER ... [--table FILE]        needs: pip install torch transformers==5.23.0 safetensors
FOLDER is a fixture: config.json, model.safetensors and expected.safetensors with `input_ids` and the reference's `logits`.

Each folder is saved twice: as it is, and by way of a native folder, from which config.json is made anew. transformers
loads both and must give the original's logits (the largest difference is printed; 1e-5 is the bound, for the numbers are
the same and only the order of sums may differ). What stands in config.json must be the original's where it came along; where it
is made anew its values must have the original's JSON types, and other values that mean the same are told. A folder that
Chimera refuses to read is no matter of saving, and is told. A FOLDER that ends in .gguf needs NAME.expected.json beside it, with `tokens` and some `rows` of {position, logits} of the
folder that it was made from.
"""
import argparse, json, os, subprocess, sys, tempfile, warnings
warnings.filterwarnings("ignore"); os.environ["TRANSFORMERS_VERBOSITY"] = "error"; os.environ["HF_HUB_OFFLINE"] = "1"
import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM
torch.set_num_threads(1); transformers.utils.logging.disable_progress_bar()
BOUND = 1e-5

def run(*command):
    return subprocess.run(command, capture_output=True, text=True)

def reference(folder, ids):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        return model(input_ids=ids).logits.float()

def repeated(value, other):
    """One value for all layers, and the list of it."""
    if isinstance(value, list): value, other = other, value
    return isinstance(other, list) and bool(other) and all(json.dumps(x) == json.dumps(value) for x in other)

def unlike(original, written, types=False):
    """Keys of `written` whose value, or JSON type, is not the original's."""
    out = []
    for key, value in written.items():
        if key not in original: continue
        if json.dumps(value, sort_keys=True) != json.dumps(original[key], sort_keys=True):
            if isinstance(value, dict) and isinstance(original[key], dict):
                out += [key + "." + k for k in unlike(original[key], value, types)]
            elif not types or (value is not None and original[key] is not None and type(value) != type(original[key]) and not repeated(value, original[key])): out.append("%s: %s, was %s" % (key, json.dumps(value), json.dumps(original[key])))
    return out

def shapes(folder):
    return {k: tuple(v.shape) for k, v in load_file(folder + "/model.safetensors").items()}

def check(chimera, folder, expected, original, scratch):
    """Saves `folder` and returns the difference of logits and what is wrong."""
    with tempfile.TemporaryDirectory() as t:
        source = folder
        if scratch:
            r = run(chimera, "save", folder, "--native", "--output", t + "/native")
            if r.returncode: return None, "not read: " + r.stderr.strip().split("\n")[0][:160], ""
            source = t + "/native"
        r = run(chimera, "save", source, "--output", t + "/saved")
        if r.returncode:
            read = run(chimera, "check", folder).returncode == 0
            return None, ("refused: " if read else "not read: ") + r.stderr.strip().split("\n")[0][:160], ""
        config = json.load(open(t + "/saved/config.json"))
        wrong = unlike(original, config, scratch) if original else []
        told = [] if wrong or not scratch else unlike(original, config)
        if original and shapes(folder) != shapes(t + "/saved"): wrong.append("other tensors")
        try: logits = reference(t + "/saved", expected["input_ids"])
        except Exception as e: return None, "%s: %s" % (type(e).__name__, str(e)[:160].replace("\n", " ")), ""
        if "rows" in expected: logits = logits[:, expected["rows"]]
        return float((logits - expected["logits"]).abs().max()), "; ".join(wrong), "; ".join(told)

def main():
    p = argparse.ArgumentParser(); p.add_argument("chimera"); p.add_argument("folders", nargs="+"); p.add_argument("--table")
    a = p.parse_args()
    rows, bad, left = [], 0, 0
    for folder in a.folders:
        name = os.path.basename(folder.rstrip("/"))
        if folder.endswith(".gguf"):
            j = json.load(open(folder[:-5] + ".expected.json"))
            expected = dict(input_ids=torch.tensor([j["tokens"]]), rows=[r["position"] for r in j["rows"]],
                            logits=torch.tensor([[r["logits"] for r in j["rows"]]]))
            original = None
        elif not os.path.exists(folder + "/expected.safetensors"): continue
        else: expected, original = load_file(folder + "/expected.safetensors"), json.load(open(folder + "/config.json"))
        if original is not None:
            # What transformers makes of the original: now and then that is not what it made before it saved it.
            expected["logits"] = reference(folder, expected["input_ids"])
        for scratch in ([False] if original is None else [False, True]):
            d, wrong, told = check(a.chimera, folder, expected, original, scratch)
            ok = d is not None and d < BOUND and not wrong
            out = wrong.startswith("not read")
            bad += not ok and not out; left += out
            rows.append((name, "made anew" if scratch else "GGUF" if original is None else "as it came", "–" if d is None else "%.1e" % d,
                         ("ok" + (": " + told if told else "")) if ok else wrong or "other logits"))
            print("%-5s %-22s %-10s %-8s %s" % ("ok" if ok else "–" if out else "WRONG", *rows[-1][:3], rows[-1][3]), flush=True)
    if a.table:
        with open(a.table, "w") as f:
            f.write("# Original → `chimera save` → transformers %s\n\nMade by `make interop`. The largest difference of logits from the original's; 1e-5 is the bound. \"As it came\" is a folder saved as it is; \"made\nanew\" is one whose config.json is made of the spec, by way of a native folder. After `ok:` stand keys that say the same in another way.\n\n%d of %d rows are ok, %d are of folders that Chimera does not read, and says which key.\n\n" % (transformers.__version__, len(rows) - bad - left, len(rows), left))
            f.write("| folder | config.json | difference | |\n|---|---|---|---|\n")
            f.writelines("| %s | %s | %s | %s |\n" % tuple(str(x).replace("|", "\\|") for x in r) for r in rows)
    print("%d right, %d wrong, %d of folders that are not read" % (len(rows) - bad - left, bad, left))
    sys.exit(1 if bad else 0)
main()
