"""Tokens a second with 1, 8 and 32 clients, beside llama.cpp's server on the same file, in turns.

    python3 Tests/Interop/serving/throughput.py .build/release/chimera MODEL.gguf [LLAMA-SERVER [ROUNDS]]

Every client asks for 48 tokens of a prompt of its own, again and again. Both servers are there all the time and are measured one
after the other; what is told is the median of the ratios of neighbouring measurements, for other work on the machine is met by
both. Beside it stands what `chimera run` and `chimera bench --batch` give of the same file.
"""

import concurrent.futures, json, os, random, statistics, subprocess, sys, time, urllib.request

from server import TOKEN, Server

TOKENS, WORDS = 48, "time year people way day man thing woman life child world school state family student group".split()


def prompt(number):
    draw = random.Random(number)
    return " ".join(draw.choice(WORDS) for _ in range(30))


def ask(url, number):
    body = {"model": "m", "prompt": prompt(number), "max_tokens": TOKENS, "ignore_eos": True, "temperature": 0}
    fields = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(url + "/v1/completions", json.dumps(body).encode(), fields)
    with urllib.request.urlopen(request, timeout=600) as response:
        return json.load(response)["usage"]["completion_tokens"]


def rate(url, clients, start):
    """Tokens a second of so many clients with two requests each."""
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        began = time.time()
        written = sum(pool.map(lambda number: ask(url, start + number), range(2 * clients)))
        return written / (time.time() - began)


def main(chimera, model, llama=None, rounds=5):
    other = None
    with Server(chimera, "m=" + model) as server:
        urls = {"chimera": server.url}
        if llama:
            port = 18000 + os.getpid() % 1000
            other = subprocess.Popen(
                [llama, "-m", model, "-np", "32", "-c", str(32 * 256), "-t", "2", "--port", str(port), "--no-webui"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            urls["llama.cpp"] = f"http://127.0.0.1:{port}"
            for _ in range(600):
                try:
                    ask(urls["llama.cpp"], 0)
                    break
                except OSError:
                    time.sleep(0.5)
        ask(server.url, 0)
        try:
            for clients in (1, 8, 32):
                found = {name: [] for name in urls}
                for turn in range(rounds):
                    # Who is first changes, and no prompt comes twice.
                    for name in sorted(urls, reverse=turn % 2 == 1):
                        found[name].append(rate(urls[name], clients, 1000 * clients + 100 * turn))
                line = f"{clients} clients: " + ", ".join(
                    f"{name} {statistics.median(rates):.0f} tokens/s" for name, rates in found.items())
                if llama:
                    ratios = [a / b for a, b in zip(found["chimera"], found["llama.cpp"])]
                    line += f"; ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
                print(line, flush=True)
        finally:
            if other:
                other.terminate()
                other.wait()


main(*sys.argv[1:4], *[int(rounds) for rounds in sys.argv[4:5]])
