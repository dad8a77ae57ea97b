#!/usr/bin/env python3
"""Chimera on changed configurations: does every key that decides numbers reach the model?

usage: check.py CHIMERA REFERENCES [--table FILE] [name ...]        needs: pip install numpy safetensors
REFERENCES is what `references.py` wrote. For each changed configuration `chimera verify` must agree with the reference
or refuse the folder:

  ok        the reference's logits
  refused   exit status 3 and a message that names the key (right where the spec cannot say it)
  WRONG     anything else: other logits, or a trap

Lines are printed for what is refused or WRONG; the last line counts. The exit status is 1 when anything is WRONG.
`--table FILE` writes the counts of each family as a table.
"""
import argparse, collections, json, os, shutil, subprocess, sys, tempfile
from safetensors.numpy import load_file, save_file

ABOVE = """# Every key of a configuration, changed

Made by `make interop` (`Tests/Interop/bindings`): each key of a tiny checkpoint's config.json is changed, one at a time:
other values, null, absent, older spellings, other rotary scaling. transformers 5.23.0 computes the changed folder with the
same weights (float32, eager attention), and `chimera verify` must agree within 1e-4 or refuse the folder with a message that
names the key. What the reference refuses itself is left out.

"""
KINDS = ["value", "null", "absent", "legacy", "rope"]

def main():
    parser = argparse.ArgumentParser(); parser.add_argument("chimera"); parser.add_argument("references")
    parser.add_argument("names", nargs="*"); parser.add_argument("--table"); options = parser.parse_args()
    chimera = os.path.abspath(options.chimera)
    table = collections.defaultdict(collections.Counter); total = collections.Counter()
    for name in sorted(os.listdir(options.references)):
        if options.names and name not in options.names: continue
        about = json.load(open(os.path.join(options.references, name, "cases.json")))
        stored = load_file(os.path.join(options.references, name, "logits.safetensors")); source = about["source"]
        expected = load_file(os.path.join(source, "expected.safetensors"))
        for index, case in enumerate(about["cases"]):
            work = tempfile.mkdtemp(prefix="sweep-"); folder = os.path.join(work, name); os.makedirs(folder)
            try:
                for file in os.listdir(source):
                    if file not in ("config.json", "expected.safetensors", "training.safetensors"):
                        os.symlink(os.path.join(source, file), os.path.join(folder, file))
                json.dump(case["config"], open(os.path.join(folder, "config.json"), "w"))
                logits = stored.get(str(index), expected["logits"])
                save_file({"input_ids": expected["input_ids"], "logits": logits}, os.path.join(folder, "expected.safetensors"))
                # Within 1e-4, or what float32 leaves of large logits.
                tolerance = max(1e-4, 1e-5 * float(abs(logits).max()))
                run = subprocess.run([chimera, "verify", folder, "--tolerance", str(tolerance)], capture_output=True, text=True, timeout=120)
            finally: shutil.rmtree(work, ignore_errors=True)
            said = (run.stdout + run.stderr).strip().replace(work + "/", "")
            moved = case["moved"] > 1e-4
            verdict = "ok" if run.returncode == 0 else "refused" if run.returncode == 3 else "WRONG"
            if verdict == "refused" and not moved: verdict = "needless"
            table[name][verdict, case["kind"]] += 1; table[name][verdict] += 1
            total[verdict] += 1; total[verdict, case["kind"]] += 1
            if moved: total["moved", verdict] += 1
            if verdict != "ok":
                lines = [line for line in said.splitlines() if line.strip()]
                print(f"{verdict}  {name}  {case['title']} | moves {case['moved']:.3g} | {(lines or [''])[-1 if verdict == 'WRONG' else 0][:220]}", flush=True)
    for kind in KINDS:
        print(f"{kind}: " + ", ".join(f"{total[v, kind]} {v}" for v in ["ok", "refused", "needless", "WRONG"]))
    print(f"{total['ok']} ok ({total['moved', 'ok']} of them with other logits than the unchanged folder), {total['refused']} refused, "
          f"{total['needless']} refused though the logits stay, {total['WRONG']} WRONG")
    if options.table:
        with open(options.table, "w") as file:
            file.write(ABOVE + "| configuration | ok | refused | refused, same logits | wrong |\n|---|---:|---:|---:|---:|\n")
            for name, row in sorted(table.items()):
                file.write(f"| {name} | {row['ok']} | {row['refused']} | {row['needless']} | {row['WRONG']} |\n")
            file.write(f"| **all** | {total['ok']} | {total['refused']} | {total['needless']} | {total['WRONG']} |\n\n")
            file.write("| kind of change | ok | refused | refused, same logits | wrong |\n|---|---:|---:|---:|---:|\n")
            for kind in KINDS:
                file.write(f"| {kind} | " + " | ".join(str(total[v, kind]) for v in ["ok", "refused", "needless", "WRONG"]) + " |\n")
    sys.exit(total["WRONG"] > 0)

main()
