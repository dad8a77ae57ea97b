"""What Open WebUI's backend asks of a connection of the kind OpenAI: its models, answers as streams, and titles of chats.

    python3 Tests/Interop/serving/open_webui.py .build/release/chimera

Needs aiohttp, which its backend asks with. The requests are those of open_webui/routers/openai.py of PyPI's open-webui 0.12.4
(`send_get_request`, `verify_connection`, `generate_chat_completion`), with the fields that its middleware leaves in a chat's
form and in that of the task that names a chat.
"""

import asyncio, json, sys

import aiohttp
from server import TOKEN, Server, check

MESSAGES = [
    {"role": "system", "content": "You tell stories."},
    {"role": "user", "content": [{"type": "text", "text": "Tell me one."}]},
]
# Chat settings that its page offers and its backend hands on as they are.
SETTINGS = {"temperature": 0.7, "top_p": 0.9, "frequency_penalty": 0.1, "presence_penalty": 0, "seed": 5, "stop": ["###"]}


async def main(chimera):
    with Server(chimera, "story-llama", "--set", "chat=chatml") as server:
        url = server.url + "/v1"
        fields = {
            "Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}", "X-OpenWebUI-User-Name": "a",
            "X-OpenWebUI-User-Id": "1", "X-OpenWebUI-User-Email": "a@example.com", "X-OpenWebUI-User-Role": "user",
        }
        async with aiohttp.ClientSession(trust_env=True) as session:
            async with session.get(f"{url}/models", headers=fields) as response:
                models = await response.json()
            check(response.status == 200 and [one["id"] for one in models["data"]] == ["story-llama"], "models are listed")
            async with session.get(f"{url}/models", headers={**fields, "Authorization": "Bearer no"}) as response:
                check(response.status == 401 and "error" in await response.json(), "a wrong key is told of as an error")

            async def ask(payload):
                return await session.post(f"{url}/chat/completions", data=json.dumps(payload), headers=fields)

            chat = {"stream": True, "model": "story-llama", "messages": MESSAGES, "stream_options": {"include_usage": True},
                    "max_tokens": 24, **SETTINGS}
            response = await ask(chat)
            check(response.status == 200 and "text/event-stream" in response.headers["Content-Type"], "a chat is streamed")
            text, usage, reason, ended = "", None, None, False
            async for line in response.content:
                line = line.decode().strip()
                if not line.startswith("data:"):
                    continue
                line = line.removeprefix("data:").strip()
                if line == "[DONE]":
                    ended = True
                    continue
                event = json.loads(line)
                usage = event.get("usage") or usage
                for choice in event["choices"]:
                    text += choice["delta"].get("content") or ""
                    reason = choice.get("finish_reason") or reason
            check(ended and reason in ("stop", "length") and len(text) > 10, f"and ends: {text!r}")
            check(usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"], "with its usage")
            response = await ask({key: value for key, value in chat.items() if key != "stream_options"} | {"stream": False})
            answer = await response.json()
            check(answer["choices"][0]["message"]["content"] == text, "asked for whole, it is the same answer")
            history = MESSAGES + [{"role": "assistant", "content": text}, {"role": "user", "content": "Go on."}]
            task = {"model": "story-llama", "messages": [{"role": "user", "content": "### Task:\nGenerate a title.\n" + text}],
                    "stream": False, "max_tokens": 20}
            answers = await asyncio.gather(ask(task), ask({**chat, "messages": history}))
            check([one.status for one in answers] == [200, 200], "a title is written while a chat goes on")
            check((await answers[0].json())["choices"][0]["message"]["role"] == "assistant", "as an answer")
            await answers[1].read()
            tools = [{"type": "function", "function": {"name": "now", "description": "The time.", "parameters": {
                "type": "object", "properties": {}}}}]
            called = [{"id": "c1", "type": "function", "function": {"name": "now", "arguments": "{}"}, "index": 0}]
            turns = history + [
                {"role": "assistant", "content": "", "tool_calls": called},
                {"role": "tool", "tool_call_id": "c1", "content": "noon"},
            ]
            response = await ask({**chat, "messages": turns, "tools": tools})
            check(response.status == 200, "native tools and their results go to the template")
            await response.read()
            response = await ask({**chat, "model": "none"})
            check(response.status == 404 and (await response.json())["error"]["code"] == "model_not_found", "errors are JSON")


asyncio.run(main(sys.argv[1]))
