"""Compares our cache and protocol with PyPI's huggingface_hub, both ways, against a hub on this machine.

    python3 Tests/Interop/hub.py .build/release/chimera [REPOSITORIES]

Needs huggingface_hub (tried with 2.4) and `chimera-net` beside chimera (`make network`). For each repository: we pull it
and huggingface_hub reads our cache (scan_cache_dir, try_to_load_from_cache, snapshot_download without the network,
`hf cache verify`); then it pulls it and we read its cache (check, cache list, cache verify, pull fetches nothing). Then we
push a folder and it downloads what is there.
"""

import base64, hashlib, http.server, json, os, random, shutil, struct, subprocess, sys, tempfile, threading, urllib.parse


def safetensors(tensors):
    header, data = {}, b""
    for name, shape in tensors.items():
        count = 1
        for size in shape:
            count *= size
        body = b"".join(struct.pack("<f", random.uniform(-0.05, 0.05)) for _ in range(count))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(body)]}
        data += body
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def gpt2(width, layers, vocabulary=64):
    """A GPT-2 of random weights: its files."""
    config = {
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": width, "n_layer": layers, "n_head": 2,
        "n_positions": 32, "n_ctx": 32, "vocab_size": vocabulary, "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5, "bos_token_id": 0, "eos_token_id": 0,
    }
    tensors = {"wte.weight": [vocabulary, width], "wpe.weight": [32, width], "ln_f.weight": [width], "ln_f.bias": [width]}
    for i in range(layers):
        for name, shape in {
            "ln_1.weight": [width], "ln_1.bias": [width], "attn.c_attn.weight": [width, 3 * width],
            "attn.c_attn.bias": [3 * width], "attn.c_proj.weight": [width, width], "attn.c_proj.bias": [width],
            "ln_2.weight": [width], "ln_2.bias": [width], "mlp.c_fc.weight": [width, 4 * width],
            "mlp.c_fc.bias": [4 * width], "mlp.c_proj.weight": [4 * width, width], "mlp.c_proj.bias": [width],
        }.items():
            tensors[f"h.{i}.{name}"] = shape
    files = {"config.json": json.dumps(config, indent=2).encode(), "README.md": b"# a model\n"}
    names = sorted(tensors)
    if layers % 2:
        files["model.safetensors"] = safetensors(tensors)
    else:
        half = len(names) // 2
        parts = {"model-00001-of-00002.safetensors": names[:half], "model-00002-of-00002.safetensors": names[half:]}
        for file, own in parts.items():
            files[file] = safetensors({name: tensors[name] for name in own})
        index = {"metadata": {"total_size": 1}, "weight_map": {n: f for f, own in parts.items() for n in own}}
        files["model.safetensors.index.json"] = json.dumps(index).encode()
    files["pytorch_model.bin"] = os.urandom(1000)
    if layers % 3 == 0:
        files["additional_chat_templates/tools.jinja"] = b"{{ messages }}"
        files["sub folder/\xc3\xa9 100%.txt".encode("latin-1").decode("utf8")] = b"x"
    return files


def is_large(path):
    return path.endswith((".safetensors", ".bin"))


def digest(path, body):
    return hashlib.sha256(body).hexdigest() if is_large(path) else git(body)


