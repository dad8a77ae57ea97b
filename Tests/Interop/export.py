"""Exports every architecture of the zoo in tiny form and compares it with chimera: a table of lines and differences.

    python Tests/Interop/export.py .build/release/chimera [NAME …] [--table FILE]

It needs torch, PyYAML and ruff. A model whose tiny form is another's is compared once; each is counted.
"""

import argparse
import contextlib
import io
import json
import os
import pathlib
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import yaml

REFUSED = ("cannot be written in PyTorch yet", "cannot be written in PyTorch:", "cannot be written as a class")
STACKS = ("Encoders", "Pictures", "EncoderDecoders", "Towers")  # tiny folders of transformers beside this one
HERE = pathlib.Path(__file__).resolve().parent
HEAD = 40  # a width of which usual fractions are even


def shrink(tree):
    """The resolved spec `tree` in sizes that a laptop computes in a moment, every feature of it kept."""
    for key in ("facts", "checkpoint", "config", "gguf", "tokenizer", "expected_params", "provenance"):
        tree.pop(key, None)
    heads = str(find(tree, "num_heads") or 4)
    odd = "alibi" in json.dumps(tree.get("position")) and int(heads) & (int(heads) - 1)
    latent = (tree.get("attention") or {}).get("type") == "mla"
    return small(tree, {"heads": 5 if odd else 4, "rotated": 8 if latent else HEAD}, ())


def find(tree, key):
    attention = tree.get("attention") or {}
    return attention.get(key)


