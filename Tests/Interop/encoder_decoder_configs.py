"""Every key of the configurations in Tests/EncoderDecoders, changed one at a time: null, absent, another value.

    python3 Tests/Interop/encoder_decoder_configs.py CHIMERA [NAME…]

transformers 5.23 computes the changed folder with the same weights, and `chimera verify` must agree within 1e-4 or refuse the
folder. What the reference itself refuses is left out. The last line counts, and the status is 1 where anything was wrong.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import torch
import transformers as T
from safetensors.torch import load_file, save_file

T.logging.set_verbosity_error()
chimera, names = sys.argv[1], sys.argv[2:]
models = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "EncoderDecoders")
CLASSES = {"t5": T.T5ForConditionalGeneration, "t5-1.1": T.T5ForConditionalGeneration, "bart": T.BartForConditionalGeneration,
           "mbart": T.MBartForConditionalGeneration, "pegasus": T.PegasusForConditionalGeneration, "marian": T.MarianMTModel}
SIZES = {"architectures", "model_type", "transformers_version", "dtype", "vocab_size", "d_model"}


def others(value):
    """What a key is changed to; `...` leaves it out."""
    if isinstance(value, bool):
        return [None, ..., not value]
    if isinstance(value, (int, float)):
        return [None, ..., value + 1 if isinstance(value, int) else value * 3 + 0.1]
    return [None, ...] + (["gelu", "relu", "gated-silu", "swish", "gelu_new"] if isinstance(value, str) else [])


counts = {"ok": 0, "refused": 0, "wrong": 0}
for name in names or CLASSES:
    config = json.load(open(f"{models}/{name}/config.json"))
    expected = load_file(f"{models}/{name}/expected.safetensors")
    given = {key: expected[key] for key in ("input_ids", "attention_mask", "decoder_input_ids")}
    for key in config.keys() - SIZES:
        for value in others(config[key]):
            with tempfile.TemporaryDirectory() as folder:
                shutil.copytree(f"{models}/{name}", folder, dirs_exist_ok=True)
                changed = {k: v for k, v in config.items() if k != key or value is not ...}
                if value is not ...:
                    changed[key] = value
                json.dump(changed, open(f"{folder}/config.json", "w"))
                try:
                    model = CLASSES[name].from_pretrained(folder, attn_implementation="eager").eval()
                    with torch.no_grad():
                        logits = model(**given).logits
                except Exception:
                    continue
                save_file({**given, "logits": logits.contiguous()}, f"{folder}/expected.safetensors")
                run = subprocess.run([chimera, "verify", folder], capture_output=True, text=True)
                outcome = "ok" if run.returncode == 0 else "wrong" if "differs within" in run.stdout else "refused"
                counts[outcome] += 1
                if outcome == "wrong":
                    print(name, key, value, run.stdout.strip())
print(counts)
sys.exit(counts["wrong"] > 0)
