"""What transformers makes of folders that `chimera export --to hf` writes.

    python Tests/Interop/transformers_folders.py .build/release/chimera [--fixtures FOLDER] [--table FILE] [PART …]

Parts: fixtures (logits, greedy decoding, padding, saving again), hybrids (the zoo's hybrids in tiny form: compared by
`--verify`, by FlexAttention, compiled, exported by torch, checkpointed, trained by PEFT), zoo (every architecture's tiny form by `--verify`).
It needs torch, transformers, safetensors, PyYAML and peft.
"""

import argparse
import json
import logging as log
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parent))
scratch = tempfile.TemporaryDirectory()
os.environ["HF_MODULES_CACHE"] = scratch.name + "/modules"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
warnings.filterwarnings("ignore")

import torch  # noqa: E402
import yaml  # noqa: E402
from export import NO_TEXTS, WarmPython, fewer_layers, shrink  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from transformers import AutoConfig, AutoModelForCausalLM  # noqa: E402
from transformers.utils import logging  # noqa: E402

log.disable(log.CRITICAL)
logging.set_verbosity_error()
logging.disable_progress_bar()

HYBRIDS = [
    "tiny-hybrid", "story-hybrid", "jamba-style", "gpt2-alibi", "gpt2-rope", "gpt2-gqa", "llama-retention",
    "local-global-nope", "llama-sandwich-qknorm", "gpt2-rmsnorm-swiglu", "granite-3.1-1b-a400m",
]  # fmt: skip


