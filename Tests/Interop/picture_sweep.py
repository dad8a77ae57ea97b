"""Does every key of the configuration of a model that reads pictures reach the numbers?

    python3 Tests/Interop/picture_sweep.py CHIMERA Tests/Pictures/internvl Tests/Towers/clip …

Each key of a folder's config.json, those of its parts included, is changed, one at a time: other values, null, absent. transformers
5.23 computes the changed folder with the same weights and pixels (float32, eager attention). Where its logits move, `CHIMERA verify`
must agree within 1e-4, or refuse the folder; anything else is WRONG, and the exit status 1. What the reference refuses is left out.
"""
import copy
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import warnings

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
import torch
import transformers
from safetensors.torch import load_file, save_file

torch.set_num_threads(1)
transformers.utils.logging.disable_progress_bar()
# They say nothing of the numbers, or their change is another model.
SKIP = set("architectures model_type transformers_version dtype torch_dtype use_cache bos_token_id eos_token_id pad_token_id "
           "initializer_range vocab_size id2label label2id".split())
GONE = object()
# What is computed; of models that compare texts with pictures the products alone are, in which their vectors have a part.
ANSWERS = ["logits", "last_hidden_state", "logits_per_image"]
BESIDE = {"greedy", "text_embeds", "image_embeds", "logits_per_text"}


def leaves(tree, path=()):
    for key, value in tree.items():
        if key in SKIP:
            continue
        if isinstance(value, dict) and "__float__" not in value:
            yield from leaves(value, path + (key,))
        else:
            yield path + (key,), value


def values(key, value):
    """Other values of the same type."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from {value // 2 if value > 1 else value + 1, value * 2, value + 1, -value, 0} - {value}
    elif isinstance(value, float):
        yield value * 0.5 if value else 0.25
    elif isinstance(value, str):
        words = {"act": ["gelu", "relu", "silu", "gelu_pytorch_tanh", "quick_gelu"], "strategy": ["default", "full", "other"],
                 "norm_type": ["layer_norm", "rms_norm"], "ratio": ["anyres_max_1", "anyres_max_4", "anyres_max_9", "anyres_max_3"]}
        yield from [word for part, all in words.items() if part in key for word in all if word != value]
    elif isinstance(value, list) and value:
        if all(isinstance(item, str) for item in value) and value[1:] + value[:1] != value:
            yield value[1:] + value[:1]
        elif all(isinstance(item, (int, float)) for item in value):
            yield from [[item * 2 for item in value], value[0]]
        elif all(isinstance(item, list) for item in value):
            yield from [value[1:], value[::-1], [[item * 2 for item in pair] for pair in value]]
    elif value is None:
        yield from [1, 0.5, 8, True]


def changes(config):
    """What to change: a name for it, and the changed configuration."""
    for path, value in leaves(config):
        for new in list(values(path[-1], value)) + ([None] if value is not None else []) + [GONE]:
            changed = copy.deepcopy(config)
            owner = changed
            for key in path[:-1]:
                owner = owner[key]
            if new is GONE:
                del owner[path[-1]]
            else:
                owner[path[-1]] = new
            yield f"{'.'.join(path)}: {json.dumps(value)} -> {'(absent)' if new is GONE else json.dumps(new)}", changed
    if "image_token_index" in config:
        changed = copy.deepcopy(config)
        changed["image_token_id"] = changed.pop("image_token_index")
        yield "image_token_id in place of image_token_index", changed


def computed(folder, given):
    name = json.load(open(folder + "/config.json"))["architectures"][0]
    model, info = getattr(transformers, name).from_pretrained(
        folder, output_loading_info=True, attn_implementation="eager", dtype=torch.float32)
    if info["missing_keys"] or info["mismatched_keys"]:
        return None
    with torch.no_grad():
        out = model.eval()(**given)
    out = out[next(key for key in ANSWERS if key in out)]
    return out.float().contiguous() if torch.isfinite(out).all() else None


def main():
    program, folders = sys.argv[1], sys.argv[2:]
    counts = {"ok": 0, "refused": 0, "refused, same numbers": 0, "WRONG": 0}
    for source in folders:
        config = json.load(open(source + "/config.json"))
        expected = load_file(source + "/expected.safetensors")
        answer = next(key for key in ANSWERS if key in expected)
        expected = {key: value for key, value in expected.items() if key not in BESIDE}
        given = {key: value for key, value in expected.items() if key not in (answer, "tile_grids")}
        if "gemma3" in config["model_type"]:
            given["token_type_ids"] = (given["input_ids"] == config["image_token_index"]).long()
        if config["model_type"] == "paligemma":
            given["token_type_ids"] = torch.zeros_like(given["input_ids"])
        ids = given["input_ids"] if "input_ids" in given else None
        if config["model_type"] == "gemma4":
            given["mm_token_type_ids"] = (ids == config["image_token_id"]).int()
        if config["model_type"] == "git":
            # Its rows stand before the text, and others know no places for them.
            rows = int((ids[0] == 0).sum())
            given["input_ids"] = ids[:, rows:]
        if config["model_type"] == "kosmos-2":
            given["image_embeds_position_mask"] = ids == 1
            given["input_ids"] = torch.where(ids == 1, 4, ids)
        own = dict.fromkeys(counts, 0)
        for title, changed in changes(config):
            with tempfile.TemporaryDirectory(prefix="sweep-") as work:
                folder = f"{work}/{os.path.basename(source)}"
                shutil.copytree(source, folder, ignore=shutil.ignore_patterns("expected.safetensors", "words.json"))
                with open(folder + "/config.json", "w") as file:
                    json.dump(changed, file)
                try:
                    reference = computed(folder, given)
                except Exception:
                    continue  # the reference refuses it too
                if reference is None or reference.shape != expected[answer].shape:
                    continue
                moved = float((reference - expected[answer]).abs().max())
                save_file({**expected, answer: reference}, folder + "/expected.safetensors")
                run = subprocess.run([program, "verify", folder], capture_output=True, text=True, timeout=120)
                said = (run.stdout + run.stderr).strip()
                kind = "ok" if run.returncode == 0 else "WRONG"
                # A status of 1 is a difference that verify has told of; every other is a refusal in words.
                if run.returncode != 0 and "error:" in said and "largest difference" not in said:
                    kind = "refused" if moved > 1e-4 else "refused, same numbers"
                own[kind] += 1
                if kind != "ok":
                    lines = [line for line in said.splitlines() if "error" in line] or said.splitlines()[-1:]
                    print(f"{kind}  {os.path.basename(source)}  {title} | moves {moved:.3g} | {' '.join(lines)[-230:]}", flush=True)
        print(f"{os.path.basename(source)}: " + ", ".join(f"{count} {kind}" for kind, count in own.items()), flush=True)
        for kind, count in own.items():
            counts[kind] += count
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    sys.exit(counts["WRONG"] > 0)


main()
