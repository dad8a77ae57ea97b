"""The same answers whatever else runs: requests alone, and then in many mixes, of which some leave early.

    python3 Tests/Interop/serving/invariance.py .build/release/chimera [MODEL [MIXES]]

Needs httpx. Every token and every probability has to be the same to the last digit, also where a prompt begins with what another
prompt left in the cache. CHIMERA_KERNELS=avx2 and the like try other kernels.
"""

import concurrent.futures, json, random, sys

import httpx
from server import TOKEN, Server, check

WORDS = "once upon a time there was little girl who loved the park and her cat so much that she went home".split()


def requests(count=40):
    draw = random.Random(1)
    common = " ".join(draw.choice(WORDS) for _ in range(90))
    for number in range(count):
        own = " ".join(draw.choice(WORDS) for _ in range(draw.randint(1, 60)))
        prompt = common + " " + own if number % 3 == 0 else own
        body = {"model": "m", "prompt": prompt, "max_tokens": draw.randint(1, 12), "seed": number, "logprobs": 2,
                "temperature": number % 2, "n": 1 + 2 * (number % 5 == 4), "echo": number % 7 == 6}
        yield body


def main(chimera, model="story-llama", mixes=500):
    all = list(requests())
    draw = random.Random(2)
    with Server(chimera, "m=" + model, "--queue", "1000") as server, httpx.Client(
            headers={"Authorization": f"Bearer {TOKEN}"}, timeout=600, limits=httpx.Limits(max_connections=32)) as client:

        def ask(number, leaves=False):
            try:
                response = client.post(
                    server.url + "/v1/completions", json=all[number], timeout=0.02 if leaves else 600)
            except httpx.TimeoutException:
                return None
            if response.status_code != 200:
                sys.exit(f"failed: {response.status_code} {response.text[:300]}")
            answer = response.json()
            reused.append(answer["usage"]["prompt_tokens_details"]["cached_tokens"])
            return json.dumps(answer["choices"])

        reused = []
        alone = [ask(number) for number in range(len(all))]
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            for mix in range(mixes):
                chosen = [draw.randrange(len(all)) for _ in range(draw.randint(1, 14))]
                asked = [(number, pool.submit(ask, number, leaves=draw.random() < 0.2)) for number in chosen]
                for number, future in asked:
                    found = future.result()
                    if found is not None and found != alone[number]:
                        sys.exit(f"failed: mix {mix}, request {number}:\n{alone[number]}\n{found}")
    check(True, f"{len(reused)} answers in {mixes} mixes are those that the requests get alone, {sum(x > 0 for x in reused)} of "
          f"them with a beginning from another prompt")


main(*sys.argv[1:3], *[int(mixes) for mixes in sys.argv[3:4]])
