"""Generates tokens: python sample.py 1 2 3 --count 20"""

import argparse
import json
import os

import torch

from model import Model

TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def load(path):
    """The model with the weights of `path`, a safetensors file."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    start = 8 + int.from_bytes(data[:8], "little")
    tensors = json.loads(data[8:start])
    tensors.pop("__metadata__", None)
    for name, entry in tensors.items():
        begin, end = entry["data_offsets"]
        numbers = data[start + begin : start + end]
        tensors[name] = torch.frombuffer(numbers, dtype=TYPES[entry["dtype"]])
        tensors[name] = tensors[name].view(entry["shape"])
    model = Model()
    model.load_state_dict(tensors)
    return model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tokens", nargs="+", type=int)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--temperature", type=float, default=0.0)
    options = parser.parse_args()
    folder = os.path.dirname(os.path.abspath(__file__))
    model = load(os.path.join(folder, "model.safetensors")).eval()
    tokens = torch.tensor([options.tokens])
    print(*model.generate(tokens, options.count, options.temperature)[0].tolist())


if __name__ == "__main__":
    main()