def run(chimera, *arguments):
    done = subprocess.run([chimera, *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def load(folder, **options):
    return AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True, dtype=torch.float32, **options).eval()


def far(a, b):
    return float((a - b).abs().max()) if a.shape == b.shape else float("inf")


def padded(model, tokens, amount):
    """The logits of rows with `amount` tokens of padding before each, given by the mask alone."""
    filling = torch.zeros(tokens.size(0), amount, dtype=tokens.dtype)
    mask = torch.cat([filling, torch.ones_like(tokens)], dim=1)
    return model(torch.cat([filling, tokens], dim=1), attention_mask=mask).logits[:, amount:], mask


@torch.no_grad()
def fixture(chimera, source, own, folder):
    """How far a fixture's folder is from its reference, in what can be asked of it."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    status, _, notes = run(chimera, "export", str(source), "--to", "hf", "--output", str(out), *(["--own-classes"] if own else []))
    if status != 0:
        return {"error": notes.strip().splitlines()[-1][:150]}
    config = json.loads((out / "config.json").read_text())
    expected = load_file(str(source / "expected.safetensors"))
    tokens, logits = expected["input_ids"].long(), expected["logits"]
    model = load(out)
    result = {"own": "auto_map" in config, "logits": far(model(tokens).logits, logits)}
    result["eager"] = far(load(out, attn_implementation="eager")(tokens).logits, logits)
    greedy = expected["greedy"].long()
    ids = model.generate(greedy[:, :8], max_new_tokens=16, do_sample=False, eos_token_id=None, pad_token_id=0)
    result["greedy"] = bool(torch.equal(ids, greedy))
    if own:
        rows, _ = padded(model, tokens, 5)
        result["padding"] = far(rows, logits)
        # Two rows of different lengths, generated together, give what each gives alone.
        start = greedy[:, :8]
        filling = torch.zeros(1, 3, dtype=torch.long)
        ids = torch.cat([torch.cat([filling, start], 1), torch.cat([start, start[:, :3]], 1)])
        mask = torch.cat([torch.cat([filling, torch.ones(1, 8)], 1), torch.ones(1, 11)]).long()
        more = model.generate(ids, attention_mask=mask, max_new_tokens=8, do_sample=False, eos_token_id=None, pad_token_id=0)
        result["batch"] = bool(torch.equal(more[0, 3:], greedy[0, : more.size(1) - 3]))
        again = folder / "again"
        shutil.rmtree(again, ignore_errors=True)
        model.save_pretrained(again)
        result["saved"] = far(load(again)(tokens).logits, logits)
        back = folder / "back"
        shutil.rmtree(back, ignore_errors=True)
        status, _, notes = run(chimera, "import", str(again), "--output", str(back))
        result["import"] = "ok" if status == 0 else notes.strip().splitlines()[-1][:100]
        loss = model(tokens, labels=tokens).loss
        mean = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
        result["loss"] = far(loss, mean)
    return result


def holds(result):
    # A stock class is the library's; its SDPA is not always its eager attention (Falcon's ALiBi), which fixtures are of.
    numbers = [v for k, v in result.items() if isinstance(v, float) and (k != "logits" or result.get("own"))]
    words = [v for k, v in result.items() if k in ("greedy", "batch")]
    return "error" not in result and max(numbers) <= 1e-4 and all(words) and result.get("import", "ok") == "ok"


def tiny(chimera, name, few=True):
    tree = shrink(yaml.safe_load(run(chimera, "show", name, "--yaml")[1]))
    tree["name"] = "tiny-" + name.replace(".", "-")
    return fewer_layers(tree) if few else tree


def export_tiny(chimera, name, folder, *others):
    spec, out = folder / "tiny.yaml", folder / "out"
    for few in (True, False):
        spec.write_text(yaml.safe_dump(tiny(chimera, name, few), sort_keys=False))
        shutil.rmtree(out, ignore_errors=True)
        status, text, notes = run(
            chimera, "export", str(spec), "--to", "hf", "--own-classes", "--output", str(out), "--threads", "1", *others,
        )  # fmt: skip
        if status == 0:
            break
    return out, status, text, notes


def compiled(model, tokens):
    """The difference that per-block compilation without graph breaks makes."""
    torch._dynamo.reset()
    with torch.no_grad():
        before = model(tokens, use_cache=False).logits
        for layer in model.model.layers:
            layer.compile(fullgraph=True, backend="aot_eager")
        return far(model(tokens, use_cache=False).logits, before)


def exported(model, tokens, any_length=True):
    """The difference that torch.export makes, of any length or of one."""
    with torch.no_grad():
        if not any_length:
            program = torch.export.export(model, (), {"input_ids": tokens, "use_cache": False}, strict=False)
            return far(program.module()(input_ids=tokens, use_cache=False).logits, model(tokens, use_cache=False).logits)
        dim = torch.export.Dim("tokens", min=2, max=60)
        program = torch.export.export(
            model, (), {"input_ids": tokens, "use_cache": False}, dynamic_shapes={"input_ids": {1: dim}, "use_cache": None},
            strict=False,
        )  # fmt: skip
        other = torch.cat([tokens, tokens[:, :5]], dim=1)
        return far(program.module()(input_ids=other, use_cache=False).logits, model(other, use_cache=False).logits)


def flexed(out, model, tokens):
    """The difference that FlexAttention makes, in its uncompiled form: what is compared is the mask."""
    from torch.nn.attention.flex_attention import flex_attention
    from transformers.integrations import flex_attention as library

    library.compile_friendly_flex_attention = lambda q, k, v, training=False, **named: flex_attention(q, k, v, **named)
    with torch.no_grad():
        other = load(out, attn_implementation="flex_attention")
        return far(other(tokens, use_cache=False).logits, model(tokens, use_cache=False).logits)


def checkpointed(model, tokens):
    """The difference that gradient checkpointing makes to gradients."""
    gradients = []
    for on in (False, True):
        if on:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.train()
        model.zero_grad()
        model(tokens, labels=tokens).loss.backward()
        gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    model.gradient_checkpointing_disable()
    return max(far(a, b) for a, b in zip(*gradients))


def adapted(model, tokens):
    """How much lower the loss is after some steps of LoRA on every linear layer."""
    from peft import LoraConfig, get_peft_model

    tuned = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    optimizer = torch.optim.AdamW([p for p in tuned.parameters() if p.requires_grad], lr=1e-2)
    losses = []
    for _ in range(20):
        loss = tuned(input_ids=tokens, labels=tokens).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss))
    return losses[0] - losses[-1]


def attempt(function, *arguments):
    try:
        return f"{function(*arguments):.1e}"
    except Exception as problem:  # what does not work is part of the table
        return (type(problem).__name__ + ": " + str(problem).strip().splitlines()[0])[:70]


def hybrid(chimera, name, folder, python):
    out, status, text, notes = export_tiny(chimera, name, folder, "--verify", "--python", python, "--json")
    if not text.startswith("{"):
        return {"error": notes.strip().splitlines()[-1][:150]}
    result = json.loads(text)
    row = {k: f"{result[k]:.1e}" for k in ("whole", "cached", "padded", "eager", "gradients", "steps") if result.get(k) is not None}
    row["holds"] = result["holds"]
    out, status, _, _ = export_tiny(chimera, name, folder, "--random-weights")
    if status:
        return row
    tokens = torch.arange(24).unsqueeze(0) * 7 % 131
    reach = json.loads(run(chimera, "export", str(folder / "tiny.yaml"), "--check", "--json")[1])
    row["flex"] = attempt(lambda: flexed(out, load(out), tokens)) if reach["flex"]["reached"] else "no, as was said"
    row["compile"] = attempt(lambda: compiled(load(out), tokens))
    # What goes through a text in pieces, or token by token, is a graph of one length.
    config = json.loads((out / "config.json").read_text())
    of_one = "linear_attention" in (config.get("layer_types") or [])
    row["export"] = attempt(lambda: exported(load(out), tokens, not of_one)) + (", of one length" if of_one else "")
    row["checkpoint"] = attempt(lambda: checkpointed(load(out), tokens))
    row["LoRA"] = attempt(lambda: adapted(load(out), tokens))
    return row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("chimera")
    parser.add_argument("parts", nargs="*", default=["fixtures", "hybrids", "zoo"])
    parser.add_argument("--fixtures", default="../shared/data/fixtures")
    parser.add_argument("--names")
    parser.add_argument("--table")
    options = parser.parse_args()
    folder, lines, bad = pathlib.Path(scratch.name), [], 0

    def tell(line=""):
        print(line, flush=True)
        lines.append(line)

    names = options.names.split(",") if options.names else None
    if "fixtures" in options.parts:
        tell("| fixture | classes | logits | eager | greedy | padding | batch | saved again | import |")
        tell("|---|---|---|---|---|---|---|---|---|")
        for source in sorted(pathlib.Path(options.fixtures).iterdir()):
            if not (source / "expected.safetensors").exists() or names and source.name not in names:
                continue
            for own in (False, True):
                result = fixture(chimera := options.chimera, source, own, folder)
                bad += not holds(result)
                cells = [result.get(k, "") for k in ("logits", "eager", "greedy", "padding", "batch", "saved", "import")]
                cells = [f"{c:.1e}" if isinstance(c, float) else str(c) for c in cells]
                kind = result.get("error") or ("own" if result["own"] else "transformers'")
                tell(f"| {source.name} | {kind} | " + " | ".join(cells) + " |" + ("" if holds(result) else " DIFFERS"))
    python = WarmPython(folder)
    if "hybrids" in options.parts:
        tell()
        keys = ["whole", "cached", "padded", "eager", "gradients", "steps", "flex", "compile", "export", "checkpoint", "LoRA"]
        tell("| hybrid | " + " | ".join(keys) + " |")
        tell("|---" * (len(keys) + 1) + "|")
        for name in names or HYBRIDS:
            row = hybrid(options.chimera, name, folder, python.program)
            # What does not work is told by its error; what does is a difference.
            bad += not row.get("holds", False) or any(":" in row.get(k, "") for k in ("flex", "compile", "export", "LoRA"))
            tell(f"| {name} | " + (row.get("error") or " | ".join(row.get(k, "–") for k in keys)) + " |")
    if "zoo" in options.parts:
        done, good, count, outside = set(), 0, 0, []
        listed = json.loads(run(options.chimera, "list", "--json")[1])
        for name in names or [m["name"] for m in (listed if isinstance(listed, list) else listed["models"])]:
            tree = tiny(options.chimera, name)
            tree["name"] = ""
            key = json.dumps(tree, sort_keys=True)
            if key in done:
                continue
            done.add(key)
            count += 1
            print(f"{count} {name}", end="\r", file=sys.stderr, flush=True)
            _, _, text, notes = export_tiny(options.chimera, name, folder, "--verify", "--python", python.program, "--json")
            result = json.loads(text) if text.startswith("{") else None
            if result is None and NO_TEXTS in notes + run(options.chimera, "export", name, "--to", "hf", "--source", "--output", str(folder / "real"))[2]:
                count -= 1
                continue
            if result and result["holds"]:
                good += 1
                continue
            bad += 1
            outside.append(name)
            why = {k: v for k, v in result.items() if isinstance(v, float)} if result else notes.strip().splitlines()[-1][:200]
            print(name, why, flush=True)
        tell()
        tell(f"Tiny forms of the zoo's architectures by `--to hf --verify`: {good} of {count} agree." + (f" Outside: {', '.join(outside)}." if outside else ""))
    python.end()
    if options.table:
        pathlib.Path(options.table).write_text("# Folders for transformers\n\n" + "\n".join(lines) + "\n")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
