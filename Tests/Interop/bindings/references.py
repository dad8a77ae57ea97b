#!/usr/bin/env python3
"""Changed configurations, with the logits that the reference implementation gives them.

usage: references.py OUT FOLDER ...        needs: pip install torch transformers==5.23.0 safetensors
FOLDER holds config.json, weights and expected.safetensors (`input_ids`, `logits`), as `tiny.py` writes them.

Each key of a folder's config.json is changed, one at a time: other values of the same type, null, absent, and older
spellings. The reference computes the logits of the changed folder with the same weights. What it accepts is written
to OUT/<name>/: cases.json, a list of {title, kind, config, moved}, and logits.safetensors, which has the logits of
case N under "N". `moved` is how far the logits are from those of the unchanged folder. `check.py` holds Chimera to them.
"""
import copy, json, logging, os, shutil, sys, tempfile, warnings
warnings.filterwarnings("ignore"); logging.disable(logging.CRITICAL); os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch, transformers
from transformers import AutoModelForCausalLM
from safetensors.torch import load_file, save_file
torch.set_num_threads(1); transformers.utils.logging.disable_progress_bar()

# What says nothing of the numbers, or makes another model of it.
SKIP = {"architectures", "model_type", "transformers_version", "dtype", "torch_dtype", "use_cache", "bos_token_id",
        "eos_token_id", "pad_token_id", "initializer_range", "vocab_size"}
ACTIVATIONS = ["silu", "gelu", "gelu_pytorch_tanh", "relu", "gelu_new", "quick_gelu"]
ABSENT = object()

def leaves(tree, path=()):
    for key, value in tree.items():
        if not path and key in SKIP: continue
        if isinstance(value, dict) and "__float__" not in value and value: yield from leaves(value, path + (key,))
        else: yield path + (key,), value

def others(key, value):
    """Other values of the same type; for null, values of a few types."""
    if isinstance(value, bool): return [not value]
    if isinstance(value, int): return [value // 2 if value > 1 else value + 1, value * 2, value + 1, 0]
    if isinstance(value, float): return [value * 0.5 if value else 0.25]
    if isinstance(value, str):
        if "act" in key: return [a for a in ACTIVATIONS if a != value]
        return []
    if isinstance(value, list) and value:
        if all(isinstance(x, str) for x in value):
            kinds = sorted(set(value) | ({"full_attention", "sliding_attention"} if "full_attention" in value or "sliding_attention" in value else set()))
            return [value[1:] + value[:1], value[::-1], ["sliding_attention"] + value[1:]] + [[k] * len(value) for k in kinds]
        if all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in value):
            return [[x * 2 for x in value], value[::-1], [0] * len(value), [1] * len(value)]
    if value is None: return [1, 0.5, 8, True]
    return []

def pairs_of(config):
    """How many pairs turn, as near as keys tell."""
    width = config.get("qk_rope_head_dim") or config.get("head_dim") or config.get("hidden_size", config.get("d_model", config.get("n_embd", 8))) // config.get("num_attention_heads", config.get("n_heads", config.get("n_head", 2)))
    return max(1, int(width * ((config.get("rope_parameters") or {}).get("partial_rotary_factor") or 1)) // 2)

def rope_changes(config):
    """Kinds of rotary scaling, in today's spelling and in older ones."""
    rope = config.get("rope_parameters")
    if not isinstance(rope, dict): return
    kinds = {"linear": {"factor": 2.0}, "dynamic": {"factor": 2.0},
             "yarn": {"factor": 4.0, "original_max_position_embeddings": 16},
             "llama3": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}}
    pairs = pairs_of(config)
    if "rope_theta" in rope:
        for kind, more in kinds.items():
            yield f"rope_type {kind}", "rope", lambda c: c.update(rope_parameters=dict(rope, rope_type=kind, **more))
            def old(c, word="type"):
                del c["rope_parameters"]; c["rope_theta"] = rope["rope_theta"]; c["rope_scaling"] = {word: kind, **more}
                if "partial_rotary_factor" in rope: c["partial_rotary_factor"] = rope["partial_rotary_factor"]
            yield f"rope_scaling {kind}, old spelling", "legacy", old
        yield "rope_scaling llama3 by rope_type", "legacy", lambda c: old(c, "rope_type")
        def two(c): c.update(rope_scaling={"type": "linear", "factor": 2.0}, rope_parameters=dict(rope, rope_theta=rope["rope_theta"] / 2))
        yield "rope_scaling beside rope_parameters", "legacy", two
        def empty(c): c.update(rope_scaling={}, rope_parameters=dict(rope, rope_theta=rope["rope_theta"] / 2))
        yield "an empty rope_scaling beside rope_parameters", "legacy", empty
        # Beside the group it comes before the one inside, where there is one group.
        kinds["longrope"] = {"short_factor": [1.0 + 0.1 * i for i in range(pairs)], "long_factor": [2.0 + 0.5 * i for i in range(pairs)], "original_max_position_embeddings": 16}
        for kind in ["yarn", "llama3", "longrope"]:
            def beside(c): c.update(rope_parameters=dict(rope, rope_type=kind, **kinds[kind]), original_max_position_embeddings=4)
            yield f"original_max_position_embeddings beside {kind}", "legacy", beside
            def alone(c): c.update(rope_parameters=dict(rope, rope_type=kind, **{k: v for k, v in kinds[kind].items() if k[0] != "o"}), original_max_position_embeddings=4)
            yield f"original_max_position_embeddings beside {kind}, none inside", "legacy", alone
        def inside(c):
            del c["rope_parameters"]; c["rope_scaling"] = dict(rope, rope_theta=rope["rope_theta"] / 2)
        yield "rope_theta inside rope_scaling", "legacy", inside
        def outside(c):
            c["rope_parameters"] = {k: v for k, v in rope.items() if k != "rope_theta"}; c["rope_theta"] = rope["rope_theta"] / 2
        yield "rope_theta beside rope_parameters", "legacy", outside
        def both(c): c["rope_theta"] = rope["rope_theta"] / 2
        yield "rope_theta beside and inside", "legacy", both
        def old_theta(c):
            del c["rope_parameters"]; c["rope_theta"] = rope["rope_theta"] / 2
        yield "rope_theta alone, old spelling", "legacy", old_theta
        if "partial_rotary_factor" in rope:
            def old_part(c):
                del c["rope_parameters"]; c["rope_theta"] = rope["rope_theta"]; c["partial_rotary_factor"] = rope["partial_rotary_factor"]
            yield "partial_rotary_factor outside, old spelling", "legacy", old_part
        def part(c): c["rope_parameters"] = dict(rope, partial_rotary_factor=0.25 if rope.get("partial_rotary_factor") != 0.25 else 0.5)
        yield "another partial_rotary_factor", "rope", part
    for layer in [k for k, v in rope.items() if isinstance(v, dict)]:
        for kind, more in kinds.items():
            def one(c): c["rope_parameters"] = dict(rope, **{layer: dict(rope[layer], rope_type=kind, **more)})
            yield f"rope_type {kind} in {layer}", "rope", one
        def beside_layers(c):
            c["rope_parameters"] = dict(rope, **{layer: dict(rope[layer], rope_type="yarn", **kinds["yarn"])}); c["original_max_position_embeddings"] = 4
        yield f"original_max_position_embeddings beside yarn in {layer}", "legacy", beside_layers
    if any(isinstance(v, dict) for v in rope.values()):
        def global_local(c):
            del c["rope_parameters"]; c["rope_theta"] = 50000.0; c["rope_local_base_freq"] = 2000.0; c["rope_scaling"] = {"rope_type": "linear", "factor": 4.0}
        yield "rope_theta, rope_local_base_freq and rope_scaling", "legacy", global_local
        def flat(c): c["rope_parameters"] = {"rope_type": "linear", "factor": 2.0, "rope_theta": 3000.0}
        yield "one set of rope_parameters for all layers", "legacy", flat

