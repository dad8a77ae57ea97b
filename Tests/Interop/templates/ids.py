#!/usr/bin/env python3
"""The ids of conversations under published chat templates, compared with apply_chat_template of transformers.

    python3 ids.py CHIMERA DATA FOLDER …        needs: pip install transformers==5.23 jinja2==3.1.6

FOLDER holds chat templates, *.jinja (looked up, not kept here); DATA has vocabularies, hf-json/*_tokenizer.json. The marks that a
template writes become special tokens of each vocabulary, a folder is saved by transformers, and `chimera tokenize --messages` reads
it. The exit status is 1 where any ids differ, or one side refuses what the other writes.
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from conversations import CONVERSATIONS, SIMPLE, TOOL  # noqa: E402

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "critical")
from tokenizers import AddedToken, Tokenizer  # noqa: E402
from transformers import PreTrainedTokenizerFast  # noqa: E402

MARKS = re.compile(r"<\|[^|<>{}'\"\s]{1,40}\|>|<｜[^｜{}'\"]{1,40}｜>|</?s>|\[/?[A-Z_]{2,20}\]|</?[a-z_]{2,20}>")
NAMES = ["question", "system", "turns", "system_turns", "ends_with_answer", "empty_user", "empty_turns", "calls", "calls_text", "think",
         "reasoning", "marks", "late_system", "two_users", "long"]


def folder(template, vocabulary, marks, place):
    tokenizer = Tokenizer.from_file(vocabulary)
    tokenizer.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in ["<s>", "</s>", *marks]])
    whole = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", chat_template=template)
    whole.save_pretrained(place)
    return whole


def main():
    chimera, data, *folders = sys.argv[1:]
    files = sorted(f for folder in folders for f in glob.glob(os.path.join(folder, "*.jinja")))
    vocabularies = [f"{data}/hf-json/{name}_tokenizer.json" for name in ("gpt2", "llama")]
    compared = refused = wrong = 0
    for number, path in enumerate(files):
        template = open(path, encoding="utf-8").read()
        marks = sorted(set(MARKS.findall(template)))
        for vocabulary in vocabularies:
            with tempfile.TemporaryDirectory() as place:
                tokenizer = folder(template, vocabulary, marks, place)
                for name in NAMES:
                    messages = [{k: v for k, v in m.items() if v is not None} for m in CONVERSATIONS[name]]
                    tools = [TOOL, SIMPLE] if name in ("system", "calls") else None
                    try:
                        ids = list(tokenizer.apply_chat_template(
                            messages, tools=tools, add_generation_prompt=True, tokenize=True, return_dict=True)["input_ids"])
                    except Exception as error:  # noqa: BLE001  any error of the template is an answer
                        ids = f"{type(error).__name__}: {error}"
                    for file, value in (("messages", messages), ("tools", tools)):
                        with open(f"{place}/{file}.in", "w", encoding="utf-8") as out: json.dump(value, out, ensure_ascii=False)
                    command = [chimera, "tokenize", f"{place}/tokenizer.json", "--messages", f"{place}/messages.in", "--json"]
                    run = subprocess.run(command + (["--tools", f"{place}/tools.in"] if tools else []), capture_output=True, text=True)
                    ours = json.loads(run.stdout)["ids"] if run.returncode == 0 else run.stderr
                    if isinstance(ids, str) and isinstance(ours, str) or ids == [] and "writes nothing" in ours:
                        refused += 1
                        continue
                    compared += 1
                    if ids != ours:
                        wrong += 1
                        if wrong <= 20:
                            print(f"WRONG {os.path.basename(path)} {os.path.basename(vocabulary)} {name}")
                            print(f"  reference {ids if isinstance(ids, str) else tokenizer.decode(ids)!r}\n  here      "
                                  f"{ours.strip() if isinstance(ours, str) else tokenizer.decode(ours)!r}")
    print(f"{len(files)} templates, {len(vocabularies)} vocabularies: {compared} conversations compared, {wrong} differ; {refused} refused by both")
    sys.exit(1 if wrong else 0)


main()
