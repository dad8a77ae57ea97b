"""The arms of a study behind one address, each with its own weights and the study's tokenizer.

    python3 Tests/Interop/serving/study.py .build/release/chimera
"""

import os, subprocess, sys, tempfile

from server import Server, check

SPEC = """name: tiny
vocab_size: 96
context_length: 16
hidden_size: 16
layers: {count: 1}
position: {type: learned}
norm: {type: layernorm, eps: 1.0e-5}
block: {placement: pre}
attention: {num_heads: 2, bias: true}
mlp: {intermediate_size: 32, activation: gelu_tanh, bias: true}
head: {tied: true}
"""


def main(chimera):
    with tempfile.TemporaryDirectory() as folder:
        def path(name):
            return os.path.join(folder, name)

        with open(path("tiny.yaml"), "w") as file:
            file.write(SPEC)
        with open(path("text.txt"), "w") as file:
            file.writelines(f"once upon a time there was a little girl {n}\n" for n in range(300))
        study = [chimera, "ablate", path("tiny.yaml"), "--vary", "position=learned,rope", "--seeds", "1", "--data",
                 path("text.txt"), "--tokenizer", "char", "--train", "steps=40", "--train", "batch=4", "--threads", "1",
                 "--quiet"]
        for name, more in (("bare", []), ("kept", ["--keep-weights"])):
            subprocess.run([*study, "--out", path(name), *more], check=True, capture_output=True)
        run = subprocess.run([chimera, "serve", "--study", path("bare")], capture_output=True, text=True)
        check(run.returncode == 4 and "--keep-weights" in run.stderr, "a study without weights is refused: " + run.stderr)
        run = subprocess.run([chimera, "serve", "--study", path("none")], capture_output=True, text=True)
        check(run.returncode == 4 and "there is no study" in run.stderr, "so is one that is not there")
        run = subprocess.run([chimera, "serve"], capture_output=True, text=True)
        check(run.returncode == 2 and "name a model" in run.stderr, "so is a server of nothing")
        with Server(chimera, "--study", path("kept")) as server:
            names = [model["id"] for model in server.ask("/v1/models")["data"]]
            check(len(names) == 2 and "rope" in names, f"the arms have their names: {names}")
            losses = []
            for name in names:
                answer = server.ask("/probe", {"model": name, "prompt": "once upon a", "logprobs": 1})
                losses.append(answer["loss"])
                text = server.ask("/v1/completions", {"model": name, "prompt": "once", "max_tokens": 6, "temperature": 0})
                check(len(text["choices"][0]["text"]) == 6, f"{name} writes characters: {text['choices'][0]['text']!r}")
            check(losses[0] != losses[1] and max(losses) < 4.6, f"each has weights of its own: {losses}")


main(sys.argv[1])
