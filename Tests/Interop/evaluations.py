"""lm-eval (`--model hf`) on ten exported models, beside the same requests answered by chimera.

    python Tests/Interop/evaluations.py .build/release/chimera [--table FILE] [NAME …]

It needs lm-eval (tried with 0.4.13), torch, transformers, PyYAML and safetensors. The models are the project's trained one
and the zoo's hybrids in tiny form with random weights, all with the tokenizer of the first.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent / "serving"))
scratch = tempfile.TemporaryDirectory()
os.environ["HF_MODULES_CACHE"] = scratch.name + "/modules"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy  # noqa: E402
import yaml  # noqa: E402
from export import fewer_layers, shrink  # noqa: E402

TRAINED = "story-llama"
MODELS = [
    TRAINED, "gpt2-alibi", "gpt2-rope", "gpt2-gqa", "gpt2-parallel", "llama-sandwich-qknorm", "llama-retention",
    "local-global-nope", "tiny-hybrid", "jamba-style",
]  # fmt: skip
TASKS = ["pick", "last", "write"]
DOCUMENTS, NEW = 6, 8


def run(*arguments):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(" ".join(map(str, arguments)) + "\n" + done.stderr[-1500:])
    return done.stdout


class Ours:
    """chimera, asked token by token what lm-eval asked the other."""

    def __init__(self, chimera, model, folder):
        self.chimera, self.model, self.file = chimera, model, folder / "logits.safetensors"

    def score(self, before, after):
        """ln p of the tokens `after` behind `before`, and whether each is the likeliest."""
        from safetensors.numpy import load_file

        tokens = before + after[:-1]
        run(self.chimera, "logits", self.model, "--tokens", ",".join(map(str, tokens)), "--output", self.file, "--exact", "--threads", 1)
        rows = load_file(str(self.file))["logits"].astype("float64")[len(before) - 1 :]
        rows = rows - rows.max(-1, keepdims=True)
        rows = rows - numpy.log(numpy.exp(rows).sum(-1, keepdims=True))
        return float(rows[range(len(after)), after].sum()), bool((rows.argmax(-1) == after).all())

    def write(self, tokens):
        text = run(
            self.chimera, "run", self.model, "--tokens", ",".join(map(str, tokens)), "-n", NEW, "--temperature", 0,
            "--ignore-end", "--exact", "--json", "--threads", 1,
        )  # fmt: skip
        return json.loads(text)["tokens"]


def prepare(chimera, name, folder):
    """The exported folder with a tokenizer, and the same as a native one."""
    out, back, spec = folder / "out", folder / "back", folder / "tiny.yaml"
    for path in (out, back):
        shutil.rmtree(path, ignore_errors=True)
    if name == TRAINED:
        run(chimera, "export", name, "--to", "hf", "--own-classes", "--output", out)
    else:
        stories = folder / "stories"
        if not stories.exists():
            run(chimera, "save", TRAINED, "--output", stories)
        tree = fewer_layers(shrink(yaml.safe_load(run(chimera, "show", name, "--yaml"))))
        tree["name"] = "tiny-" + name
        tree["vocab_size"] = json.loads((stories / "config.json").read_text())["vocab_size"]
        tree["context_length"] = 256
        spec.write_text(yaml.safe_dump(tree, sort_keys=False))
        run(chimera, "export", spec, "--to", "hf", "--own-classes", "--random-weights", "--output", out)
        for file in stories.glob("tokenizer*"):
            shutil.copy(file, out)
    run(chimera, "import", out, "--output", back)
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", "model_max_length": 256}
    (out / "tokenizer_config.json").write_text(json.dumps(config))
    return out, back


def compare(chimera, name, folder, tasks):
    import lm_eval
    from lm_eval.models.huggingface import HFLM

    out, back = prepare(chimera, name, folder)
    model = HFLM(pretrained=str(out), dtype="float32", device="cpu", max_length=256, trust_remote_code=True, batch_size=4)
    results = lm_eval.simple_evaluate(model=model, tasks=TASKS, task_manager=tasks, log_samples=True, bootstrap_iters=0)
    ours, worst, same, asked = Ours(chimera, back, folder), 0.0, 0, 0
    for task in TASKS:
        for sample in results["samples"][task]:
            for request, answer in zip(sample["arguments"], sample["filtered_resps"]):
                asked += 1
                if task == "write":
                    tokens = model.tok_encode(request[0])
                    written = model.tokenizer.decode(ours.write(tokens), skip_special_tokens=True)
                    same += written.split(".")[0].startswith(answer) or answer.startswith(written.split(".")[0])
                    continue
                before, after = model._encode_pair(request[0], request[1])
                value, greedy = ours.score(before, after)
                worst = max(worst, abs(value - answer[0]) / len(after))
                same += greedy == bool(answer[1])
    return worst, same, asked


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("chimera")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--table")
    options = parser.parse_args()
    import evaluation
    from lm_eval.tasks import TaskManager

    folder = pathlib.Path(scratch.name)
    whole = evaluation.documents
    evaluation.documents = lambda seed: whole(seed, DOCUMENTS)
    evaluation.write_tasks(str(folder))
    tasks = TaskManager(include_path=str(folder), include_defaults=False)
    lines, bad = [], 0

    def tell(line):
        print(line, flush=True)
        lines.append(line)

    tell("| model | a token's ln p differs by | greedy answers as ours |")
    tell("|---|---|---|")
    for name in options.names or MODELS:
        worst, same, asked = compare(options.chimera, name, folder, tasks)
        bad += worst > 1e-4 or same < asked
        tell(f"| {name} | {worst:.1e} | {same} of {asked} |")
    if options.table:
        import importlib.metadata as packages

        head = (
            "# Exported models under lm-eval\n\n"
            f"lm-eval {packages.version('lm_eval')} with `--model hf`, torch {packages.version('torch')}, transformers "
            f"{packages.version('transformers')}: a choice among answers, the likelihood of a text, and texts that are generated, "
            "each beside what chimera gives for the same tokens.\n\n"
        )
        pathlib.Path(options.table).write_text(head + "\n".join(lines) + "\n")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
