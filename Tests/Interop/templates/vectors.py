#!/usr/bin/env python3
"""Writes what transformers 5.23 and jinja2 3.1.6 give, for the tests: python3 vectors.py > ../../TemplatesTests/vectors.json"""
import copy
import glob
import json
import os
import sys
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
warnings.simplefilter("ignore")
import fuzzing  # noqa: E402
from conversations import CONVERSATIONS, EXTRAS  # noqa: E402
from templates import TOKENS, aliased, bounded, chat, reference  # noqa: E402

chats = []
for path in sorted(glob.glob(os.path.join(HERE, "..", "..", "TemplatesTests", "Templates", "*.jinja"))):
    for place, (name, messages) in enumerate(CONVERSATIONS.items()):
        messages, extra = chat(messages, EXTRAS[place % len(EXTRAS)])
        text, _ = reference(open(path, encoding="utf-8").read(), messages, extra)
        variables = {"tools": None, "documents": None, **TOKENS, **extra, "messages": aliased(messages)}
        chats.append({"file": os.path.basename(path), "name": name, "variables": variables, "text": text})
maker = fuzzing.Maker(7)
# Found by longer runs of templates.py; keys without an order, what Markup is made of, a text that is shorter than asked.
FOUND = [
    "{{ ('a' 'b')|groupby('role')|list }}", "{{ ['a']|groupby('role')|list }}", "{{ ['b', 'a']|sort(attribute='role') }}",
    "{{ ['a', 'b']|map(attribute='x')|max }}", "{{ {'a': nothing, 'b': nothing}|dictsort(by='value') }}",
    "{{ ((())|e)|select|list }}", "{{ ('<b>'|e)|list }}", "{{ missing|truncate(true) }}", "{{ missing|truncate(3) }}",
]
made = []
for template in FOUND:
    try:
        text = bounded(template, copy.deepcopy(fuzzing.VARIABLES))
    except Exception:  # noqa: BLE001
        text = None
    made.append({"template": template, "text": text})
while len(made) < 400 + len(FOUND):
    template = maker.template()
    try:
        text = bounded(template, copy.deepcopy(fuzzing.VARIABLES))
    except Exception:  # noqa: BLE001
        text = None
    if text is None and len(made) % 4:
        continue
    if not fuzzing.excused(template, text, None, None) and len(text or "") < 400:
        made.append({"template": template, "text": text})
print("{\"chats\": [")
print(",\n".join(json.dumps(c, ensure_ascii=False) for c in chats))
print("], \"variables\": " + json.dumps(fuzzing.VARIABLES, ensure_ascii=False) + ", \"generated\": [")
print(",\n".join(json.dumps(c, ensure_ascii=False) for c in made))
print("]}")
