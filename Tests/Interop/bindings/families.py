#!/usr/bin/env python3
"""Every causal type of transformers, and whether Chimera reads it.

usage: families.py CHIMERA TINY [--table FILE]        needs: pip install torch transformers==5.23.0 safetensors
TINY is what `tiny.py` wrote: a very small random model of each family, with the reference's logits and a greedy continuation.

Each type of MODEL_FOR_CAUSAL_LM_MAPPING_NAMES is a text decoder that `chimera verify` must agree with (1e-4, greedy equal), or
stands below with the part it lacks, or is no text decoder. The exit status is 1 when a type is none of these, or does not agree.
"""
import argparse, json, os, subprocess, sys
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import transformers
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

# Text decoders that are not read, and the part that each lacks.
LACKING = {
    "blt": "bytes in patches, and three stacks",
    "cpmant": "segments, and buckets of relative positions",
    "deepseek_v4": "hyper-connections, compressed keys, a router by hashes",
    "hy_v4": "hyper-connections",
    "inkling2_text": "biases by relative logits, convolutions after sublayers",
    "inkling_text": "biases by relative logits, convolutions after sublayers",
    "qwen4_exp_text": "embeddings of n-grams",
    "reformer": "hashed attention",
    "xlnet": "two streams, relative positions",
    "xlstm": "sLSTM and mLSTM",
    "zaya": "convolved queries and keys, learned residual factors",
}
# Encoders with a causal mask, decoders of encoder-decoder models, and those whose text model is one part of several.
ENCODERS = """bert bert-generation big_bird camembert data2vec-text electra ernie megatron-bert rembert roberta roberta-prelayernorm roc_bert
    roformer xlm-roberta xlm-roberta-xl xmod""".split()
# Models of two stacks that families read, whose references are Tests/Interop/encoder_decoders.py's.
ENCODER_DECODERS = ["bart", "marian", "mbart", "pegasus", "t5"]
DECODERS = """bart bigbird_pegasus blenderbot blenderbot-small marian mbart mvp pegasus plbart prophetnet trocr whisper""".split()
MULTIMODAL = """beam dots3_note emu3 fuyu gemma3 gemma3n gemma4 gemma4_assistant gemma4_unified gemma4_unified_assistant git got_ocr2 llama4
    mllama moshi moss_transcribe_diarize musicgen musicgen_melody phi4_multimodal qwen3_5 qwen3_5_moe qwen4_exp""".split()

ABOVE = """# Causal models of transformers 5.23

Made by `make interop` (`Tests/Interop/bindings/families.py`): each type of `MODEL_FOR_CAUSAL_LM_MAPPING_NAMES`. A text decoder is read when
`chimera verify` gives the logits of a very small random model within 1e-4 of transformers' (float32, eager attention) and the same greedy
continuation, token by token. One that is not read stands here with the part it lacks, which is a file in `Plugins` to be written.

"""

def main():
    parser = argparse.ArgumentParser(); parser.add_argument("chimera"); parser.add_argument("tiny"); parser.add_argument("--table")
    options = parser.parse_args(); failed = 0
    agreed, differ = {}, {}
    for name in sorted(os.listdir(options.tiny)):
        folder = os.path.join(options.tiny, name); kind = json.load(open(folder + "/config.json"))["model_type"]
        if name == "gpt-sw3": kind = name
        run = subprocess.run([options.chimera, "verify", folder, "--json"], capture_output=True, text=True)
        said = [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
        try: difference = json.loads(run.stdout)["largest_difference"]
        except (ValueError, KeyError): difference = None
        (agreed if run.returncode == 0 else differ).setdefault(kind, []).append((name, difference, (said or [""])[0][:160]))
    rows = []
    for kind in sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES):
        if kind in ENCODERS + DECODERS + MULTIMODAL: continue
        if kind in differ: failed += 1; print(kind, "differs:", differ[kind])
        if kind in agreed:
            worst = max([d for _, d, _ in agreed[kind] if d is not None], default=None)
            rows.append((kind, True, f"read, {worst:.1e}" if worst is not None else "read"))
        elif kind in LACKING: rows.append((kind, False, "lacks " + LACKING[kind]))
        else: failed += 1; print(kind, "is neither read nor listed"); rows.append((kind, False, "?"))
    count = sum(read for _, read, _ in rows)
    summary = f"{count} of {len(rows)} text decoders are read."
    print(summary)
    if options.table:
        with open(options.table, "w") as file:
            file.write(ABOVE + summary + "\n\n| type | |\n|---|---|\n" + "".join(f"| {kind} | {text} |\n" for kind, _, text in rows))
            for title, kinds in [("Encoders that can be given a causal mask", ENCODERS), ("Decoders that read an encoder", DECODERS),
                                 ("Models whose text model is one part of several", MULTIMODAL)]:
                unread = [kind for kind in kinds if kind not in ENCODER_DECODERS]
                read = f" Read: {', '.join(ENCODER_DECODERS)}." if kinds is DECODERS else ""
                file.write(f"\n{title}, which are not read: {', '.join(unread)}.{read}\n")
    sys.exit(failed > 0)

main()
