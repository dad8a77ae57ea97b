#!/usr/bin/env python3
"""Grammars and JSON Schemas, compared with llguidance: token masks along random texts; and what comes out, checked by jsonschema.

usage: grammars.py PROBE [--data DATA] [--masks N] [--texts N] [--seed N]      needs: pip install llguidance==1.9.1 jsonschema numpy
PROBE is the program of this folder. DATA is the folder with the vocabularies; without it every byte is a token.

1. MASKS prefixes: for each grammar texts are drawn token by token by llguidance's masks; at each place both masks, and whether the
   text may end, are equal.
2. TEXTS of generated schemas, drawn by our masks, are valid JSON and valid by jsonschema.

What is known to differ: llguidance writes the names of further properties also with escapes for characters that need none, so that
a name that is taken can come again (\\u0061 for a); such places are counted and passed over. Behind a bound such as 12.5
it has no further zeros. It cuts a text into the longest words, so
that a grammar in which a space may be two things is another there. Its dates have a 29th of February every year, its times a leap
second at any minute, its host names any Punycode; ours do not. It refuses oneOf, and what it finds too complex. The exit status is 1 where anything else differs.
"""
import argparse, base64, hashlib, json, os, random, re, subprocess, sys
import jsonschema, llguidance, numpy as np
from llguidance import LLMatcher, LLTokenizer
from llguidance.gbnf_to_lark import any_to_lark
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask

GRAMMARS = {
    "json": r'''
root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::= "{" ws ( string ":" ws value ("," ws string ":" ws value)* )? "}" ws
array  ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
ws ::= | " " | "\n" [ \t]{0,20}
''',
    "arithmetic": r'''
root ::= (expr "=" ws term "\n")+
expr ::= term ([-+*/] term)*
term ::= ident | num | "(" ws expr ")" ws
ident ::= [a-z] [a-z0-9_]* ws
num ::= [0-9]+ ws
ws ::= [ \t]*
''',
    "list": r'''
root ::= item+
item ::= "- " [^\r\n\x0b\x0c\u2028\u2029]+ "\n"
''',
    "chess": r'''
root ::= "1. " move " " move "\n" ([1-9] [0-9]? ". " move " " move "\n")+
move ::= (pawn | nonpawn | castle) [+#]?
nonpawn ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
pawn ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
castle ::= "O-O" "-O"?
''',
    "japanese": r'''
root ::= jp-char+ ([ \t\n] jp-char+)*
jp-char ::= hiragana | katakana | punctuation | cjk
hiragana ::= [ぁ-ゟ]
katakana ::= [ァ-ヿ]
punctuation ::= [、-〾]
cjk ::= [一-鿿]
''',
    "lisp": r'''
root ::= sexp
sexp ::= "(" ws (item " ")* item? ")"
item ::= sexp | [a-z]+ | [0-9]{1,4} | "\"" [^"]{0,30} "\""
ws ::= " "?
''',
    "sql": r'''
root ::= "SELECT " cols " FROM " name where? ";"
cols ::= "*" | name (", " name){0,9}
name ::= [a-z_]{1,20}
where ::= " WHERE " cond (" AND " cond | " OR " cond)*
cond ::= name " " ("=" | "<" | ">=") " " ([0-9]+ | "'" [^']* "'")
''',
    "choice": r'''root ::= "yes" | "no" | "maybe" (", " ("later" | "never")){0,3} "."''',
    "emoji": r'''root ::= [😀-😿]{2,5} "é"? [^a-z]{3}''',
    "nested": r'''
root ::= s
s ::= "a" s "b" | "a" s "c" | "()"
''',
}

# ---- schemas

NAMES = ["a", "b", "name", "id", "value", "x y", "é", "items", "type", '"q"', "long_name_here"]
PATTERNS = ["^[a-z]{2,8}$", r"^\d{3}-\d{4}$", "^(foo|ba[rz])+$", "^[A-Z][a-z]* [^x]$", "ab+c", "^x", "y$", '^[^"]*$', r"^\w+@\w+$"]
FORMATS = ["date", "time", "date-time", "uuid", "ipv4", "ipv6", "email", "hostname", "duration"]
VALUES = ["red", "green", "blue", 1, 2.5, -7, None, True, 'a"b', "line\nbreak", "é", ["x", 1], {"k": "v"}]