def changes(config):
    """A title, a kind and the changed configuration of each change."""
    for path, value in leaves(config):
        tries = [("value", new) for new in others(path[-1], value)]
        if value is not None: tries.append(("null", None))
        tries.append(("absent", ABSENT))
        written = {json.dumps(value)}
        for kind, new in tries:
            text = "(absent)" if new is ABSENT else json.dumps(new)
            if text in written: continue
            written.add(text)
            changed = copy.deepcopy(config); owner = changed
            for key in path[:-1]: owner = owner[key]
            if new is ABSENT: del owner[path[-1]]
            else: owner[path[-1]] = new
            yield f"{'.'.join(path)}: {json.dumps(value)} -> {text}", kind, changed
    for title, kind, change in rope_changes(config):
        changed = copy.deepcopy(config); change(changed); yield title, kind, changed

def logits(folder, ids):
    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
    if info["missing_keys"] or info["unexpected_keys"] or info["mismatched_keys"]: return None
    with torch.no_grad(): out = model.float().eval()(input_ids=ids, use_cache=False).logits.float()
    return out if torch.isfinite(out).all() else None

def make(source, out):
    name = os.path.basename(os.path.normpath(source)); config = json.load(open(os.path.join(source, "config.json")))
    expected = load_file(os.path.join(source, "expected.safetensors")); ids = expected["input_ids"]
    cases, stored, seen = [], {}, set()
    for title, kind, changed in changes(config):
        text = json.dumps(changed)
        if text in seen: continue
        seen.add(text)
        work = tempfile.mkdtemp(prefix="sweep-")
        try:
            for file in os.listdir(source):
                if file.endswith(".safetensors") and file not in ("expected.safetensors", "training.safetensors"):
                    os.symlink(os.path.abspath(os.path.join(source, file)), os.path.join(work, file))
            with open(os.path.join(work, "config.json"), "w") as file: file.write(text)
            try: reference = logits(work, ids)
            except Exception: continue                                  # the reference refuses it too
        finally: shutil.rmtree(work, ignore_errors=True)
        if reference is None or reference.shape != expected["logits"].shape: continue
        moved = float((reference - expected["logits"]).abs().max())
        if moved > 0: stored[str(len(cases))] = reference.contiguous()
        cases.append({"title": title, "kind": kind, "moved": moved, "config": changed})
    folder = os.path.join(out, name); os.makedirs(folder, exist_ok=True)
    save_file(stored or {"none": torch.zeros(1)}, os.path.join(folder, "logits.safetensors"))
    json.dump({"source": os.path.abspath(source), "cases": cases}, open(os.path.join(folder, "cases.json"), "w"))
    print(f"{name}: {len(cases)} changes, of which {sum(c['moved'] > 1e-4 for c in cases)} move the logits", flush=True)

if __name__ == "__main__":
    for source in sys.argv[2:]:
        if not os.path.exists(os.path.join(sys.argv[1], os.path.basename(os.path.normpath(source)), "cases.json")): make(source, sys.argv[1])
