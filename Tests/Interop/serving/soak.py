"""Many clients with mixed requests, of which a part leaves: none is lost or mixed up, and memory stays.

    python3 Tests/Interop/serving/soak.py .build/release/chimera [CLIENTS] [REQUESTS]

Needs httpx. Every request that stays is asked twice in its life, and has to be answered the same.
"""

import asyncio, json, random, sys, time

import httpx
from server import TOKEN, Server, check

WORDS = "Once upon a time there was little girl who loved the park and her cat".split()


def request(number):
    """Request `number`, always the same, and its path."""
    draw = random.Random(number)
    body = {"max_tokens": draw.randint(1, 40), "temperature": draw.choice([0, 1]), "seed": number, "model": "story-llama"}
    prompt = " ".join(draw.choice(WORDS) for _ in range(draw.randint(1, 40)))
    kind = draw.randrange(5)
    if kind == 0:
        return "/v1/chat/completions", {**body, "messages": [{"role": "user", "content": prompt}]}
    if kind == 1:
        return "/v1/completions", {**body, "prompt": prompt, "echo": True, "logprobs": 2}
    if kind == 2:
        return "/v1/completions", {**body, "prompt": [prompt, prompt + " so"], "n": 2}
    if kind == 3:
        return "/v1/embeddings", {"model": "story-llama", "input": prompt}
    return "/v1/completions", {**body, "prompt": prompt, "stream": True}


def content(response):
    """What a request has to be answered with each time: all but names and times."""
    if response.headers["content-type"].startswith("text/event-stream"):
        events = [line[6:] for line in response.text.split("\n\n") if line.startswith("data: {")]
        return "".join(json.loads(event)["choices"][0]["text"] for event in events)
    answer = response.json()
    return json.dumps(answer.get("choices") or answer["data"], sort_keys=True)


async def main(chimera, clients, requests):
    with Server(chimera, "story-llama", "--set", "chat=chatml", "--queue", "1000", "--kv-memory", "0.25") as server:
        found, counts, sizes = {}, {"answered": 0, "left": 0, "busy": 0}, []
        numbers = iter(range(requests))
        fields = {"Authorization": f"Bearer {TOKEN}"}

        def connected():
            return httpx.AsyncClient(base_url=server.url, headers=fields, timeout=300)

        async with connected() as asker:

            async def work():
                client = connected()
                for number in numbers:
                    own = number % (requests // 2)
                    path, body = request(own)
                    if number % 5 == 4:
                        body = {**body, "max_tokens": 200, "ignore_eos": True} if "max_tokens" in body else body
                        try:
                            await asyncio.wait_for(client.post(path, json=body), random.uniform(0, 0.3))
                        except (asyncio.TimeoutError, httpx.HTTPError):
                            counts["left"] += 1
                            # A pool keeps the places of what was cancelled; who leaves hangs up.
                            await client.aclose()
                            client = connected()
                        continue
                    response = await client.post(path, json=body)
                    if response.status_code == 429:
                        counts["busy"] += 1
                        continue
                    if response.status_code != 200:
                        sys.exit(f"failed: {response.status_code} {response.text[:300]} for {path} {body}")
                    counts["answered"] += 1
                    text = content(response)
                    if found.setdefault(own, text) != text:
                        sys.exit(f"failed: request {own} was answered in two ways:\n{found[own][:300]}\n{text[:300]}")
                    if number % max(1, requests // 20) == 0:
                        sizes.append(server.resident())
                await client.aclose()

            start = time.time()
            await asyncio.gather(*(work() for _ in range(clients)))
            seconds = time.time() - start
            await asyncio.sleep(0.5)
            metrics = (await asker.get("/metrics")).text
        print(f"{requests} requests of {clients} clients in {seconds:.1f} s: {counts}; MB {[s >> 20 for s in sizes]}")
        check(counts["answered"] + counts["left"] + counts["busy"] >= requests - requests // 5, "no request was lost")
        check("chimera_jobs_running 0\n" in metrics and "chimera_state_bytes 0\n" in metrics, "nothing goes on for nobody")
        half = len(sizes) // 2
        check(max(sizes[half:]) < max(sizes[:half]) * 1.1 + (16 << 20), "memory stays")
    check(True, "SIGTERM ended it in order")


arguments = sys.argv[2:] + ["50", "2000"][len(sys.argv) - 2:]
asyncio.run(main(sys.argv[1], int(arguments[0]), int(arguments[1])))
