#!/usr/bin/env python3
"""Compares the templates room with transformers and Jinja's sandbox.

    python3 templates.py PROBE [--templates FOLDER …] [--fuzz COUNT] [--seed N]

PROBE reads JSON lines {"template", "variables"} and writes {"text"} or {"error"} (`Package.swift` beside this builds it).
FOLDER holds chat templates, *.jinja; those of this repository's tests are always compared. Needs transformers 5.23, jinja2 3.1.6.
"""
import argparse
import copy
import glob
import json
import os
import subprocess
import sys
import threading
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from conversations import CONVERSATIONS, EXTRAS  # noqa: E402

try:
    from transformers.utils.chat_template_utils import _compile_jinja_template, render_jinja_template
except ImportError:
    sys.exit("templates.py needs transformers 5.23 and jinja2 3.1.6: pip install transformers jinja2")

TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


class Probe:
    """The program under test: all questions at once, answers in their order."""

    def __init__(self, path):
        self.path = path

    def ask(self, questions):
        text = "".join(json.dumps(q) + "\n" for q in questions)
        run = subprocess.run([self.path], input=text, capture_output=True, text=True)
        answers = [json.loads(line) for line in run.stdout.splitlines()]
        if run.returncode or len(answers) != len(questions):
            print(f"the probe ended with {run.returncode} after {len(answers)} of {len(questions)}; next was")
            if len(answers) < len(questions):
                print(json.dumps(questions[len(answers)]))
            sys.exit(1)
        return answers


def chat(messages, extra):
    """What apply_chat_template gives to the template."""
    messages = [{k: v for k, v in m.items() if v is not None} for m in messages]
    more = dict(extra)
    more.setdefault("add_generation_prompt", True)
    return messages, more


def reference(template, messages, extra):
    try:
        return render_jinja_template([messages], chat_template=template, **{**TOKENS, **extra})[0][0], None
    except Exception as error:  # noqa: BLE001  any error of the template is an answer
        return None, f"{type(error).__name__}: {error}"


def aliased(messages):
    from transformers.utils.chat_template_utils import _alias_reasoning_fields
    return _alias_reasoning_fields(messages)


def published(probe, folders):
    files = sorted(f for folder in folders for f in glob.glob(os.path.join(folder, "*.jinja")))
    cases = []
    for path in files:
        template = open(path, encoding="utf-8").read()
        for name, messages in CONVERSATIONS.items():
            for extra in EXTRAS:
                cases.append((os.path.basename(path), name, template, *chat(messages, extra)))
    questions = []
    for _, _, template, messages, extra in cases:
        variables = {"tools": None, "documents": None, **TOKENS, **extra, "messages": aliased(messages)}
        questions.append({"template": template, "variables": variables})
    wrong = refused = 0
    for case, answer in zip(cases, probe.ask(questions)):
        file, name, template, messages, extra = case
        text, error = reference(template, messages, extra)
        if text is None:
            refused += 1
        if answer.get("text") != text:
            wrong += 1
            if wrong <= 20:
                print(f"WRONG {file} {name} {list(extra)}\n  reference {error or text!r}\n  here      {answer.get('error') or answer.get('text')!r}")
    print(f"{len(files)} templates, {len(cases)} conversations, {refused} refused by both: {wrong} differ")
    return wrong


def fuzzed(probe, count, seed):
    import fuzzing
    wrong = errors = 0
    maker = fuzzing.Maker(seed)
    done = 0
    while done < count:
        batch = [maker.template() for _ in range(min(2000, count - done))]
        done += len(batch)
        answers = probe.ask([{"template": t, "variables": fuzzing.VARIABLES} for t in batch])
        for template, answer in zip(batch, answers):
            try:
                text = bounded(template, copy.deepcopy(fuzzing.VARIABLES))
                error = None
            except Exception as problem:  # noqa: BLE001
                text, error = None, f"{type(problem).__name__}: {problem}"
                errors += 1
            if answer.get("text") != text and not fuzzing.excused(template, text, error, answer.get("error")):
                wrong += 1
                if wrong <= 25:
                    print(f"WRONG {template!r}\n  reference {error or text!r}\n  here      {answer.get('error') or answer.get('text')!r}")
    print(f"{count} generated templates, {errors} refused by the reference: {wrong} differ")
    return wrong


def bounded(template, variables):
    return _compile_jinja_template(template).render(**variables)


def main():
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("probe")
    parser.add_argument("--templates", nargs="*", default=[])
    parser.add_argument("--fuzz", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    threading.stack_size(512 << 20)
    sys.setrecursionlimit(20000)
    probe = Probe(given.probe)
    wrong = published(probe, given.templates + [os.path.join(HERE, "..", "..", "TemplatesTests", "Templates")])
    wrong += fuzzed(probe, given.fuzz, given.seed)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
