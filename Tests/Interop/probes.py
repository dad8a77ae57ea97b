"""A very small GPT-2 as transformers saves it, and what TransformerLens 4.3 sees and changes in it (transformers 5.24, torch 2.15, float32).

    python3 Tests/Interop/probes.py Tests/Probes            # writes the folder Tests/Probes/gpt2 and expected.safetensors in it
    python3 Tests/Interop/probes.py Tests/Probes --check .build/release/chimera     # compares the program with it

`expected.safetensors` has the tokens (`clean`, `other`), the activations of `clean` by the names of `chimera probe`, the losses of
`clean` with every head at zero or at its mean, and the scores of activation patching: for each layer and position (`patch.input`,
`patch.attn`, `patch.mlp`) and for each layer and head (`patch.head`), logit[answer] − logit[against] at the last position of `other`
when what stands there is what `clean` has.
"""
import json
import os
import subprocess
import sys
import tempfile

import torch

LAYERS, HEADS, WIDTH, VOCABULARY = 3, 4, 16, 61
ANSWER, AGAINST = 17, 23


def make(folder):
    import transformers as T
    from safetensors.torch import save_file
    from transformer_lens import patching
    from transformer_lens.model_bridge import TransformerBridge

    config = T.GPT2Config(vocab_size=VOCABULARY, n_positions=32, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS,
                          attn_pdrop=0, embd_pdrop=0, resid_pdrop=0, bos_token_id=0, eos_token_id=0)
    torch.manual_seed(22)
    hf = T.GPT2LMHeadModel(config).eval()
    noise = torch.Generator().manual_seed(22)
    with torch.no_grad():
        for _, tensor in sorted(hf.named_parameters()):
            tensor.add_(torch.randn(tensor.shape, generator=noise) * (0.2 if tensor.dim() > 1 else 0.1))
    hf.tie_weights()
    hf.save_pretrained(f"{folder}/gpt2")
    model = TransformerBridge.boot_transformers(f"{folder}/gpt2", hf_model=hf)
    model.enable_compatibility_mode(disable_warnings=True, no_processing=True)
    model.eval()

    draw = torch.Generator().manual_seed(5)
    clean = torch.randint(1, VOCABULARY, (1, 12), generator=draw)
    other = clean.clone()
    other[0, [2, 3, 7]] = torch.randint(1, VOCABULARY, (3,), generator=draw)
    with torch.no_grad():
        assert torch.allclose(model(clean), hf(clean).logits, atol=1e-5)
        logits, cache = model.run_with_cache(clean)
        out = {"clean": clean[0], "other": other[0], "logits": logits[0], "embed.tokens": cache["hook_embed"][0],
               "embed": cache["hook_embed"][0] + cache["hook_pos_embed"][0],
               "final_norm": cache["ln_final.hook_out"][0]}
        for n in range(LAYERS):
            for ours, theirs in {
                "input": "hook_resid_pre", "output": "hook_resid_post", "attn_residual": "hook_resid_mid",
                "attn_norm": "ln1.hook_out", "mlp_norm": "ln2.hook_out", "attn": "hook_attn_out",
                "mlp": "hook_mlp_out", "mlp.up": "mlp.hook_pre", "mlp.gelu_tanh": "mlp.hook_post",
                "attn.q": "attn.hook_q", "attn.k": "attn.hook_k", "attn.v": "attn.hook_v", "attn.attend": "attn.hook_z",
                "attn.attend.weights": "attn.hook_pattern",
            }.items():
                value = cache[f"blocks.{n}.{theirs}"][0]
                out[f"layers.{n}.{ours}"] = value.flatten(1) if ours in (
                    "attn.q", "attn.k", "attn.v", "attn.attend") else value

        def loss(hooks):
            return model.run_with_hooks(clean, return_type="loss", fwd_hooks=hooks)

        def put(head, value):
            def hook(z, hook):
                z[:, :, head] = value
                return z
            return hook

        def change(value):
            base = loss([])
            return torch.tensor([[loss([(f"blocks.{n}.attn.hook_z", put(h, value(n, h)))]) - base for h in range(HEADS)]
                                 for n in range(LAYERS)])

        out["loss"] = loss([]).reshape(1)
        out["zero.head"] = change(lambda n, h: 0)
        out["mean.head"] = change(lambda n, h: cache[f"blocks.{n}.attn.hook_z"][:, :, h].mean(1, keepdim=True))

        def metric(logits):
            return logits[0, -1, ANSWER] - logits[0, -1, AGAINST]

        out["patch.input"] = patching.get_act_patch_resid_pre(model, other, cache, metric)
        out["patch.attn"] = patching.get_act_patch_attn_out(model, other, cache, metric)
        out["patch.mlp"] = patching.get_act_patch_mlp_out(model, other, cache, metric)
        out["patch.head"] = patching.get_act_patch_attn_head_out_all_pos(model, other, cache, metric)
        for n in range(LAYERS):
            out[f"lens.{n}"] = model.unembed(model.ln_final(cache[f"blocks.{n}.hook_resid_post"]))[0].log_softmax(-1)
    save_file({k: v.contiguous().clone() for k, v in out.items()}, f"{folder}/gpt2/expected.safetensors")


