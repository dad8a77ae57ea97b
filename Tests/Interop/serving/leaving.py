"""Clients that do what they should not: the server answers with the right status or drops them, and stays.

    python3 Tests/Interop/serving/leaving.py .build/release/chimera

Needs nothing but Python.
"""

import json, socket, subprocess, sys, time, urllib.error, urllib.request

from server import TOKEN, Server, check


def ask(url, path, body=None, headers=None):
    fields = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", **(headers or {})}
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url + path, data, fields), timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def running(url):
    return [line for line in ask(url, "/metrics")[1].splitlines() if line.startswith("chimera_jobs_running")][0].split()[1]


def connect(url, text=b""):
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    connection.sendall(text)
    return connection


def post(path, body, stop=None):
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
    return (head + f"Content-Length: {len(data)}\r\n\r\n").encode() + data[:stop]


def main(chimera):
    arguments = ["story-llama", "--silence", "3", "--max-body", "100000"]
    with Server(chimera, *arguments) as server:
        url = server.url
        long = {"prompt": "Once", "max_tokens": 200, "ignore_eos": True, "n": 100}
        for name, body in [("whole answer", long), ("stream", {**long, "stream": True})]:
            connection = connect(url, post("/v1/completions", body))
            deadline = time.time() + 20
            while running(url) == "0" and time.time() < deadline:
                time.sleep(0.005)
            check(running(url) == "1", f"a request for a {name} runs")
            connection.close()
            start = time.time()
            while running(url) != "0":
                time.sleep(0.005)
            seconds = time.time() - start
            check(seconds < 0.25, f"its client leaves: dropped after {seconds * 1000:.0f} ms")
        connection = connect(url, post("/v1/completions", long, stop=20))
        start = time.time()
        connection.settimeout(20)
        check(connection.recv(1000) == b"" and time.time() - start < 8, "half a request is cut off in time")
        connection = connect(url, b"GET /health HTTP/1.1\r\nHost: localh")
        connection.settimeout(20)
        start = time.time()
        check(connection.recv(1000) == b"" and time.time() - start < 8, "half a head is cut off in time")
        connection = connect(url, b"\x16\x03\x01 not HTTP\r\n\r\n")
        check(b"400" in connection.recv(1000), "what is no HTTP gets 400")
        slow = connect(url, post("/v1/completions", {**long, "stream": True, "logprobs": 100, "max_tokens": 250}))
        check(ask(url, "/v1/completions", b"x" * 200_000)[0] == 413, "a body that is too large gets 413")
        check(ask(url, "/v1/completions", b'{"prompt": "\xff\xfe"}')[0] == 400, "what is no UTF-8 gets 400")
        check(ask(url, "/v1/completions", b"[" * 50_000)[0] == 400, "what is nested too deep gets 400")
        check(ask(url, "/v1/models", headers={"Host": "evil.example"})[0] == 403, "another Host gets 403")
        check(ask(url, "/v1/models", headers={"Origin": "http://evil.example"})[0] == 403, "another Origin gets 403")
        check(ask(url, "/v1/models", headers={"Authorization": "Bearer x"})[0] == 401, "another token gets 401")
        check(ask(url, "/health", headers={"Authorization": ""})[0] == 200, "health needs none")
        connection = connect(url, b"HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.settimeout(20)
        head = connection.recv(1000)
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        check(head.startswith(b"HTTP/1.1 200") and head.endswith(b"\r\n\r\n")
              and connection.recv(1000).startswith(b"HTTP/1.1 200"), "HEAD has a head and no more")
        second = subprocess.run(
            [chimera, "serve", "story-llama", "--port", url.split(":")[-1]], capture_output=True, text=True)
        check(second.returncode == 1 and "listens there already" in second.stderr, "two servers on a port: the second says so")
        deadline = time.time() + 60
        while running(url) != "0" and time.time() < deadline:
            time.sleep(0.1)
        check(running(url) == "0", "who does not read is let go")
        slow.close()
        status, text = ask(url, "/v1/completions", {"prompt": "Once upon a time", "max_tokens": 5, "temperature": 0})
        check(status == 200, "and the server answers as before")


main(sys.argv[1])
