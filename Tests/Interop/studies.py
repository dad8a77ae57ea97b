"""The position study by both engines: the arms trained by chimera, and exported and trained by PyTorch on the CPU.

    python Tests/Interop/studies.py .build/release/chimera [--folder FOLDER] [--table FILE]

It needs torch. The study is the quick form of the shipped one, each arm at its own best rate, with fewer steps of a quarter of
the batch, so that a laptop trains it in some minutes. In a FOLDER that is named the studies stay, and go on where they were
stopped.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

CHANGES = {"steps": 100, "batch": 4, "validate_every": 100, "validation_batches": 25}


def check(*arguments, **options):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, **options)
    if done.returncode:
        raise SystemExit(" ".join(map(str, arguments)) + "\n" + done.stderr[-2000:])
    return done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("chimera")
    parser.add_argument("--folder")
    parser.add_argument("--table")
    options = parser.parse_args()
    environment = {**os.environ, "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    scratch = tempfile.TemporaryDirectory()
    folder = pathlib.Path(options.folder or scratch.name)
    folder.mkdir(parents=True, exist_ok=True)
    study = ["position", "--quick", "--threads", "1", *[part for k, v in CHANGES.items() for part in ("--train", f"{k}={v}")]]
    check(options.chimera, "ablate", *study, "-q", "--out", folder / "ours")
    script = folder / "train.sh"
    # Which rates follow depends on what was measured: a script of tasks at a time, until all runs are finished.
    while True:
        script.write_text(check(options.chimera, "ablate", "plan", *study, "--engine", "torch", "--torchrun", "--out", folder / "torch"))
        if "train.py" not in script.read_text():
            break
        check("sh", script, "--device", "cpu", env=environment)
    check(options.chimera, "ablate", "merge", folder / "torch")
    ours, theirs = (json.loads((folder / name / "results.json").read_text()) for name in ("ours", "torch"))
    lines, worst, same = [], 0.0, True

    def tell(line):
        print(line, flush=True)
        lines.append(line)

    def verdicts(arm):
        """At the shared rate, and best against best; the baseline has its best rate alone."""
        best = arm["tuned"]
        own = [f"at {best['best']:g}"]
        for difference in (arm.get("difference"), best.get("difference")):
            own.append(f"{difference['mean']:+.4f} {difference['verdict']}" if difference else "baseline")
        return own

    engine = theirs["engines"][0]["engine"]
    tell(f"| arm | chimera: best rate, verdict at the shared rate, best against best | {engine}: the same | differ at the lowest rate by | at the highest |")
    tell("|---|---|---|---|---|")
    for mine, other in zip(ours["arms"], theirs["arms"], strict=True):
        curves = zip(mine["tuned"]["curve"], other["tuned"]["curve"], strict=True)
        apart = [(a["factor"], abs(a["loss"] - b["loss"])) for a, b in curves]
        low, high = min(apart)[1], max(apart)[1]
        worst = max(worst, low)
        words = [verdicts(arm) for arm in (mine, other)]
        same = same and words[0][0] == words[1][0] and all(x.split()[-1] == y.split()[-1] for x, y in zip(*words))
        tell(f"| {mine['name']} | {'; '.join(words[0])} | {'; '.join(words[1])} | {low:.1e} | {high:.1e} |")
    if options.table:
        count = sum(1 for arm in theirs["arms"] for _ in arm["tuned"]["curve"])
        head = (
            "# A study by both engines\n\nThe position study in its quick form, with "
            + ", ".join(f"{key} {value}" for key, value in CHANGES.items())
            + f": five arms, {count} points of their rates' curves, three seeds at the best two, on the CPU, a thread each. Beyond "
            + "the best rate training makes last bits grow, so losses of one seed are compared at the ends of the curve.\n\n"
        )
        pathlib.Path(options.table).write_text(head + "\n".join(lines) + "\n")
    sys.exit(0 if same and worst <= 1e-5 else 1)


if __name__ == "__main__":
    main()