def small(value, facts, path):
    if isinstance(value, dict):
        if "scaling" in value and facts["rotated"]:
            width = value.get("dim") or int(facts["rotated"] * value.get("fraction", 1))
            facts = {**facts, "pairs": min(width, 16) // 2 if value.get("dim") else width // 2}
        own = {k: small(v, {**facts, "siblings": value}, path + (k,)) for k, v in value.items()}
        if own.get("type") == "linear_attention":
            own["chunk_size"] = 8
        if own.get("type") == "mamba2":
            own["chunk_size"] = 4
        return own
    if isinstance(value, list):
        if path[-1] in ("short_factor", "long_factor", "factors"):
            return (value * HEAD)[: facts["pairs"]]
        return [small(v, facts, path) for v in value]
    key, siblings = path[-1], facts.get("siblings", {})
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    heads = facts["heads"]
    sizes = {
        "vocab_size": 131, "context_length": 64, "hidden_size": HEAD * heads, "num_heads": heads, "head_dim": HEAD,
        "intermediate_size": 48, "expert_size": 24, "shared_size": 20, "q_lora_rank": 24, "kv_lora_rank": 16,
        "nope_head_dim": 16, "rope_head_dim": 8, "v_head_dim": 12, "window": 8, "floor": 5, "original_context": 16,
        "state_size": 8, "max": 64,
    }
    if key == "num_kv_heads":
        return 1 if value == 1 else heads if value == siblings.get("num_heads") or heads == 5 else 2
    if key == "num_key_heads":
        return min(value, 2)
    if key == "num_groups":
        return 1 if value == 1 else 2
    if key == "window_step":
        return 8 if value == siblings.get("window") else 4
    if key == "num_experts":
        return 8
    if key == "top_k":
        return min(value, 2)
    if key == "groups":
        return 1 if value == 1 else 4
    if key == "top_groups":
        return 1 if value == 1 else 2
    if key == "dim" and path[:-1] in (("embedding",), ("head",)):
        return 96
    if key == "dim":
        return min(value, 16)
    if key == "count" and value > 8 and "pattern" not in siblings and "overrides" not in siblings:
        return 3
    return sizes.get(key, value)


def fewer_layers(tree):
    """The same with as few layers as have every kind; the counts of a pattern are what is cut."""
    layers = tree.get("layers") or {}
    pattern = layers.get("pattern")
    if not isinstance(pattern, list):
        return tree
    cut, total, seen = [], 0, {}
    for part in pattern:
        match = re.fullmatch(r"(\d+)\*(.*)", str(part))
        kind = match[2] if match else str(part)
        # Two of each: through more layers of experts rounding alone sends a token elsewhere within ten steps.
        count = min(int(match[1]) if match else 1, 2 - seen.get(kind, 0))
        if count < 1:
            continue
        seen[kind] = seen.get(kind, 0) + count
        cut.append(f"{count}*{kind}" if match else part)
        total += count
    return {**tree, "layers": {**layers, "pattern": cut, "count": total}}


class WarmPython:
    """A Python that has imported torch once: `program` stands for it, and each run is a fork."""

    def __init__(self, folder):
        self.place, self.program = str(folder / "socket"), str(folder / "python")
        pathlib.Path(self.program).write_text(
            f"#!{sys.executable} -S\n"
            "import json, socket, sys\n"
            f"s = socket.socket(socket.AF_UNIX); s.connect({self.place!r})\n"
            "s.sendall(json.dumps(sys.argv[1:]).encode()); s.shutdown(socket.SHUT_WR)\n"
            "data = b''.join(iter(lambda: s.recv(65536), b''))\n"
            "answer = json.loads(data); sys.stdout.write(answer[1]); sys.stderr.write(answer[2])\n"
            "sys.exit(answer[0])\n"
        )
        os.chmod(self.program, 0o755)
        self.pid = os.fork()
        if self.pid == 0:
            self.serve()
        while not os.path.exists(self.place):
            time.sleep(0.1)

    def serve(self):
        import torch  # noqa: F401

        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.place)
        listener.listen()
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                arguments = json.loads(b"".join(iter(lambda: connection.recv(65536), b"")))
                connection.sendall(json.dumps(self.answer(arguments)).encode())
                connection.close()
                os._exit(0)
            connection.close()
            os.wait()

    @staticmethod
    def answer(arguments):
        out, notes, status = io.StringIO(), io.StringIO(), 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(notes):
            try:
                if arguments[0] == "-c":
                    exec(arguments[1], {})
                else:
                    sys.argv = arguments
                    runpy.run_path(arguments[0], run_name="__main__")
            except SystemExit as end:
                status = end.code or 0
            except BaseException:
                traceback.print_exc()
                status = 1
        return status, out.getvalue(), notes.getvalue()

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def run(chimera, arguments):
    return subprocess.run([chimera, *arguments], capture_output=True, text=True)


def export(chimera, tree, folder, python):
    spec = folder / "tiny.yaml"
    spec.write_text(yaml.safe_dump(tree, sort_keys=False))
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    arguments = ["export", str(spec), "--output", str(out), "--verify", "--python", python, "--json", "--threads", "1"]
    done = run(chimera, arguments)
    try:
        result = json.loads(done.stdout)
    except json.JSONDecodeError:
        return None, done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
    return result, []


def is_alone(tree):
    """Whether a spec continues texts and reads nothing beside them."""
    text = json.dumps(tree)
    return not any(word in text for word in ('"stacks"', '"patches"', '"full"', '"relative"'))


def compare_stacks(chimera, folder, python):
    """The tiny encoders, models of pictures and encoder-decoders: beside this program, and beside transformers."""
    rows = []
    for name in STACKS:
        for source in sorted((HERE.parent / name).glob("*/config.json")):
            out = folder / "stack"
            shutil.rmtree(out, ignore_errors=True)
            arguments = ["export", str(source.parent), "--output", str(out), "--verify", "--python", python, "--json"]
            done = run(chimera, [*arguments, "--threads", "1"])
            label = f"{name}/{source.parent.name}"
            if not done.stdout.startswith("{"):
                sentence = done.stderr.strip().splitlines()[-1].removeprefix("error: ")
                rows.append((label, None, sentence))
                continue
            result = json.loads(done.stdout)
            script = [str(HERE / "exported_stacks.py"), str(out), str(source.parent)]
            beside = subprocess.run([python, *script], capture_output=True, text=True)
            if beside.returncode == 0:
                result |= json.loads(beside.stdout.splitlines()[-1])
            result["holds"] = result["holds"] and result.get("transformers", 0) <= 1e-4
            rows.append((label, result, ""))
    return rows


