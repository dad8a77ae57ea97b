"""Answers of a JSON Schema over HTTP are valid: for the schemas of JSON-Schema-Test-Suite and for generated ones.

    python3 Tests/Interop/serving/schemas.py .build/release/chimera [SUITE [GENERATED]]

Needs httpx and jsonschema; SUITE is the folder `tests` of json-schema-org/JSON-Schema-Test-Suite. A schema that is not taken is
refused with a 400 that names what is wrong in it; whatever else is answered has to be valid, or to say that it was cut off.
"""

import collections, concurrent.futures, glob, json, os, random, sys

import httpx
from jsonschema.validators import validator_for
from server import TOKEN, Server, check


def suite(folder):
    for draft in ("draft2020-12", "draft2019-09", "draft7"):
        for path in sorted(glob.glob(os.path.join(folder, draft, "*.json"))):
            with open(path) as file:
                for group in json.load(file):
                    yield f"{draft}/{os.path.basename(path)}: {group['description']}", group["schema"]


def generated(draw, depth=0):
    """A schema of the keywords that grammars have."""
    kinds = ["string", "integer", "number", "boolean", "null", "enum", "const"] + (["object", "array", "anyOf"] * 2 if depth < 3 else [])
    kind = draw.choice(kinds)
    if kind == "enum":
        return {"enum": draw.sample(["red", "green", 1, 2.5, None, True, "é ü", [1, 2], {"a": 1}], draw.randint(1, 4))}
    if kind == "const":
        return {"const": draw.choice(["x", 0, None, False, ["a"]])}
    if kind == "anyOf":
        return {"anyOf": [generated(draw, depth + 1) for _ in range(draw.randint(1, 3))]}
    if kind == "string":
        schema = {"type": "string"}
        choice = draw.randrange(4)
        if choice == 0:
            schema["minLength"], schema["maxLength"] = draw.choice([(0, 4), (1, 8), (2, 2)])
        if choice == 1:
            schema["pattern"] = draw.choice(["^[a-z]{2,5}$", "^\\d{3}-\\d{2}$", "^(yes|no)$", "^A.?B$"])
        if choice == 2:
            schema["format"] = draw.choice(["date", "time", "uuid", "ipv4", "email"])
        return schema
    if kind in ("integer", "number"):
        schema = {"type": kind}
        if draw.random() < 0.6:
            low = draw.randint(-50, 50)
            schema["minimum"], schema["maximum"] = low, low + draw.randint(0, 200)
        return schema
    if kind == "array":
        low = draw.randint(0, 2)
        return {"type": "array", "items": generated(draw, depth + 1), "minItems": low, "maxItems": low + draw.randint(0, 3)}
    if kind == "object":
        names = draw.sample(["name", "age", "tags", "a b", "ß", "id"], draw.randint(0, 4))
        return {
            "type": "object", "properties": {name: generated(draw, depth + 1) for name in names},
            "required": draw.sample(names, draw.randint(0, len(names))), "additionalProperties": False,
        }
    return {"type": kind}


def main(chimera, folder=None, count=1000):
    draw = random.Random(5)
    schemas = list(suite(folder)) if folder else []
    schemas += [(f"generated {number}", generated(draw)) for number in range(count)]
    with Server(chimera, "story-llama", "--queue", "1000") as server, httpx.Client(
            headers={"Authorization": f"Bearer {TOKEN}"}, timeout=600, limits=httpx.Limits(max_connections=24)) as client:

        def ask(case):
            place, (name, schema) = case
            body = {"model": "story-llama", "prompt": "Here is the answer:", "max_tokens": 160, "seed": place,
                    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}
            response = client.post(server.url + "/v1/completions", json=body)
            if response.status_code == 400:
                error = response.json()["error"]
                named = error["param"].startswith("response_format") and error["code"] == "invalid_grammar"
                return "refused" if named else f"wrong: {name}: {error}"
            if response.status_code != 200:
                return f"wrong: {name}: {response.status_code} {response.text[:200]}"
            choice = response.json()["choices"][0]
            if choice["finish_reason"] == "length":
                return "cut off"
            try:
                value = json.loads(choice["text"])
            except ValueError as error:
                return f"wrong: {name}: {choice['text']!r}: {error}"
            kind = validator_for(schema) if isinstance(schema, dict) else validator_for({})
            problem = next(iter(kind(schema).iter_errors(value)), None)
            return "valid" if problem is None else f"wrong: {name}: {choice['text']!r}: {problem.message}"

        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            results = list(pool.map(ask, enumerate(schemas)))
    counts = collections.Counter(result if not result.startswith("wrong") else "wrong" for result in results)
    own = collections.Counter(
        result.split(":")[0] for (name, _), result in zip(schemas, results) if name.startswith("generated"))
    for result in [result for result in results if result.startswith("wrong")][:10]:
        print(result)
    print(f"{len(schemas)} schemas: {dict(counts)}; of these generated: {dict(own)}")
    check(counts["wrong"] == 0 and own["valid"] > count / 2, "every answer that ended is valid")


main(*sys.argv[1:3], *[int(count) for count in sys.argv[3:4]])
