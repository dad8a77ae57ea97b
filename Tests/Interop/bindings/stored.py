#!/usr/bin/env python3
"""Chooses changed configurations and stores them, with the reference's logits, for the tests that need no Python.

usage: stored.py [--bytes=N] REFERENCES OUT LINES ...        needs: pip install numpy safetensors
REFERENCES is what `references.py` made of `tiny.py`'s folders. LINES are what `check.py` printed, of any versions of
Chimera: what one of them got wrong is stored, and of the rest what decides layers, limits, windows or rotations. OUT
gets a folder for each family: its config.json and weights, cases.json with what each case changes, and logits.
OUT/deciding.json has for each kind of model the keys of which a change moved the logits.
"""
import json, os, shutil, sys
from safetensors.numpy import load_file, save_file

MOST, BYTES = 6, 28_000                          # cases of a family, and how large its weights may be (`--bytes`)
TELLING = ["softcap", "window", "layer_types", "pattern", "interval", "rope", "rotary", "act", "dense", "limit", "type", "attention_types"]

def main():
    given = [a for a in sys.argv[1:] if a.startswith("--bytes=")]; size_limit = int(given[0][8:]) if given else BYTES
    references, out, *lines = [a for a in sys.argv[1:] if a not in given]
    wrong = set()
    for path in lines:
        for line in open(path):
            if line.startswith("WRONG"):
                _, name, rest = line.split("  ", 2); wrong.add((name, rest.split(" | ")[0]))
    deciding = {}
    for name in sorted(os.listdir(references)):
        about = json.load(open(os.path.join(references, name, "cases.json"))); source = about["source"]
        stored = load_file(os.path.join(references, name, "logits.safetensors"))
        config = json.load(open(os.path.join(source, "config.json"))); expected = load_file(os.path.join(source, "expected.safetensors"))
        keys = deciding.setdefault(config["model_type"], set())
        moving = [(i, c) for i, c in enumerate(about["cases"]) if c["moved"] > 1e-3]
        keys.update(c["title"].split(":")[0] for _, c in moving if ": " in c["title"] and c["kind"] in ("value", "absent", "null"))
        chosen = [(i, c) for i, c in moving if (name, c["title"]) in wrong][:MOST]
        for i, c in moving:
            if len(chosen) < MOST // 2 and (i, c) not in chosen and any(word in c["title"] for word in TELLING): chosen.append((i, c))
        size, telling = os.path.getsize(os.path.join(source, "model.safetensors")), any((name, c["title"]) in wrong for _, c in chosen)
        if not chosen or size > (size_limit if telling else size_limit // 2): continue
        folder = os.path.join(out, name); shutil.rmtree(folder, ignore_errors=True); os.makedirs(folder)
        json.dump(config, open(os.path.join(folder, "config.json"), "w"), sort_keys=True)
        shutil.copy(os.path.join(source, "model.safetensors"), folder)
        cases, logits = [], {"input_ids": expected["input_ids"], "unchanged": expected["logits"][0]}
        for number, (index, case) in enumerate(chosen):
            changed = case["config"]
            cases.append({"title": case["title"], "set": {k: v for k, v in changed.items() if k not in config or config[k] != v},
                          "remove": sorted(set(config) - set(changed))})
            logits[str(number)] = stored[str(index)][0]
        save_file(logits, os.path.join(folder, "logits.safetensors"))
        json.dump(cases, open(os.path.join(folder, "cases.json"), "w"), indent=0)
    json.dump({k: sorted(v) for k, v in sorted(deciding.items())}, open(os.path.join(out, "deciding.json"), "w"), indent=0)

main()