def stack_row(entry, edge=""):
    name, result, sentence = entry
    keys = ("whole", "cached", "gradients", "steps", "transformers")
    cells = [name] + (["–" if result.get(k) is None else f"{result[k]:.1e}" for k in keys] if result else ["", "", "", "", sentence])
    if result and not result["holds"]:
        cells[-1] += " DIFFERS"
    return "| " + " | ".join(cells) + " |" if edge else "  ".join(c.ljust(w) for c, w in zip(cells, (36, 8, 8, 8, 8, 8)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("chimera")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--table")
    parser.add_argument("--keep")
    parser.add_argument("--stacks", action="store_true", help="compare the tiny folders of encoders and pictures too")
    parser.add_argument("--fixtures", default="../shared/data/fixtures", help="folders of checkpoints, verified too")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    listed = json.loads(run(options.chimera, ["list", "--json"]).stdout)
    models = listed if isinstance(listed, list) else listed["models"]
    names = options.names or [m["name"] for m in models]
    families = {m["name"]: m.get("family", "") for m in models}
    done, rows, long = {}, [], []
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        python = WarmPython(folder)
        for name in names:
            text = run(options.chimera, ["show", name, "--yaml"]).stdout
            tree = shrink(yaml.safe_load(text))
            tree["name"] = "tiny"
            key = json.dumps(tree, sort_keys=True)
            if key not in done:
                result, notes = export(options.chimera, fewer_layers(tree), folder, python.program)
                if result is None and fewer_layers(tree) != tree:
                    result, notes = export(options.chimera, tree, folder, python.program)
                # Lines and style are looked at in the model's own size.
                real = folder / "real"
                shutil.rmtree(real, ignore_errors=True)
                written = run(options.chimera, ["export", name, "--output", str(real), "--source"])
                lines, style = 0, "–"
                if any(sentence in written.stderr for sentence in REFUSED) and not is_alone(tree):
                    result, notes = None, [written.stderr.strip().splitlines()[-1].removeprefix("error: ")]
                elif not is_alone(tree) and result is None:
                    # Sizes of pictures are not shrunk: the tiny folders stand for these models.
                    result, notes = None, ["no tiny form"]
                if written.returncode == 0:
                    text = (real / "model.py").read_text()
                    lines = text.count("\n")
                    if lines > 250 and "class ExpertLinear" not in text:
                        long.append(f"{name} ({lines}, {len(re.findall(r'Block[0-9]*.nn.Module', text))} kinds of layers)")
                    ruff = [sys.executable, "-m", "ruff"]
                    checked = subprocess.run([*ruff, "check", "-q", "--isolated", str(real / "model.py")], capture_output=True)
                    formatted = subprocess.run(
                        [*ruff, "format", "--check", "-q", str(real / "model.py")], capture_output=True
                    )
                    style = ("" if checked.returncode == 0 else "check ") + (
                        "" if formatted.returncode == 0 else "format"
                    )
                    if options.keep:
                        shutil.copy(real / "model.py", pathlib.Path(options.keep) / f"{name}.py")
                done[key] = (result, notes, lines, style, name)
            result, notes, lines, style, first = done[key]
            rows.append((name, result, notes, lines, style, first))
            if first == name:
                print(row(families, rows[-1]), flush=True)
        # The folders of stored weights, whose names and layouts lead back to the same module.
        fixtures = {}
        for source in sorted(pathlib.Path(options.fixtures).glob("*/config.json")) if not options.names else []:
            out = folder / "fixture"
            shutil.rmtree(out, ignore_errors=True)
            arguments = ["export", str(source.parent), "--output", str(out), "--verify", "--python", python.program, "--json"]
            done_ = run(options.chimera, [*arguments, "--threads", "1"])
            fixtures[source.parent.name] = json.loads(done_.stdout) if done_.stdout.startswith("{") else None
        stacks = compare_stacks(options.chimera, folder, python.program) if not options.names or options.stacks else []
        for entry in stacks:
            print(stack_row(entry), flush=True)
        # Each option of each component, in the tiny models of the conformance tests.
        arguments = ["check-component", "--all", "--python", python.program]
        components = None if options.names else run(options.chimera, arguments)
        python.end()
    # What has no form yet says so; what has no tiny form is compared in a folder of its family.
    refused = [r for r in rows if r[1] is None and r[2] and any(sentence in r[2][0] for sentence in REFUSED)]
    untried = [r for r in rows if r[1] is None and r[2] == ["no tiny form"]]
    rows = [r for r in rows if r not in refused and r not in untried]
    good = sum(1 for r in rows if r[1] and r[1]["holds"])
    stored = [name for name, result in fixtures.items() if result and result["holds"]]
    if fixtures:
        others = sorted(set(fixtures) - set(stored))
        print(f"fixtures: {len(stored)} of {len(fixtures)} agree" + (f"; outside: {', '.join(others)}" if others else ""))
    summary = f"{good} of {len(rows)} agree, {len({r[5] for r in rows})} distinct forms"
    print(summary)
    if components:
        print(components.stdout)
    if options.table:
        lines = ["# Exported modules compared", "", summary + "; a model of the zoo whose tiny form is that of another has no row.", ""]
        if refused:
            lines += ["Refused:", ""] + [f"- {r[0]}: {r[2][0]}" for r in refused] + [""]
        if untried:
            lines += [f"Written, and compared below in a folder of their families: {', '.join(r[0] for r in untried)}.", ""]
        if long:
            lines += [
                f"Over 250 lines without experts: {', '.join(long)}. Each kind of layer is a class, and each way of mixing tokens "
                "(a recurrence, a convolution, attention in a window) a function or a class with its equation.",
                "",
            ]
        lines += ["| model | lines | whole | cached | loss | gradients | ten steps | ruff |", "|---|---|---|---|---|---|---|---|"]
        lines += [row(families, r, "|") for r in rows if r[5] == r[0]]
        if fixtures:
            lines += ["", f"Of the fixtures, {len(stored)} of {len(fixtures)} agree in the same."]
        if stacks:
            lines += ["", "Tiny folders of transformers, beside this program and beside transformers itself:", ""]
            lines += ["| folder | whole | cached | gradients | ten steps | transformers |", "|---|---|---|---|---|---|"]
            lines += [stack_row(entry, "|") for entry in stacks]
        if components:
            lines += ["", "Components, with every option:", "", "```", components.stdout.strip(), "```"]
        pathlib.Path(options.table).write_text("\n".join(lines) + "\n")
    sys.exit(0 if good == len(rows) and len(stored) == len(fixtures) and all(r[1] is None or r[1]["holds"] for r in stacks) and not (components and components.returncode) else 1)


def row(families, entry, edge=""):
    name, result, notes, lines, style, _ = entry
    if result is None:
        cells = [name, lines, " ".join(notes)[:160], "", "", "", "", style]
    else:
        keys = ("whole", "cached", "loss", "gradients", "steps")
        cells = [name, lines] + ["–" if result.get(k) is None else f"{result[k]:.1e}" for k in keys]
        cells.append((style or "clean") + ("" if result["holds"] else " DIFFERS"))
    if edge:
        return "| " + " | ".join(str(c) for c in cells) + " |"
    return "  ".join(str(c).ljust(w) for c, w in zip(cells, (28, 5, 8, 8, 8, 8, 8, 8)))


if __name__ == "__main__":
    main()
