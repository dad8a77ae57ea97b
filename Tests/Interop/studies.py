"""The position study by both engines: the arms trained by chimera, and exported and trained by PyTorch on the CPU.

    python Tests/Interop/studies.py .build/release/chimera [--folder FOLDER] [--table FILE]

It needs torch. The study has its five arms and three seeds with a quarter of its steps and of its batch, so that a laptop
trains them in some minutes. In a FOLDER that is named the studies stay, and go on where they were stopped.
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
    study = ["position", "--threads", "1", *[part for k, v in CHANGES.items() for part in ("--train", f"{k}={v}")]]
    check(options.chimera, "ablate", *study, "-q", "--out", folder / "ours")
    script = folder / "train.sh"
    script.write_text(check(options.chimera, "ablate", "plan", *study, "--engine", "torch", "--torchrun", "--out", folder / "torch"))
    check("sh", script, "--device", "cpu", env=environment)
    check(options.chimera, "ablate", "merge", folder / "torch")
    ours, theirs = (json.loads((folder / name / "results.json").read_text()) for name in ("ours", "torch"))
    lines, worst, same = [], 0.0, True

    def tell(line):
        print(line, flush=True)
        lines.append(line)

    engine = theirs["engines"][0]["engine"]
    tell(f"| arm | chimera: loss, Δ, verdict | {engine}: loss, Δ, verdict | a run differs by |")
    tell("|---|---|---|---|")
    for mine, other in zip(ours["arms"], theirs["arms"]):
        apart = max(abs(a["loss"] - b["loss"]) for a, b in zip(mine["runs"], other["runs"], strict=True))
        for a, b in zip(mine["runs"], other["runs"]):
            known = [(x["loss"], y["loss"]) for x, y in zip(a["contexts"], b["contexts"], strict=True)]
            apart = max([apart] + [abs(x - y) for x, y in known if x is not None])
        worst, cells = max(worst, apart), []
        for arm in (mine, other):
            difference = arm.get("difference")
            cells.append(f"{arm['loss_mean']:.4f}" + (f", {difference['mean']:+.4f}, {difference['verdict']}" if difference else ", baseline"))
        same = same and mine.get("difference", {}).get("verdict") == other.get("difference", {}).get("verdict")
        tell(f"| {mine['name']} | {cells[0]} | {cells[1]} | {apart:.1e} |")
    if options.table:
        head = (
            "# A study by both engines\n\nThe position study, cut down to "
            + ", ".join(f"{key} {value}" for key, value in CHANGES.items())
            + ": five arms, three seeds, on the CPU, a thread each. A run differs by the largest difference of a loss, those over longer windows included.\n\n"
        )
        pathlib.Path(options.table).write_text(head + "\n".join(lines) + "\n")
    sys.exit(0 if same and worst <= 1e-3 else 1)


if __name__ == "__main__":
    main()
