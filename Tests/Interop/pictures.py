"""Very small image encoders, and models that read pictures and texts, as transformers 5.23 saves them (torch 2.15, Pillow 13, float32,
eager attention), and what it computes of the pictures beside them.

    python3 Tests/Interop/pictures.py Tests/Pictures

A folder holds config.json, preprocessor_config.json, model.safetensors and expected.safetensors: pixel_values by the processor on
Pillow, and logits or last_hidden_state; of models of texts input_ids, logits [2,T,vocabulary] and greedy [1,T+8], row 0 and 8 argmax steps,
and words.json: for each of the two texts its pictures and its ids.
"""
import json
import os
import sys

import numpy as np
import torch
import transformers as T
from PIL import Image
from safetensors.torch import save_file

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
FILES = ["one.png", "two.png", "three.png"]
for seed, (name, size) in enumerate(zip(FILES, [(13, 17), (24, 12), (9, 9)])):
    noise = np.random.default_rng(seed)
    Image.fromarray(noise.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(f"{out}/{name}")
PICTURES = [Image.open(f"{out}/{name}").convert("RGB") for name in FILES]

VIEW = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20, image_size=12, patch_size=4)
TEXT = dict(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
            max_position_embeddings=64, head_dim=8, bos_token_id=1, eos_token_id=2, pad_token_id=0)


def sized(processor, **more):
    return processor(size={"height": 12, "width": 12}, **more)


def vision(kind, **more):
    return {"model_type": kind, **VIEW, **more}


def made(cls, config, seed):
    """A model in which nothing is left at its start."""
    torch.manual_seed(seed)
    config._attn_implementation = "eager"
    model = cls(config).eval()
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _, tensor in sorted(model.named_parameters()):
            tensor.add_(torch.randn(tensor.shape, generator=noise) * (0.15 if tensor.dim() > 1 else 0.2))
    return model


def save(name, model, processor, tensors):
    folder = f"{out}/{name}"
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    save_file({key: value.contiguous() for key, value in tensors.items()}, folder + "/expected.safetensors")


ENCODERS = {
    "vit": (T.ViTForImageClassification, T.ViTConfig(**VIEW, num_labels=3, qkv_bias=False), sized(T.ViTImageProcessorPil)),
    "clip": (T.CLIPVisionModel, T.CLIPVisionConfig(**VIEW), T.CLIPImageProcessorPil(
        size={"shortest_edge": 12}, crop_size={"height": 12, "width": 12})),
    "siglip": (T.SiglipVisionModel, T.SiglipVisionConfig(**VIEW), sized(T.SiglipImageProcessorPil)),
}
for name, (cls, config, processor) in ENCODERS.items():
    model = made(cls, config, sum(name.encode()))
    pixels = processor(PICTURES, return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        result = model(pixels)
    tensors = {"pixel_values": pixels}
    if "logits" in result:
        tensors["logits"] = result.logits
    else:
        tensors["last_hidden_state"] = result.last_hidden_state
    save(name, model, processor, tensors)

READERS = {
    # Features of the last layer with the class row, and matrices without biases: what the shared fixture has otherwise.
    "llava": (T.LlavaForConditionalGeneration, T.LlavaConfig(
        vision_config=vision("clip_vision_model"), text_config={"model_type": "llama", **TEXT}, image_token_index=30,
        vision_feature_layer=-1, vision_feature_select_strategy="full", multimodal_projector_bias=False,
        tie_word_embeddings=True), ENCODERS["clip"][2], 10),
    "gemma3": (T.Gemma3ForConditionalGeneration, T.Gemma3Config(
        vision_config=vision("siglip_vision_model", vision_use_head=False), mm_tokens_per_image=1, image_token_index=30,
        text_config={"model_type": "gemma3_text", **TEXT, "sliding_window": 4, "query_pre_attn_scalar": 8,
                     "layer_types": ["sliding_attention", "full_attention"]}), sized(T.Gemma3ImageProcessorPil), 1),
}
for name, (cls, config, processor, rows) in READERS.items():
    seed = sum(name.encode())
    model = made(cls, config, seed)
    pixels = processor(PICTURES, return_tensors="pt")["pixel_values"]
    draw = torch.Generator().manual_seed(seed)
    words = lambda count: torch.randint(3, 30, (count,), generator=draw).tolist()
    picture = [30] * rows
    texts = [words(3) + picture + words(4 + rows), words(2) + picture + words(2) + picture + words(3)]
    with torch.no_grad():
        ids = torch.tensor(texts)
        more = {"token_type_ids": (ids == 30).long()} if name == "gemma3" else {}
        result = model(input_ids=ids, pixel_values=pixels, **more)
        row = texts[0]
        for _ in range(8):
            now = torch.tensor([row])
            more = {"token_type_ids": (now == 30).long()} if name == "gemma3" else {}
            row = row + [model(input_ids=now, pixel_values=pixels[:1], **more).logits[0, -1].argmax().item()]
    save(name, model, processor, {
        "input_ids": ids, "pixel_values": pixels, "logits": result.logits, "greedy": torch.tensor([row])})
    with open(f"{out}/{name}/words.json", "w") as file:
        json.dump([{"pictures": FILES[:1], "ids": texts[0]}, {"pictures": FILES[1:], "ids": texts[1]}], file)