def check(folder, program):
    from safetensors.torch import load_file

    expected = load_file(f"{folder}/gpt2/expected.safetensors")
    model = f"{folder}/gpt2"
    clean, other = (",".join(map(str, expected[k].tolist())) for k in ("clean", "other"))

    def run(*arguments):
        return subprocess.run([program, "probe", model, *arguments], check=True, capture_output=True, text=True).stdout

    worst = {}
    with tempfile.TemporaryDirectory() as out:
        names = [k for k in expected if k == "embed" or k == "logits" or k.startswith(("embed.", "layers.", "final_norm"))]
        run("--tokens", clean, *sum((["--record", n] for n in names), []), "--output", f"{out}/r.safetensors")
        recorded = load_file(f"{out}/r.safetensors")
        assert set(recorded) == set(names)
        worst["activations"] = max((recorded[n] - expected[n]).abs().max().item() for n in names)
    for by in ("zero", "mean"):
        result = json.loads(run("--tokens", clean, "--all", "heads", "--by", by, "--json"))
        ours = torch.tensor([e["change"] for e in result["effects"]]).reshape(LAYERS, HEADS)
        worst[f"{by} heads"] = (ours - expected[f"{by}.head"]).abs().max().item()
        worst["loss"] = abs(result["value"] - expected["loss"].item())
    for name, parts in (("input", "layers.*.input"), ("attn", "layers.*.attn"), ("mlp", "layers.*.mlp")):
        result = json.loads(run("--tokens", other, "--from", clean, "--all", parts, "--by", "patch", "--each-token",
                                "--answer", str(ANSWER), "--answer", str(AGAINST), "--json"))
        ours = torch.tensor([e["changes"] for e in result["effects"]]) + result["value"]
        worst[f"patch {name}"] = (ours - expected[f"patch.{name}"]).abs().max().item()
    result = json.loads(run("--tokens", other, "--from", clean, "--all", "heads", "--by", "patch", "--answer", str(ANSWER),
                            "--answer", str(AGAINST), "--json"))
    ours = torch.tensor([e["change"] for e in result["effects"]]).reshape(LAYERS, HEADS) + result["value"]
    worst["patch heads"] = (ours - expected["patch.head"]).abs().max().item()
    lens = {e["name"]: e["positions"] for e in json.loads(run("--tokens", clean, "--lens", "--json"))["lens"]}
    tokens = expected["clean"].tolist()
    worst["lens"] = max(abs(p["next_log_probability"] - expected[f"lens.{n}"][i, tokens[i + 1]].item())
                        for n in range(LAYERS) for i, p in enumerate(lens[f"layers.{n}.output"][:-1]))
    print("\n".join(f"{name:14} {value:.1e}" for name, value in worst.items()))
    assert max(worst.values()) <= 1e-5


if "--check" in sys.argv:
    check(sys.argv[1], sys.argv[sys.argv.index("--check") + 1])
else:
    os.makedirs(sys.argv[1], exist_ok=True)
    make(sys.argv[1])
