"""Compares an exported module with what chimera computed: python verify.py FOLDER EXPECTED."""

import importlib
import inspect
import json
import sys

import torch


def read(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        numbers = torch.frombuffer(data[start + begin : start + end], dtype=torch.float32)
        tensors[name] = numbers.view(entry["shape"])
    return tensors


def largest(values):
    """The largest of some differences; what is no number differs from everything."""
    values = [float(v) for v in values]
    return float("inf") if any(v != v for v in values) else max(values, default=0.0)


def difference(a, b):
    if a.shape != b.shape:
        return float("inf")
    return largest([(a - b).abs().max()])


def cached(module, model, tokens, first):
    """The logits of `tokens`, of which `first` come at once, then one by one, the last ones together."""
    cache = module.Cache(len(model.layers))
    rows, done = [], 0
    while done < tokens.size(1):
        left = tokens.size(1) - done
        count = first if done == 0 else 1 if left > 3 or left == 1 else left
        rows.append(model(tokens[:, done : done + count], cache)[0])
        done += count
    return torch.cat(rows)


def main():
    folder, expected = sys.argv[1:3]
    torch.manual_seed(0)
    torch.set_num_threads(max(1, int(sys.argv[3]) if len(sys.argv) > 3 else 1))
    sys.path.insert(0, folder)
    module = importlib.import_module("model")
    sample = importlib.import_module("sample")
    cases = json.load(open(expected + "/cases.json"))
    wanted = read(expected + "/expected.safetensors")
    model = sample.load(cases["weights"])
    with torch.device("meta"):
        empty = module.Model()
    empty.to_empty(device="cpu").init_weights()
    named = dict(model.named_parameters())
    assert {n: p.shape for n, p in empty.named_parameters()} == {n: p.shape for n, p in named.items()}
    result = {"whole": [], "cached": [], "start": []}

    model.eval()
    with torch.no_grad():
        for number, ids in enumerate(cases["texts"]):
            tokens = torch.tensor([ids])
            ours = wanted[f"logits.{number}"]
            scale = max(1.0, float(ours.abs().max()))
            logits = model(tokens)[0]
            result["whole"].append(difference(logits, ours) / scale)
            if len(ids) > 1 and "cache" in inspect.signature(model.forward).parameters:
                for first in sorted({1, len(ids) // 2}):
                    own = wanted.get(f"cached.{number}.{first}", ours)
                    result["cached"].append(difference(cached(module, model, tokens, first), own) / scale)

    # What initial weights should be: the spread of each tensor, and of constants their very numbers.
    for name, tensor in empty.named_parameters():
        mean, spread = cases["starts"][name]
        count = max(2, tensor.numel())
        slack = 1e-6 + 6 * spread / count**0.5
        found = float(tensor.detach().std(unbiased=False)) if tensor.numel() > 1 else spread
        result["start"].append(abs(float(tensor.detach().mean()) - mean) / slack)
        if tensor.numel() > 1:
            result["start"].append(abs(found - spread) / slack)

    if "batch" in cases:
        tokens, targets = torch.tensor(cases["batch"]), torch.tensor(cases["targets"])
        decayed = [p for p in named.values() if p.dim() >= 2]
        others = [p for p in named.values() if p.dim() < 2]
        optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
            lr=1e-3,
            betas=(0.9, 0.95),
            eps=1e-8,
        )
        gradients = {n[5:]: t for n, t in wanted.items() if n.startswith("grad.")}
        top = largest([t.abs().max() for t in gradients.values()]) or 1.0
        losses, worst = [], {}
        for step in range(len(cases["losses"]) - 1):
            optimizer.zero_grad()
            loss = model.loss(tokens, targets)
            loss.backward()
            losses.append(float(loss))
            if step == 0:
                for name, tensor in gradients.items():
                    own = named[name].grad
                    own = torch.zeros_like(tensor) if own is None else own
                    worst[name] = difference(own, tensor) / top
            optimizer.step()
        losses.append(float(model.loss(tokens, targets)))
        name = max(worst, key=worst.get)
        result["loss"] = abs(losses[0] - cases["losses"][0]) / abs(cases["losses"][0])
        result["gradients"] = worst[name]
        result["gradient"] = name
        result["steps"] = largest([abs(a - b) / abs(b) for a, b in zip(losses, cases["losses"])])
    for key in ("whole", "cached", "start"):
        result[key] = largest(result[key]) if result[key] else None
    result["torch"] = torch.__version__
    print(json.dumps({k: (v if v != float("inf") else 1e30) for k, v in result.items()}))


main()
