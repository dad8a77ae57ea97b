#!/usr/bin/env python3
"""JSON Schemas of the official test suite: what is taken is taken rightly, and what is not is refused by keyword.

usage: schema_suite.py PROBE SUITE [--drafts 2020-12,2019-09,7]      needs: pip install jsonschema numpy
PROBE is the program of this folder, SUITE the folder tests of json-schema-org/JSON-Schema-Test-Suite.

For each schema that is taken: an instance that the suite calls invalid must not be accepted, in any of three spellings; eight
texts drawn by our masks must be valid by jsonschema. Instances that are valid and not accepted are counted: members come in the
order of `properties`, and numbers, strings and white space in the spellings that a grammar has. One bound is known not to be kept:
the 253 characters of a whole host name, whose labels are at most 63.
"""
import argparse, collections, decimal, glob, json, os, subprocess, sys
import jsonschema
from jsonschema.validators import validator_for

CHECKED = {"date", "time", "date-time", "uuid", "ipv4", "ipv6", "email", "hostname", "duration"}


def number(text):
    """A number that is exact: with a float, 0.0851 is no multiple of 0.0001."""
    value = decimal.Decimal(text)
    return int(value) if value == value.to_integral_value() and abs(value) < 10**400 else value


class Probe:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        path = f"/tmp/{os.getpid()}.bytes"
        with open(path, "w") as file: file.write("\n".join([bytes([i]).hex() for i in range(256)] + [""]))
        self.ask(vocabulary=path); os.remove(path)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n"); self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def accepts(self, text):
        places = self.ask(tokens=list(text.encode()))
        return "refused" not in places and places.get("places", [{}])[-1].get("end", False)


def main():
    parser = argparse.ArgumentParser(); parser.add_argument("probe"); parser.add_argument("suite"); parser.add_argument("--drafts", default="2020-12,2019-09,7")
    a = parser.parse_args(); probe = Probe(a.probe); wrong = known = 0
    for draft in a.drafts.split(","):
        refused, taken = collections.Counter(), collections.Counter(); accepted = missed = drawn = rejected = unended = 0; example = {}
        for path in sorted(glob.glob(f"{a.suite}/draft{draft}/*.json") + glob.glob(f"{a.suite}/draft{draft}/optional/format/*.json")):
            keyword = os.path.basename(path)[:-5]
            if "optional" in path and keyword not in CHECKED: continue
            for group in json.load(open(path)):
                schema = group["schema"]
                answer = probe.ask(schema=schema)
                if "error" in answer:
                    refused[keyword] += 1; example.setdefault(" ".join(answer["error"].split())[:110], f"{keyword}: {group['description']}"); continue
                taken[keyword] += 1
                for test in group["tests"]:
                    texts = {json.dumps(test["data"]), json.dumps(test["data"], separators=(",", ":")), json.dumps(test["data"], ensure_ascii=False)}
                    found = [probe.accepts(t) for t in sorted(texts)]
                    if not test["valid"] and any(found) and "maximum overall length" in test["description"]: known += 1
                    elif not test["valid"] and any(found):
                        wrong += 1; print(f"WRONG {draft} {keyword}, {group['description']}: accepts what is {test['description']}: {json.dumps(test['data'])[:200]} of {json.dumps(schema)[:300]}")
                    elif test["valid"]: accepted += any(found); missed += not any(found)
                    else: rejected += 1
                if "$ref" in json.dumps(schema) and "http" in json.dumps(schema): continue
                validator = validator_for(schema if isinstance(schema, dict) else {}, default=jsonschema.Draft202012Validator)(schema, format_checker=validator_for(schema if isinstance(schema, dict) else {}, default=jsonschema.Draft202012Validator).FORMAT_CHECKER)
                for seed in range(1, 9):
                    sample = probe.ask(sample=seed)
                    if not sample.get("complete"): unended += 1; continue
                    text = bytes(sample["tokens"]).decode("utf-8", "replace"); drawn += 1
                    try: validator.validate(json.loads(text, parse_float=number))
                    except (ValueError, jsonschema.ValidationError) as problem:
                        wrong += 1; print(f"WRONG {draft} {keyword}, {group['description']}: draws {text[:200]} of {json.dumps(schema)[:300]}: {str(problem).splitlines()[0][:200]}")
                    except Exception as problem: print(f"not judged: {draft} {keyword}: {type(problem).__name__}"); break
        print(f"draft {draft}: {sum(taken.values())} schemas taken, {sum(refused.values())} refused; {rejected} invalid instances rejected; of the valid, {accepted} accepted and {missed} not; {drawn} texts drawn, {unended} not ended")
        print("  refused, in part or whole: " + ", ".join(f"{k} {n}" for k, n in sorted(refused.items())))
        for reason, where in sorted(example.items()): print(f"    {reason}  ({where})")
    print(f"{wrong} wrong, {known} at the known bound"); sys.exit(wrong > 0)


main()