def schema(rng, depth, recursive):
    kinds = ["string", "integer", "number", "boolean", "null", "enum", "const", "format", "pattern"]
    if depth > 0: kinds += ["array", "object", "object", "object", "array", "anyOf", "reference", "any", "types", "allOf"]
    kind, inner = rng.choice(kinds), lambda: schema(rng, depth - 1, recursive)
    chance = lambda p: rng.random() < p
    s = {"type": kind}
    if kind == "string":
        if chance(.4): s["minLength"] = rng.randrange(5)
        if chance(.4): s["maxLength"] = s.get("minLength", 0) + rng.randrange(60)
    elif kind == "integer":
        if chance(.4): s[rng.choice(["minimum", "exclusiveMinimum"])] = rng.randrange(-300, 300)
        low = s.get("minimum", s.get("exclusiveMinimum", -300))
        if chance(.4): s[rng.choice(["maximum", "exclusiveMaximum"])] = low + rng.randrange(2, 2000)
        elif chance(.3): s["multipleOf"] = rng.choice([2, 3, 5, 7, 10])
    elif kind == "number":
        if chance(.3): s["minimum"] = rng.choice([0, -1.5, 0.25, 10, -100])
        if chance(.3): s["maximum"] = rng.choice([100, 12.5, 10.001, 1e6])
    elif kind == "array":
        if chance(.8): s["items"] = inner()
        if chance(.3): s["prefixItems"] = [inner() for _ in range(rng.randrange(1, 3))]
        if chance(.4): s["minItems"] = rng.randrange(4)
        if chance(.4): s["maxItems"] = s.get("minItems", 0) + rng.randrange(1, 4)
    elif kind == "object":
        names = rng.sample(NAMES, rng.randrange(5))
        s["properties"] = {name: inner() for name in names}
        if names and chance(.8): s["required"] = rng.sample(names, rng.randrange(len(names) + 1))
        if chance(.5): s["additionalProperties"] = False
        elif chance(.4): s["additionalProperties"] = inner()
    elif kind == "enum": return {"enum": rng.sample(VALUES, rng.randrange(1, 6))}
    elif kind == "const": return {"const": rng.choice(["yes", 5, None, {"a": [1, 2]}, "\t", 1.25])}
    elif kind == "anyOf": return {"anyOf": [inner() for _ in range(rng.randrange(2, 4))]}
    elif kind == "allOf": return {"allOf": [{"type": "object", "properties": {"a": inner(), "b": inner()}}, {"required": [rng.choice("ab")]}]}
    elif kind == "reference": return {"$ref": "#/$defs/node"} if recursive else inner()
    elif kind == "format": return {"type": "string", "format": rng.choice(FORMATS)}
    elif kind == "pattern": return {"type": "string", "pattern": rng.choice(PATTERNS)}
    elif kind == "types": return {"type": rng.sample(["string", "integer", "null", "boolean", "number", "array"], 2)}
    elif kind == "any": return {}
    return s


