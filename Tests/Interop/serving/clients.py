"""PyPI's openai against our server, and every answer against our own OpenAPI file.

    python3 Tests/Interop/serving/clients.py .build/release/chimera

Needs openai (tried with 3.57), httpx and jsonschema.
"""

import json, sys

import httpx, jsonschema, openai
from server import TOKEN, Server, check


def main(chimera):
    with Server(chimera, "story-llama", "--set", "chat=chatml") as server:
        document = httpx.get(server.url + "/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"}).json()

        def validate(name, value):
            schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
            jsonschema.Draft202012Validator(schema).validate(value)

        client = openai.OpenAI(base_url=server.url + "/v1", api_key=TOKEN, max_retries=0)
        check([model.id for model in client.models.list()] == ["story-llama"], "models are listed")
        whole = client.completions.create(model="story-llama", prompt="Once upon a time", max_tokens=20, temperature=0)
        pieces = client.completions.create(
            model="story-llama", prompt="Once upon a time", max_tokens=20, temperature=0, stream=True)
        text = "".join(piece.choices[0].text for piece in pieces)
        check(text == whole.choices[0].text and len(text) > 20, "a stream is the whole completion")
        logprobs = client.completions.create(
            model="story-llama", prompt=["a", "Once upon"], max_tokens=1, echo=True, logprobs=3, temperature=0)
        for choice in logprobs.choices:
            lists = choice.logprobs
            for place in range(1, len(lists.tokens)):
                check_quietly(lists.top_logprobs[place][lists.tokens[place]] == lists.token_logprobs[place])
        check(True, "each token's logprob stands among the likeliest")
        messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}]
        chat = client.chat.completions.create(
            model="story-llama", messages=messages, max_completion_tokens=12, logprobs=True, top_logprobs=2, temperature=0)
        stream = client.chat.completions.create(
            model="story-llama", messages=messages, max_completion_tokens=12, temperature=0, stream=True,
            stream_options={"include_usage": True})
        text, usage = "", None
        for chunk in stream:
            usage = chunk.usage or usage
            for choice in chunk.choices:
                text += choice.delta.content or ""
        check(text == chat.choices[0].message.content, "a streamed answer is the whole one")
        check(usage.completion_tokens == chat.usage.completion_tokens, "and so is its usage")
        marked = client.chat.completions.create(
            model="story-llama", messages=messages, max_completion_tokens=12, temperature=0, store=False, metadata={"a": "b"},
            modalities=["text"], service_tier="auto", prompt_cache_key="x")
        check(marked.choices[0].message.content == text, "what changes no answer is taken")
        vector = client.embeddings.create(model="story-llama", input="Once upon a time").data[0].embedding
        check(abs(sum(x * x for x in vector) - 1) < 1e-5, "embeddings in base64 are read")
        schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": False}
        answer = client.chat.completions.create(
            model="story-llama", messages=messages, max_tokens=60,
            response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})
        jsonschema.validate(json.loads(answer.choices[0].message.content), schema)
        check(True, "a JSON Schema is kept")
        for make, parameter in [
            (lambda: client.completions.create(model="story-llama", prompt="a", extra_body={"frobnicate": 1}), "frobnicate"),
            (lambda: client.completions.create(model="story-llama", prompt="a", temperature=-1), "temperature"),
        ]:
            try:
                make()
                sys.exit("failed: a wrong parameter was taken")
            except openai.BadRequestError as error:
                check(error.param == parameter, f"'{parameter}' is refused by name")
        try:
            openai.OpenAI(base_url=server.url + "/v1", api_key="wrong", max_retries=0).models.list()
            sys.exit("failed: a wrong token was taken")
        except openai.AuthenticationError:
            check(True, "a wrong token is refused")
        validate("Completion", logprobs.model_dump(exclude_unset=True))
        validate("Completion", whole.model_dump(exclude_unset=True))
        validate("ChatCompletion", chat.model_dump(exclude_unset=True))
        check(True, "answers are what the OpenAPI file says")


def check_quietly(condition):
    if not condition:
        sys.exit("failed: a token's logprob is another among the likeliest")


main(sys.argv[1])