def git(body):
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    repositories, commits, stored = {}, {}, {}

    def log_message(self, *arguments):
        pass

    def reply(self, status, body=b"", fields={}):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def json(self, value):
        self.reply(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = urllib.parse.unquote(urllib.parse.urlparse(self.path).path)
        parts = path.split("/")
        if path == "/api/whoami-v2":
            return self.json({"name": "org", "type": "user"})
        if path.startswith("/api/models/"):
            name = "/".join(parts[3:5])
            if name not in self.repositories:
                return self.reply(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            files = self.repositories[name]
            if "/tree/" in path:
                return self.json([
                    {"type": "file", "oid": git(b), "size": len(b), "path": n,
                     **({"lfs": {"oid": digest(n, b), "size": len(b), "pointerSize": 134}} if is_large(n) else {})}
                    for n, b in files.items()])
            return self.json({
                "_id": "1", "id": name, "modelId": name, "sha": self.commits[name], "private": False, "tags": [],
                "siblings": [{"rfilename": n} for n in files], "downloads": 0, "likes": 0,
                "lastModified": "2026-01-01T00:00:00.000Z", "createdAt": "2026-01-01T00:00:00.000Z"})
        name, file = "/".join(parts[1:3]), "/".join(parts[5:])
        if parts[3:4] != ["resolve"] or name not in self.repositories:
            return self.reply(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        if file not in self.repositories[name]:
            return self.reply(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": self.commits[name]})
        body = self.repositories[name][file]
        fields = {"ETag": '"%s"' % digest(file, body), "X-Repo-Commit": self.commits[name], "Accept-Ranges": "bytes"}
        if is_large(file):
            fields |= {"X-Linked-Etag": '"%s"' % digest(file, body), "X-Linked-Size": str(len(body))}
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes="):
            first, last = wanted[6:].split("-")
            first, last = int(first), min(int(last or len(body)), len(body) - 1)
            fields["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            return self.reply(206, body[first:last + 1], fields)
        self.reply(200, body, fields)

    def do_PUT(self):
        self.stored[self.path.split("/")[-1]] = self.rfile.read(int(self.headers["Content-Length"]))
        self.reply(200, b"", {"ETag": '"x"'})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urllib.parse.urlparse(self.path).path
        here = f"http://{self.headers['Host']}"
        name = "/".join(path.split("/")[3:5])
        if path == "/api/repos/create":
            wanted = json.loads(body)
            name = f"{wanted.get('organization', 'org')}/{wanted['name']}"
            self.repositories.setdefault(name, {})
            self.commits.setdefault(name, "0" * 40)
            return self.json({"url": f"{here}/{name}", "name": name, "id": "1"})
        if "/preupload/" in path:
            return self.json({"files": [
                {"path": f["path"], "uploadMode": "lfs" if is_large(f["path"]) else "regular", "shouldIgnore": False}
                for f in json.loads(body)["files"]]})
        if path.endswith("/objects/batch"):
            return self.json({"transfer": "basic", "objects": [
                {"oid": o["oid"], "size": o["size"], "authenticated": True,
                 "actions": {"upload": {"href": f"{here}/store/{o['oid']}"}, "verify": {"href": f"{here}/verify"}}}
                for o in json.loads(body)["objects"]]})
        if path == "/verify":
            return self.json({})
        if "/commit/" in path:
            for line in body.splitlines():
                item = json.loads(line)
                value = item["value"]
                if item["key"] == "file":
                    self.repositories[name][value["path"]] = base64.b64decode(value["content"])
                if item["key"] == "lfsFile":
                    self.repositories[name][value["path"]] = self.stored[value["oid"]]
            self.commits[name] = "f" * 40
            return self.json({"success": True, "commitOid": "f" * 40, "commitUrl": f"{here}/{name}/commit/{'f' * 40}", "hookOutput": ""})
        self.reply(404, b"{}")


def main():
    chimera, count = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20
    random.seed(1)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    home = tempfile.mkdtemp(prefix="chimera-interop-")
    environment = {
        **os.environ, "HF_ENDPOINT": endpoint, "HF_TOKEN": "hf_test", "HF_HUB_DISABLE_XET": "1", "HF_HOME": home,
        "HF_HUB_DISABLE_PROGRESS_BARS": "1", "CHIMERA_MODELS": ""}
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE"):
        environment.pop(name, None)
    os.environ.update(environment)
    import huggingface_hub as hub
    from huggingface_hub import scan_cache_dir, snapshot_download, try_to_load_from_cache

    def ours(*arguments, cache, offline=False, status=0):
        extra = {"HF_HUB_OFFLINE": "1"} if offline else {}
        run = subprocess.run(
            [chimera, *arguments], env={**environment, "HF_HUB_CACHE": cache, **extra}, capture_output=True, text=True)
        assert run.returncode == status, (arguments, run.returncode, run.stdout, run.stderr)
        return run.stdout

    for number in range(count):
        name = f"org/model-{number}.{'x' * (number % 3)}y"
        Hub.repositories[name] = gpt2(8 + 4 * (number % 4), 1 + number % 4)
        Hub.commits[name] = hashlib.sha1(name.encode()).hexdigest()
        files, commit = Hub.repositories[name], Hub.commits[name]

        # Ours, read by them.
        cache = os.path.join(home, "ours")
        folder = ours("pull", name, cache=cache).strip()
        assert folder.endswith("/snapshots/" + commit), folder
        (found,) = [r for r in scan_cache_dir(cache).repos if r.repo_id == name]
        assert not scan_cache_dir(cache).warnings and {r.commit_hash for r in found.revisions} == {commit}
        for file, body in files.items():
            path = try_to_load_from_cache(name, file, cache_dir=cache)
            if file in ("README.md", "pytorch_model.bin") or file.startswith("sub folder"):
                assert path is None, (file, path)
            else:
                assert open(path, "rb").read() == body, file
        assert try_to_load_from_cache(name, "generation_config.json", cache_dir=cache) is hub._CACHED_NO_EXIST
        wanted = [f for f in files if try_to_load_from_cache(name, f, cache_dir=cache)]
        assert snapshot_download(name, cache_dir=cache, local_files_only=True, allow_patterns=wanted) == folder
        verify = subprocess.run(
            [os.path.join(os.path.dirname(sys.executable), "hf"), "cache", "verify", name, "--cache-dir", cache],
            env=environment, capture_output=True, text=True)
        assert verify.returncode == 0, (verify.stdout, verify.stderr)
        # They go on with what we have.
        assert snapshot_download(name, cache_dir=cache) == folder
        assert not scan_cache_dir(cache).warnings

        # Theirs, read by us.
        cache = os.path.join(home, "theirs")
        folder = snapshot_download(name, cache_dir=cache)
        assert ours("pull", name, cache=cache, offline=True).strip() == folder
        assert json.loads(ours("pull", name, "--json", cache=cache))["fetched_bytes"] == 0
        listed = json.loads(ours("cache", "list", "--json", cache=cache))["repositories"]
        (entry,) = [r for r in listed if r["name"] == name]
        (found,) = [r for r in scan_cache_dir(cache).repos if r.repo_id == name]
        assert entry["bytes"] == found.size_on_disk and entry["snapshots"][0]["revisions"] == ["main"], (entry, found)
        assert "are right" in ours("cache", "verify", name, cache=cache)
        assert "parameters" in ours("check", name, cache=cache, offline=True)
        ours("logits", name, "--tokens", "1,2,3", cache=cache, offline=True)
        if number % 5 == 0:
            ours("cache", "remove", name, "--yes", cache=cache)
            assert name not in {r.repo_id for r in scan_cache_dir(cache).repos} and not scan_cache_dir(cache).warnings

    source = os.path.join(home, "source")
    os.makedirs(source)
    for file, body in gpt2(8, 1).items():
        open(os.path.join(source, file), "wb").write(body)
    ours("push", source, "org/pushed", cache=cache)
    folder = snapshot_download("org/pushed", cache_dir=cache)
    for file in os.listdir(source):
        assert open(os.path.join(folder, file), "rb").read() == open(os.path.join(source, file), "rb").read(), file
    print(f"{count} repositories both ways, and a push: as huggingface_hub {hub.__version__} has them")
    shutil.rmtree(home)


main()
