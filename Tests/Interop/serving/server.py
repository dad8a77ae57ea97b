"""A server of this package's small models, started for a check and ended behind it."""

import json, os, signal, subprocess, sys, urllib.request

TOKEN = "interop"


class Server:
    """`chimera serve` on a free port; `with Server(chimera, "story-llama") as server: server.url`."""

    def __init__(self, chimera, *arguments):
        self.command = [chimera, "serve", *arguments, "--port", "0", "--token", TOKEN]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().strip()
        if not line.startswith("http"):
            sys.exit(f"the server did not start: {line}")
        self.url = line
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.status = self.process.wait(timeout=60)
        if self.status != 0:
            sys.exit(f"the server ended with {self.status}")

    def ask(self, path, body=None):
        """The JSON answer to a request that has one."""
        fields = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, fields), timeout=60) as response:
            return json.load(response)

    def resident(self):
        """Bytes that the server holds."""
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def check(condition, sentence):
    if not condition:
        sys.exit("failed: " + sentence)
    print("ok: " + sentence, flush=True)
