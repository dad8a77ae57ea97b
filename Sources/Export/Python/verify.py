"""Compares an exported module with what chimera computed: python verify.py FOLDER EXPECTED."""

import importlib
import inspect
import json
import os
import sys

import torch

TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def read(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        numbers = torch.frombuffer(data[start + begin : start + end], dtype=TYPES[entry["dtype"]])
        tensors[name] = numbers.view(entry["shape"]).float()
    return tensors


def largest(values):
    """The largest of some differences; what is no number differs from everything."""
    values = [float(v) for v in values]
    return float("inf") if any(v != v for v in values) else max(values, default=0.0)


def difference(a, b):
    if a.shape != b.shape:
        return float("inf")
    return largest([(a - b).abs().max()])


class Plain:
    """model.py, which needs nothing but torch."""

    def __init__(self, folder, cases):
        sys.path.insert(0, folder)
        self.module = importlib.import_module("model")
        self.model = importlib.import_module("sample").load(cases["weights"])
        self.keeps = "cache" in inspect.signature(self.model.forward).parameters

    def untrained(self):
        with torch.device("meta"):
            empty = self.module.Model()
        empty.to_empty(device="cpu").init_weights()
        return empty

    def logits(self, tokens, **given):
        return self.model(**given) if tokens is None else self.model(tokens, **given)

    def cache(self):
        return self.module.Cache(len(self.model.layers))

    def next(self, tokens, cache, **given):
        return self.model(tokens, cache=cache, **given)


class Library:
    """A folder for transformers."""

    def __init__(self, folder, cases, scratch):
        os.environ["HF_MODULES_CACHE"] = scratch + "/modules"
        os.environ["HF_HUB_OFFLINE"] = "1"
        from transformers import AutoConfig, AutoModelForCausalLM

        self.classes = AutoModelForCausalLM
        self.config = AutoConfig.from_pretrained(folder, trust_remote_code=True)
        self.keeps, self.is_stock = True, "library" in cases
        self.others = {"trust_remote_code": True, "dtype": torch.float32}
        if self.is_stock or os.path.exists(folder + "/model.safetensors"):
            self.model = self.classes.from_pretrained(folder, **self.others)
        else:
            self.model = self.untrained()
            missing, more = self.model.load_state_dict(read(cases["weights"]), strict=False)
            missing = set(missing) - set(self.model.get_expanded_tied_weights_keys())
            assert not missing and not more, (missing, more)

    def untrained(self):
        return self.classes.from_config(self.config, **self.others)

    def logits(self, tokens, **given):
        return self.model(tokens, use_cache=False).logits

    def cache(self):
        from transformers import DynamicCache

        new = getattr(self.model.base_model, "new_cache", None)
        return new() if new else DynamicCache(config=self.model.config)

    def next(self, tokens, cache, **given):
        return self.model(tokens, past_key_values=cache, use_cache=True).logits

    def padded(self, tokens):
        """The logits of a text with padding before it, and of one with padding behind it."""
        filling = tokens.new_zeros(1, 3)
        mask = torch.ones_like(tokens)
        for order in (0, 1):
            parts = [(filling, filling), (tokens, mask)]
            parts = parts if order == 0 else parts[::-1]
            ids, masks = (torch.cat(x, dim=1) for x in zip(*parts))
            rows = self.model(ids, attention_mask=masks, use_cache=False).logits[0]
            yield rows[3:] if order == 0 else rows[:-3]

    def eager(self, tokens):
        before = self.model.config._attn_implementation
        self.model.set_attn_implementation("eager")
        logits = self.logits(tokens)
        self.model.set_attn_implementation(before)
        return logits


def arguments(kinds, wanted, name):
    """What stands beside the tokens, by the names of arguments."""
    found = {key: wanted[f"{name}.{key}"] for key in kinds}
    forms = {"ids": lambda t: t.long(), "count": lambda t: int(t), "numbers": lambda t: t}
    return {key: forms[kinds[key]](t) for key, t in found.items()}


def cached(side, tokens, first, given):
    """The logits of `tokens`, of which `first` come at once, then one by one, the last ones together."""
    cache = side.cache()
    rows, done = [], 0
    while done < tokens.size(1):
        left = tokens.size(1) - done
        count = first if done == 0 else 1 if left > 3 or left == 1 else left
        # Pictures stand in the first part alone.
        more = {k: v for k, v in given.items() if not done or k != "pixel_values"}
        rows.append(side.next(tokens[:, done : done + count], cache, **more)[0])
        done += count
    return torch.cat(rows)


def main():
    folder, expected = sys.argv[1:3]
    torch.manual_seed(0)
    torch.set_num_threads(max(1, int(sys.argv[3]) if len(sys.argv) > 3 else 1))
    cases = json.load(open(expected + "/cases.json"))
    wanted = read(expected + "/expected.safetensors")
    is_library = os.path.exists(folder + "/config.json")
    side = Library(folder, cases, expected) if is_library else Plain(folder, cases)
    model = side.model
    named = dict(model.named_parameters())
    result = {"whole": [], "cached": [], "start": [], "padded": [], "eager": []}
    recomputes = any(key.startswith("cached.") for key in wanted)

    model.eval()
    with torch.no_grad():
        for number, ids in enumerate(cases["texts"]):
            tokens = None if ids is None else torch.tensor([ids])
            given = arguments(cases["given"][number], wanted, f"given.{number}")
            ours = wanted[f"logits.{number}"]
            scale = max(1.0, float(ours.abs().max()))
            result["whole"].append(difference(side.logits(tokens, **given)[0], ours) / scale)
            if is_library:
                result["eager"].append(difference(side.eager(tokens)[0], ours) / scale)
                if not side.is_stock:
                    try:
                        for rows in side.padded(tokens):
                            result["padded"].append(difference(rows, ours) / scale)
                    except ValueError as error:
                        # A module that says so has no such texts to compare.
                        if "no texts with padding" not in str(error):
                            raise
            if is_library and recomputes and len(ids) > 33:
                continue  # `generate` computes such a text again, of which a pass alone knows nothing
            if side.keeps:
                for first in cases["firsts"][number]:
                    own = wanted.get(f"cached.{number}.{first}", ours)
                    rows = cached(side, tokens, first, given)
                    result["cached"].append(difference(rows, own) / scale)

    # What initial weights should be: the spread of each tensor, and of constants their very numbers.
    if cases["starts"]:
        empty = side.untrained()
        assert {n: p.shape for n, p in empty.named_parameters()} == {n: p.shape for n, p in named.items()}
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
        # The library's own classes never train the row of the token that pads; here it is a token as others.
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding):
                module.padding_idx = None
        decayed = [p for p in named.values() if p.dim() >= 2]
        others = [p for p in named.values() if p.dim() < 2]
        optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
            lr=1e-3,
            betas=(0.9, 0.95),
            eps=1e-8,
        )

        def mean_loss():
            logits = side.logits(tokens).float().flatten(0, 1)
            return torch.nn.functional.cross_entropy(logits, targets.flatten(), ignore_index=-1)

        given = arguments(cases["besides"], wanted, "batch")
        mean_loss = mean_loss if is_library else lambda: model.loss(tokens, targets, **given)
        gradients = {n[5:]: t for n, t in wanted.items() if n.startswith("grad.")}
        top = largest([t.abs().max() for t in gradients.values()]) or 1.0
        losses, worst = [], {}
        for step in range(len(cases["losses"]) - 1):
            optimizer.zero_grad()
            loss = mean_loss()
            loss.backward()
            losses.append(float(loss))
            if step == 0 and cases["starts"]:
                for name, tensor in gradients.items():
                    own = named[name].grad
                    own = torch.zeros_like(tensor) if own is None else own
                    worst[name] = difference(own, tensor) / top
            optimizer.step()
        losses.append(float(mean_loss()))
        result["loss"] = abs(losses[0] - cases["losses"][0]) / abs(cases["losses"][0])
        if worst:
            name = max(worst, key=worst.get)
            result["gradients"], result["gradient"] = worst[name], name
        result["steps"] = largest([abs(a - b) / abs(b) for a, b in zip(losses, cases["losses"])])
    for key in ("whole", "cached", "start", "padded", "eager"):
        result[key] = largest(result[key]) if result[key] else None
    result["torch"] = torch.__version__
    print(json.dumps({k: (v if v != float("inf") else 1e30) for k, v in result.items()}))


main()
