"""Very small encoder-decoders as transformers 5.23 saves them (torch 2.15, float32, eager attention), and what it computes.

    python3 Tests/Interop/encoder_decoders.py Tests/EncoderDecoders

A folder holds config.json, generation_config.json, model.safetensors and expected.safetensors: input_ids, attention_mask (row 1
is padded), decoder_input_ids, logits; of row 0 greedy [1,9], the start id and 8 steps of `generate()`, and beams [1,n], the best
of 4 beams in 8 steps; of both rows loss and grad.NAME, the mean cross-entropy of labels and its gradients.
"""
import sys

import torch
import transformers as T
from safetensors.torch import save_file

out = sys.argv[1]
SIZES = dict(vocab_size=50, d_model=16, encoder_layers=3, decoder_layers=2, encoder_attention_heads=4,
             decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=20, max_position_embeddings=40)
IDS = dict(pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1, forced_eos_token_id=None)
T5 = dict(vocab_size=50, d_model=16, d_kv=6, d_ff=24, num_layers=3, num_decoder_layers=2, num_heads=2, pad_token_id=0,
          eos_token_id=2, decoder_start_token_id=0, relative_attention_num_buckets=8, relative_attention_max_distance=14)
MODELS = {
    "t5": (T.T5ForConditionalGeneration, T.T5Config(**T5)),
    "t5-1.1": (T.T5ForConditionalGeneration, T.T5Config(**T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False)),
    "bart": (T.BartForConditionalGeneration, T.BartConfig(**SIZES, **IDS)),
    "mbart": (T.MBartForConditionalGeneration, T.MBartConfig(
        **SIZES, **{**IDS, "decoder_start_token_id": 2}, scale_embedding=True, activation_function="relu")),
    "pegasus": (T.PegasusForConditionalGeneration, T.PegasusConfig(
        **SIZES, **{**IDS, "decoder_start_token_id": 0}, scale_embedding=True, activation_function="relu")),
    "marian": (T.MarianMTModel, T.MarianConfig(
        **SIZES, **{**IDS, "decoder_start_token_id": 0}, scale_embedding=True, activation_function="swish")),
}


def model(cls, config, seed):
    """A model in which nothing is left at its start."""
    torch.manual_seed(seed)
    config._attn_implementation = "eager"
    made = cls(config).eval()
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in sorted(made.named_parameters()):
            if "embed_positions" in name and not tensor.requires_grad:
                continue
            tensor.add_(torch.randn(tensor.shape, generator=noise) * (0.15 if tensor.dim() > 1 else 0.2))
        if hasattr(made, "final_logits_bias"):
            made.final_logits_bias.add_(torch.randn(made.final_logits_bias.shape, generator=noise) * 0.1)
    return made


for name, (cls, config) in MODELS.items():
    seed = sum(name.encode())
    made = model(cls, config, seed)
    folder = f"{out}/{name}"
    if name == "t5-1.1":
        # Version 1.1 has a matrix of its own for its scores.
        rows = torch.randn(made.shared.weight.shape, generator=torch.Generator().manual_seed(3)) * 0.4
        made.lm_head.weight = torch.nn.Parameter(rows)
    made.save_pretrained(folder)
    draw = torch.Generator().manual_seed(seed)
    ids = torch.randint(3, 50, (2, 15), generator=draw)
    mask = torch.ones_like(ids)
    ids[1, 11:], mask[1, 11:] = config.pad_token_id, 0
    decoder = torch.randint(3, 50, (2, 9), generator=draw)
    decoder[:, 0] = config.decoder_start_token_id
    labels = torch.cat([decoder[:, 1:], torch.full((2, 1), 2)], dim=1)
    given = dict(input_ids=ids, attention_mask=mask, decoder_input_ids=decoder)
    result = made(**given, labels=labels)
    result.loss.backward()
    expected = dict(given, logits=result.logits.detach(), loss=result.loss.detach())
    for key, tensor in made.named_parameters():
        if tensor.grad is not None:
            expected["grad." + key] = tensor.grad
    once = dict(do_sample=False, max_new_tokens=8)
    with torch.no_grad():
        expected["greedy"] = made.generate(ids[:1], attention_mask=mask[:1], num_beams=1, **once)
        expected["beams"] = made.generate(ids[:1], attention_mask=mask[:1], num_beams=4, **once)
    print(name, expected["greedy"].tolist(), expected["beams"].tolist(), float(result.loss))
    save_file({key: value.contiguous().clone() for key, value in expected.items()}, f"{folder}/expected.safetensors")
