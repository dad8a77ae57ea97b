"""Our answers against the schemas that OpenAI publishes.

    python3 Tests/Interop/serving/schema.py .build/release/chimera openapi.yaml

Needs httpx, jsonschema and PyYAML; openapi.yaml is that of openai/openai-openapi.
"""

import json, sys

import httpx, jsonschema, yaml
from server import TOKEN, Server, check


def plain(value):
    """OpenAPI's `nullable` in JSON Schema's words; what is said twice elsewhere (discriminators) is left out."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: plain(item) for key, item in value.items() if key not in ("discriminator", "example", "x-oaiMeta")}
    if value.pop("nullable", False) is True:
        return {"anyOf": [value, {"type": "null"}]}
    return value


def main(chimera, path):
    with open(path) as file:
        schemas = plain(yaml.load(file, yaml.CSafeLoader)["components"]["schemas"])

    def validate(name, value):
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
        jsonschema.Draft202012Validator(schema).validate(value)

    fields = {"Authorization": f"Bearer {TOKEN}"}
    with Server(chimera, "story-llama", "--set", "chat=chatml") as server, httpx.Client(headers=fields, timeout=60) as client:
        def post(path, **body):
            return client.post(server.url + path, json={"model": "story-llama", **body})

        def events(path, **body):
            lines = post(path, stream=True, **body).text.split("\n")
            return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]

        count = 0
        prompt, chat = {"prompt": "Once upon a time", "max_tokens": 8}, {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8}
        grammar = {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}}
        for more in ({}, {"logprobs": 3}, {"logprobs": 2, "echo": True}, {"n": 2, "best_of": 3}, {"stop": ["."]}, {"logprobs": 0}):
            answer = post("/v1/completions", **prompt, **more).json()
            if "echo" in more:  # the first token of a prompt has no probability, and theirs says null there, too
                logprobs = answer["choices"][0]["logprobs"]
                assert logprobs["token_logprobs"].pop(0) is None and logprobs["top_logprobs"].pop(0) is None
            validate("CreateCompletionResponse", answer); count += 1
            if "best_of" not in more and "echo" not in more:
                for chunk in events("/v1/completions", **prompt, **more, stream_options={"include_usage": True}):
                    # The schema knows whole answers alone; before the last chunk the streams it describes say null.
                    if chunk["usage"] is None:
                        del chunk["usage"]
                    for choice in chunk["choices"]:
                        choice["finish_reason"] = choice["finish_reason"] or "stop"
                    validate("CreateCompletionResponse", chunk); count += 1
        for more in ({}, {"logprobs": True, "top_logprobs": 2}, {"n": 2}, {"stop": "."}, grammar):
            validate("CreateChatCompletionResponse", post("/v1/chat/completions", **chat, **more).json()); count += 1
            for chunk in events("/v1/chat/completions", **chat, **more, stream_options={"include_usage": True}):
                validate("CreateChatCompletionStreamResponse", chunk); count += 1
        for more in ({"input": "a"}, {"input": ["a", "b"]}, {"input": [[1, 2], [3]]}):
            validate("CreateEmbeddingResponse", post("/v1/embeddings", **more).json()); count += 1
        validate("ListModelsResponse", client.get(server.url + "/v1/models").json())
        validate("Model", client.get(server.url + "/v1/models/story-llama").json())
        for path, body in (("/v1/completions", {"prompt": 1.5}), ("/v1/chat/completions", {"messages": []}), ("/v1/embeddings", {})):
            answer = post(path, **body)
            validate("ErrorResponse", answer.json()); count += 1
            assert answer.status_code == 400
    check(True, f"{count + 2} answers are as OpenAI's schemas say")


main(*sys.argv[1:3])
