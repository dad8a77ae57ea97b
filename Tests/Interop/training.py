"""What `chimera export --train` writes, run beside `chimera train`: a table of how far their losses are apart.

    python Tests/Interop/training.py .build/release/chimera [--table FILE]

It needs torch. Each model is trained for 50 steps by chimera, by one process, by two that share by FSDP2 over gloo, with and
without activations computed again; once the program is killed and goes on. The weights come back by `import`.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SPECS = {
    "gpt2-nano": [],
    "rope and experts": ["--set", "position=rope", "--set", "mlp={type: moe, num_experts: 4, top_k: 2, expert_size: 24, gated: true, activation: silu}"],
    "alibi and rmsnorm": ["--set", "position=alibi", "--set", "norm=rmsnorm"],
    "untied, gated": ["--set", "head={tied: false}", "--set", "mlp={gated: true, activation: silu}"],
    "linear attention": ["--set", "attention={type: linear_attention, num_heads: 4}"],
}  # fmt: skip
SETTINGS = ["steps=50", "batch=4", "context=32", "eval-every=25", "save-every=20", "lr=1e-3"]
OTHERS = {
    "lion, wsd": ["optimizer=lion", "schedule={type: wsd, shape: root}", "lr=1e-4"],
    "sgd, linear, accumulated": ["optimizer={type: sgd, momentum: 0.9, nesterov: true}", "schedule=linear", "accumulate=2", "lr=0.02"],
}  # fmt: skip


def metrics(path):
    lines = [json.loads(line) for line in open(path)]
    return {(d["step"], "validation_loss" in d): d.get("loss", d.get("validation_loss")) for d in lines}


def apart(a, b):
    a, b = metrics(a), metrics(b)
    return max(abs(a[k] - b[k]) for k in a) if a.keys() == b.keys() else float("inf")


def check(arguments, **options):
    done = subprocess.run(arguments, capture_output=True, text=True, **options)
    if done.returncode:
        raise SystemExit(" ".join(map(str, arguments)) + "\n" + done.stderr[-2000:])
    return done


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("chimera")
    parser.add_argument("--table")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    chimera = os.path.abspath(options.chimera)
    lines, bad = [], 0

    def tell(line):
        print(line, flush=True)
        lines.append(line)

    tell("| model | one process | two, FSDP2 | two, checkpointed | killed and resumed | import |")
    tell("|---|---|---|---|---|---|")
    # At the usual rate this one goes its own way by rounding alone: torch's f32 and f64 are 0.07 apart after 50 steps.
    tame = {"linear attention": ["lr=1e-4"]}
    cases = [(name, changes, tame.get(name, [])) for name, changes in SPECS.items()] + [(name, [], more) for name, more in OTHERS.items()]
    for name, changes, more in cases:
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            words = random.Random(0).choices(["so", "it", "goes", "round", "and", "never", "stops", "here", "there"], k=8000)
            (folder / "text.txt").write_text(" ".join(words))
            data = ["gpt2-nano", "--data", str(folder / "text.txt"), "--tokenizer", "char", *changes]
            settings = list({s.split("=", 1)[0]: s for s in SETTINGS + more}.values())
            flags = [part for s in settings for part in ("--" + s.split("=", 1)[0], s.split("=", 1)[1])]
            check([chimera, "train", *data, *flags, "--threads", "1", "--out", folder / "ours", "-q"])
            out = folder / "out"
            check([chimera, "export", *data, "--train", "--output", out, *[p for s in settings for p in ("--setting", s)]])
            ours = folder / "ours" / "metrics.jsonl"

            def train(where, *arguments, processes=1):
                program = [sys.executable, "train.py"] if processes == 1 else [
                    sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes), "train.py"]  # fmt: skip
                check([*program, "--device", "cpu", "--out", where, *arguments], cwd=out)
                return apart(ours, out / where / "metrics.jsonl")

            row = [train("one"), train("two", processes=2), train("again", "--checkpoint", processes=2)]
            # Killed once its first checkpoint is there.
            process = subprocess.Popen(
                [sys.executable, "train.py", "--device", "cpu", "--out", "killed"], cwd=out, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)  # fmt: skip
            while process.poll() is None and not list((out / "killed").glob("checkpoints/step-????????")):
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
            process.wait()
            row.append(train("killed"))
            shutil.rmtree(folder / "back", ignore_errors=True)
            check([chimera, "import", out / "two", "--output", folder / "back"])
            bad += max(row) > 1e-3
            tell(f"| {name} | " + " | ".join(f"{x:.1e}" for x in row) + " | ok |")
    if options.table:
        head = "# Trained by train.py and by chimera\n\nThe largest difference of a loss, of 50 steps and their validations.\n\n"
        pathlib.Path(options.table).write_text(head + "\n".join(lines) + "\n")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