def whole_schema(rng):
    recursive = rng.random() < .3
    s = dict(schema(rng, 3, recursive))
    if recursive:
        node = {"type": "object", "properties": {"v": schema(rng, 1, False), "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
                "required": ["v"], "additionalProperties": False}
        s["$defs"] = {"node": node}
    return s


# ---- vocabularies: the bytes of each id, none for what is no text, and the id that ends

def vocabularies(data):
    yield "bytes", [bytes([i]) for i in range(256)] + [b""], 256
    if not data: return
    alphabet = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table = {chr(b): b for b in alphabet}
    for n, b in enumerate(b for b in range(256) if b not in alphabet): table[chr(256 + n)] = b
    for name, end in [("gpt2", "<|endoftext|>"), ("llama", "</s>")]:
        path = f"{data}/hf-json/{name}_tokenizer.json"
        if not os.path.exists(path): continue
        document = json.load(open(path))
        pieces, special = document["model"]["vocab"], {t["id"] for t in document["added_tokens"]}
        tokens = [b""] * (max(pieces.values()) + 1)
        for piece, i in pieces.items():
            if i in special: continue
            if name == "gpt2": tokens[i] = bytes(table[c] for c in piece)
            elif len(piece) == 6 and piece.startswith("<0x"): tokens[i] = bytes([int(piece[3:5], 16)])
            else: tokens[i] = piece.replace("▁", " ").encode()
        yield name, tokens, pieces[end]
    path = f"{data}/qwen-tiktoken/qwen.tiktoken"
    if os.path.exists(path):
        tokens = [base64.b64decode(line.split()[0]) for line in open(path)]
        yield "qwen", tokens + [b""], len(tokens)


class Words:
    """A vocabulary as llguidance asks for it."""
    bos_token_id = None

    def __init__(self, tokens, end):
        self.tokens = [t or b"<|%d|>" % i for i, t in enumerate(tokens)]
        self.eos_token_id, self.special_token_ids = end, [i for i, t in enumerate(tokens) if not t]
        self.single = {t: i for i, t in enumerate(tokens) if len(t) == 1}

    def __call__(self, text):
        return [self.single[bytes([b])] for b in (text if isinstance(text, bytes) else text.encode())]


class Comparison:
    def __init__(self, probe, name, tokens, end):
        self.name, self.tokens, self.end = name, tokens, end
        self.process = subprocess.Popen([probe], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.theirs = LLTokenizer(llguidance.TokenizerWrapper(Words(tokens, end)))
        self.width = (len(tokens) + 63) // 64 * 64
        self.special = np.array([not t for t in tokens] + [True] * (self.width - len(tokens)))
        self.prefixes = self.differing = self.known = 0
        self.times, self.refused = [], {}
        path = f"/tmp/{os.getpid()}.{name}.vocabulary"
        with open(path, "w") as file: file.write("\n".join(t.hex() for t in tokens))
        self.trie = self.ask(vocabulary=path)["seconds"]
        os.remove(path)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def bytes(self, ids): return b"".join(self.tokens[i] for i in ids)

    def matcher(self, label, schema=None, gbnf=None, compact=False):
        """llguidance's matcher, where both have the grammar."""
        try:
            if gbnf is not None:
                ours, text = self.ask(gbnf=gbnf), any_to_lark(gbnf)
            else:
                ours = self.ask(schema=schema, compact=compact)
                spacing = {"whitespace_flexible": False} if compact else {"whitespace_pattern": r"[ ]|\n{1,2}[ \t]{0,20}"}
                text = "start: %json " + json.dumps({**schema, "x-guidance": spacing})
            # Where only one text can follow, all its tokens and not only the canonical ones.
            grammar = LLMatcher.grammar_from_lark('%llguidance {"no_forcing": true}\n' + text)
            matcher = LLMatcher(self.theirs, grammar, log_level=0)
            error = matcher.get_error() if matcher.is_error() else ""
        except ValueError as problem: matcher, error = None, str(problem)
        if "error" not in ours and not error: return matcher
        reason = ("ours: " + ours["error"] if "error" in ours else "ours: taken") + " | theirs: " + (error or "taken")
        self.refused.setdefault(" ".join(reason.split())[:200], []).append(label)

    def mask(self, matcher):
        bits = allocate_token_bitmask(1, len(self.tokens))
        bits[:] = 0
        fill_next_token_bitmask(matcher, bits)
        result = np.zeros(self.width, bool)
        result[: len(self.tokens)] = np.unpackbits(bits.view(np.uint8)[0], bitorder="little")[: len(self.tokens)]
        return result

    def draw(self, matcher, rng, steps):
        """A text that llguidance draws: its tokens, and at each place whether it may end and its mask; None where it gives up."""
        matcher.reset()
        ids, places = [], []
        for step in range(steps):
            if matcher.is_error(): return None
            if matcher.is_stopped():
                places.append((True, np.zeros(self.width, bool)))
                break
            bits = self.mask(matcher)
            if matcher.is_error(): return None
            may_end = bool(bits[self.end])
            bits[self.special] = False
            places.append((may_end, bits))
            allowed = np.flatnonzero(bits)
            if len(allowed) == 0 or step == steps - 1 or may_end and rng.random() < .3: break
            some = [int(allowed[rng.randrange(len(allowed))]) for _ in range(4)]
            ids.append(next((i for i in some if any(c in self.tokens[i] for c in b'"]},:')), some[0]))
            matcher.consume_token(ids[-1])
        return ids, places

    def compare(self, label, matcher, rng, texts, steps):
        for _ in range(texts):
            drawn = self.draw(matcher, rng, steps)
            if drawn is None: return self.refused.setdefault("theirs gives up in the middle", []).append(label)
            ids, places = drawn
            ours = self.ask(tokens=ids).get("places", [])
            self.times += [place["seconds"] for place in ours]
            for step, (may_end, bits) in enumerate(places):
                self.prefixes += 1
                digest = hashlib.sha256(np.packbits(bits, bitorder="little").tobytes()).hexdigest()
                if step < len(ours) and ours[step]["end"] == may_end and ours[step]["mask"] == digest: continue
                before = self.bytes(ids[:step])
                shown = self.ask(tokens=ids[:step], show=step).get("places", [{}])[-1]
                mine, other = set(shown.get("ids", [])), set(np.flatnonzero(bits).tolist())
                escapes = all(b"\\" in before[-6:] + self.tokens[i] for i in mine ^ other)
                zeros = all(re.search(rb"\.\d*[1-9]0+$", before + self.tokens[i]) for i in mine ^ other)
                looser = re.search(r'"format": "(date|time|date-time|hostname)"', label)
                if shown.get("end") == may_end and (escapes and not mine - other or zeros and not other - mine or looser and not mine - other):
                    self.known += 1
                    break
                self.differing += 1
                print(f"{self.name}: {label[:330]}\n  after {before[-60:]}: may end {shown.get('end')}, {may_end}; ours only "
                      f"{[self.tokens[i] for i in sorted(mine - other)[:6]]}, theirs only {[self.tokens[i] for i in sorted(other - mine)[:6]]}")
                break

    def summary(self):
        times = sorted(self.times) or [0]
        print(f"{self.name}, {len(self.tokens)} tokens: {self.prefixes} prefixes, {self.differing} differ, {self.known} at a known place; "
              f"a mask takes {1e6 * sum(times) / len(times):.0f} µs, 99 % less than {1e6 * times[int(len(times) * .99)]:.0f}, "
              f"all less than {1e6 * times[-1] + 1:.0f}; the trie {1e3 * self.trie:.0f} ms")
        for reason, labels in sorted(self.refused.items()): print(f"  {len(labels)} not compared: {reason}")


def check_texts(comparison, count, seed):
    """Texts that our masks draw are valid."""
    invalid = incomplete = refused = drawn = 0
    for number in range(count):
        s = whole_schema(random.Random(seed * 1_000_003 + number))
        if "error" in comparison.ask(schema=s, compact=number % 2 == 0):
            refused += 1
            continue
        for sample in range(3):
            answer = comparison.ask(sample=number * 3 + sample + 1)
            text = comparison.bytes(answer.get("tokens", [])).decode("utf-8", "replace")
            if not answer.get("complete"):
                incomplete += 1
                continue
            drawn += 1
            try:
                jsonschema.validate(json.loads(text, parse_float=float), s, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
            except (ValueError, jsonschema.ValidationError) as problem:
                invalid += 1
                print(f"invalid: {json.dumps(s)[:400]}\n  {text[:300]}\n  {str(problem).splitlines()[0]}")
    print(f"{drawn} texts of {count - refused} schemas: {invalid} invalid; {incomplete} not ended after 4000 tokens; {refused} schemas refused")
    return invalid


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe")
    parser.add_argument("--data")
    parser.add_argument("--masks", type=int, default=100_000)
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    failed = 0
    everything = list(vocabularies(arguments.data))
    for name, tokens, end in everything:
        comparison, rng = Comparison(arguments.probe, name, tokens, end), random.Random(arguments.seed)
        if name == "bytes": failed += check_texts(comparison, arguments.texts, arguments.seed)
        for label, text in GRAMMARS.items():
            if matcher := comparison.matcher(label, gbnf=text): comparison.compare(label, matcher, rng, 12, 60)
        number = 0
        while comparison.prefixes < arguments.masks / len(everything):
            number += 1
            s = whole_schema(random.Random(arguments.seed * 7919 + number))
            label = f"schema {number} {json.dumps(s)}"
            if matcher := comparison.matcher(label, schema=s, compact=number % 2 == 0): comparison.compare(label, matcher, rng, 3, 60)
        comparison.summary()
        failed += comparison.differing
    sys.exit(1 if failed else 0)


main()
