"""Compares an exported module with what transformers computed of the same folder: encoders, models of pictures, of two texts.

    python Tests/Interop/exported_stacks.py EXPORTED FOLDER

It needs torch and safetensors. FOLDER holds an expected.safetensors, as `chimera verify` takes it.
"""

import inspect
import json
import sys

import torch
from safetensors.torch import load_file


def texts(wanted, ids):
    """The rows of `ids` without their padding, and the lengths."""
    mask = wanted.get("attention_mask")
    for row in range(ids.size(0)):
        length = int(mask[row].sum()) if mask is not None else ids.size(1)
        yield row, length, ids[row : row + 1, :length]


def results(model, wanted):
    """What the module gives, beside what transformers gave; nothing where it told vectors of sentences alone."""
    if not {"last_hidden_state", "logits"} & set(wanted):
        return
    if "image_sizes" in wanted:
        return  # pictures of several sizes, of which a module takes square ones alone
    target = wanted["last_hidden_state"] if "last_hidden_state" in wanted else wanted["logits"]
    names = inspect.signature(model.forward).parameters
    ids, pixels = wanted.get("input_ids"), wanted.get("pixel_values")
    if ids is None:
        yield model(pixels), target
    elif pixels is not None:
        given = {"pixel_values": pixels}
        if "prefix" in names:
            given["prefix"] = ids.size(1)
        yield model(ids, **given), target
    elif "decoder_input_ids" in wanted:
        for row, _, source in texts(wanted, ids):
            yield model(wanted["decoder_input_ids"][row : row + 1], source)[0], target[row]
    else:
        for row, length, tokens in texts(wanted, ids):
            given = {}
            if "types" in names and "token_type_ids" in wanted:
                given["types"] = wanted["token_type_ids"][row : row + 1, :length]
            own = model(tokens, **given)[0]
            yield own, target[row] if own.dim() == 1 else target[row, :length]


def main():
    exported, folder = sys.argv[1:3]
    sys.path.insert(0, exported)
    from sample import load

    model = load(exported + "/model.safetensors").eval()
    wanted = load_file(folder + "/expected.safetensors")
    with torch.no_grad():
        differences = [float((a - b).abs().max()) for a, b in results(model, wanted)]
    print(json.dumps({"transformers": max(differences)} if differences else {}))


if __name__ == "__main__":
    main()
