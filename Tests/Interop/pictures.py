"""Very small image encoders, and models that read pictures and texts, as transformers 5.23 saves them (torch 2.15, Pillow 13, float32,
eager attention), and what it computes of the pictures beside them. Llama 4's processor needs torchvision too.

    python3 Tests/Interop/pictures.py Tests/Pictures [NAME …]

Those of pictures of any size have image_grid_thw beside them: frames, rows and columns of patches; those of pictures on canvases
[2,pictures,tiles,...] and their aspect_ratio_ids, each text computed by itself. A folder holds config.json, preprocessor_config.json, model.safetensors and expected.safetensors: pixel_values by the processor on
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
from transformers.models.llava_next.modeling_llava_next import get_anyres_image_grid_shape

out, only = sys.argv[1], sys.argv[2:]
os.makedirs(out, exist_ok=True)
FILES = ["one.png", "two.png", "three.png"]
for seed, (name, size) in enumerate(zip(FILES, [(13, 17), (24, 12), (9, 9)])):
    noise = np.random.default_rng(seed)
    Image.fromarray(noise.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(f"{out}/{name}")
PICTURES = [Image.open(f"{out}/{name}").convert("RGB") for name in FILES]

VIEW = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20, image_size=12, patch_size=4)
GRID = {**{key: value for key, value in VIEW.items() if key != "intermediate_size"}, "mlp_ratio": 2}
TEXT = dict(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
            max_position_embeddings=64, head_dim=8, bos_token_id=1, eos_token_id=2, pad_token_id=0)


def sized(processor, **more):
    return processor(size={"height": 12, "width": 12}, **more)


class Llama4ImageProcessor(T.Llama4ImageProcessor):
    """Written for torchvision alone: here its resizing is Pillow's, as that of the others is."""

    def resize(self, image, size, resample=None, **kwargs):
        results = [Image.fromarray(one.permute(1, 2, 0).numpy()).resize((size.width, size.height), int(resample)) for one in image]
        return torch.stack([torch.from_numpy(np.array(one)).permute(2, 0, 1) for one in results])


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
    # Tables for 5×5 patches, of which pictures have 3×3, and for 2×2.
    "dinov2": (T.Dinov2Model, T.Dinov2Config(**{**GRID, "image_size": 20}, qkv_bias=False), T.BitImageProcessorPil(
        size={"shortest_edge": 12}, crop_size={"height": 12, "width": 12})),
    "dinov2_with_registers": (T.Dinov2WithRegistersModel, T.Dinov2WithRegistersConfig(
        **{**GRID, "image_size": 20}, num_register_tokens=2, use_swiglu_ffn=True), T.BitImageProcessorPil(
        size={"shortest_edge": 12}, crop_size={"height": 12, "width": 12})),
    "dinov2_small_table": (T.Dinov2WithRegistersModel, T.Dinov2WithRegistersConfig(
        **{**GRID, "image_size": 8}, num_register_tokens=1), T.BitImageProcessorPil(
        size={"shortest_edge": 12}, crop_size={"height": 12, "width": 12})),
}
for name, (cls, config, processor) in ENCODERS.items():
    if only and name not in only:
        continue
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

def tiled(processor, side):
    return processor(size={"height": side, "width": side}, crop_to_patches=True, min_patches=1, max_patches=4)


PINPOINTS = [[12, 24], [24, 12], [24, 24], [36, 12]]
QWEN2 = {"model_type": "qwen2", **{key: value for key, value in TEXT.items() if key != "head_dim"}}
QWEN3 = {"model_type": "qwen3", **TEXT}
INTERN = dict(model_type="internvl_vision", hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20,
              image_size=[16, 16], patch_size=[4, 4])
COHERE = {"model_type": "cohere2", **TEXT, "sliding_window": 4, "layer_types": ["sliding_attention", "full_attention"]}

READERS = {
    # Features of the last layer with the class row, and matrices without biases: what the shared fixture has otherwise.
    "llava": (T.LlavaForConditionalGeneration, T.LlavaConfig(
        vision_config=vision("clip_vision_model"), text_config={"model_type": "llama", **TEXT}, image_token_index=30,
        vision_feature_layer=-1, vision_feature_select_strategy="full", multimodal_projector_bias=False,
        tie_word_embeddings=True), ENCODERS["clip"][2], 10),
    # Tiles and the whole picture behind them; the text has a layer with experts, and one that sees chunks.
    "llama4": (T.Llama4ForConditionalGeneration, T.Llama4Config(
        vision_config=dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=16, patch_size=4,
                           projector_input_dim=20, projector_output_dim=20, vision_output_dim=20, rope_parameters={"rope_type": "default", "rope_theta": 10000.0}),
        text_config={**TEXT, "num_local_experts": 2, "intermediate_size_mlp": 20, "interleave_moe_layer_step": 2, "no_rope_layer_interval": 2,
                     "attention_chunk_size": 16, "floor_scale": 4},
        image_token_index=30), Llama4ImageProcessor(size={"height": 16, "width": 16}, max_patches=4), 4),
    "gemma3": (T.Gemma3ForConditionalGeneration, T.Gemma3Config(
        vision_config=vision("siglip_vision_model", vision_use_head=False), mm_tokens_per_image=1, image_token_index=30,
        text_config={"model_type": "gemma3_text", **TEXT, "sliding_window": 4, "query_pre_attn_scalar": 8,
                     "layer_types": ["sliding_attention", "full_attention"]}), sized(T.Gemma3ImageProcessorPil), 1),
    # The prompt's tokens see each other: all of a text that is given, and of greedy steps the first text.
    "paligemma2": (T.PaliGemmaForConditionalGeneration, T.PaliGemmaConfig(
        vision_config=vision("siglip_vision_model", vision_use_head=False), image_token_index=30, projection_dim=16,
        text_config={"model_type": "gemma2", **TEXT, "sliding_window": 40, "query_pre_attn_scalar": 8,
                     "layer_types": ["sliding_attention", "full_attention"]}), sized(T.SiglipImageProcessorPil), 9),
    # Tiles: the second picture has two, and itself after them. A text's rows follow from its pictures: see `tokens`.
    "internvl": (T.InternVLForConditionalGeneration, T.InternVLConfig(
        vision_config={**INTERN, "attention_bias": True}, text_config=QWEN2,
        image_token_id=30, tie_word_embeddings=True), tiled(T.GotOcr2ImageProcessorPil, 16), 4),
    "internvl_qwen3": (T.InternVLForConditionalGeneration, T.InternVLConfig(
        vision_config={**INTERN, "image_size": [24, 24], "use_qk_norm": True, "norm_type": "rms_norm"}, text_config=QWEN3, image_token_id=30,
        tie_word_embeddings=False), tiled(T.GotOcr2ImageProcessorPil, 16), 4),
    "internvl_llama": (T.InternVLForConditionalGeneration, T.InternVLConfig(
        vision_config={**INTERN, "num_hidden_layers": 1}, text_config={"model_type": "llama", **TEXT, "num_hidden_layers": 1},
        image_token_id=30, downsample_ratio=0.25, tie_word_embeddings=False), tiled(T.GotOcr2ImageProcessorPil, 16), 1),
    "internvl_qwen3_moe": (T.InternVLForConditionalGeneration, T.InternVLConfig(
        vision_config={**INTERN, "num_hidden_layers": 1}, text_config={
            "model_type": "qwen3_moe", **TEXT, "num_hidden_layers": 1, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 8,
            "norm_topk_prob": True}, image_token_id=30, tie_word_embeddings=False), tiled(T.GotOcr2ImageProcessorPil, 16), 4),
    "internvl_gpt_oss": (T.InternVLForConditionalGeneration, T.InternVLConfig(
        vision_config={**INTERN, "num_hidden_layers": 1}, text_config={
            "model_type": "gpt_oss", **TEXT, "num_local_experts": 4, "num_experts_per_tok": 2, "intermediate_size": 8, "sliding_window": 5},
        image_token_id=30, tie_word_embeddings=False), tiled(T.GotOcr2ImageProcessorPil, 16), 4),
    "aya_vision": (T.AyaVisionForConditionalGeneration, T.AyaVisionConfig(
        vision_config=vision("siglip_vision_model", vision_use_head=False, image_size=16), text_config=COHERE,
        image_token_index=30, alignment_intermediate_size=20), tiled(T.GotOcr2ImageProcessorPil, 16), 4),
    # Pictures of any size. Mistral 3's processor cuts for blocks of 2×2 patches, whatever the file of its image processor says.
    "pixtral": (T.LlavaForConditionalGeneration, T.LlavaConfig(
        vision_config=vision("pixtral", hidden_size=16, hidden_act="silu"), text_config={"model_type": "mistral", **TEXT},
        image_token_index=30, vision_feature_layer=-1, vision_feature_select_strategy="full"),
        T.PixtralImageProcessorPil(size={"longest_edge": 20}, patch_size={"height": 4, "width": 4}), 0),
    "mistral3": (T.Mistral3ForConditionalGeneration, T.Mistral3Config(
        vision_config=vision("pixtral", hidden_size=16), text_config={"model_type": "mistral", **TEXT, "sliding_window": None},
        image_token_index=30), T.PixtralImageProcessorPil(size={"longest_edge": 20}, patch_size={"height": 4, "width": 4}), 0),
    "mistral3_ministral3": (T.Mistral3ForConditionalGeneration, T.Mistral3Config(
        vision_config=vision("pixtral", hidden_size=16), image_token_index=30, multimodal_projector_bias=True,
        text_config={"model_type": "ministral3", **TEXT, "rope_parameters": {
            "rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 32.0,
            "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1}}),
        T.PixtralImageProcessorPil(size={"longest_edge": 20}, patch_size={"height": 4, "width": 4}), 0),
    "llava_mistral": (T.LlavaForConditionalGeneration, T.LlavaConfig(
        vision_config=vision("clip_vision_model"), text_config={"model_type": "mistral", **TEXT, "sliding_window": 7},
        image_token_index=30), ENCODERS["clip"][2], 9),
    "llava_qwen2": (T.LlavaForConditionalGeneration, T.LlavaConfig(
        vision_config=vision("siglip_vision_model", vision_use_head=False), text_config=QWEN2,
        image_token_index=30, vision_feature_layer=-1, vision_feature_select_strategy="full"), ENCODERS["siglip"][2], 9),
    # The whole picture and the tiles of its best resolution; a learned row ends each line.
    "llava_next": (T.LlavaNextForConditionalGeneration, T.LlavaNextConfig(
        vision_config=vision("clip_vision_model"), text_config={"model_type": "llama", **TEXT, "max_position_embeddings": 128},
        image_token_index=30, image_grid_pinpoints=PINPOINTS), T.LlavaNextImageProcessorPil(
            size={"shortest_edge": 12}, crop_size={"height": 12, "width": 12}, image_grid_pinpoints=PINPOINTS), 0),
    "llava_next_mistral": (T.LlavaNextForConditionalGeneration, T.LlavaNextConfig(
        vision_config=vision("clip_vision_model"), text_config={"model_type": "mistral", **TEXT, "max_position_embeddings": 128},
        image_token_index=30, image_grid_pinpoints=PINPOINTS, vision_feature_layer=-1, projector_hidden_act="silu"),
        T.LlavaNextImageProcessorPil(
            size={"shortest_edge": 12}, crop_size={"height": 12, "width": 12}, image_grid_pinpoints=PINPOINTS), 0),
    # Of at most one tile's rows, so that the first picture's are resampled; the pictures of the second text are a tile each.
    "llava_onevision": (T.LlavaOnevisionForConditionalGeneration, T.LlavaOnevisionConfig(
        vision_config=vision("siglip_vision_model", vision_use_head=False),
        text_config={**QWEN2, "max_position_embeddings": 128}, image_token_index=30,
        image_grid_pinpoints=PINPOINTS, vision_aspect_ratio="anyres_max_1"), sized(
            T.LlavaOnevisionImageProcessorPil, image_grid_pinpoints=PINPOINTS), 0),
}
# What a processor of texts and pictures says to its image processor.
SAID = {name: {"patch_size": {"height": 8, "width": 8}} for name in ("mistral3", "mistral3_ministral3")}


def read(name, processor, pictures):
    """What `processor` makes of pictures, and the number of tiles of each."""
    if name == "llava_onevision":
        pictures = [pictures[:1], pictures[1:]] if len(pictures) > 1 else [pictures]
    made = dict(processor(pictures, return_tensors="pt", **SAID.get(name, {})))
    if "aspect_ratios" in made:
        # Of several tiles the whole picture is one more.
        made["num_patches"] = [down * across + (down * across > 1) for down, across in made.pop("aspect_ratios").tolist()]
        made["pixel_values"] = made["pixel_values"].float()
    counts = made.pop("num_patches", None)
    counts = [1] * len(pictures) if counts is None else [int(count) for count in counts]
    if "image_sizes" in made:
        made["image_sizes"] = torch.as_tensor(made["image_sizes"])
    return made, counts


def places(config, given, tiles, rows, features):
    """The tokens of each picture: 30 in the places of rows, and of Pixtral 31 behind each line and 32 behind the last."""
    if rows:
        return [[30] * (rows * count) for count in tiles]
    if "image_grid_pinpoints" in config.to_dict():
        return [[30] * len(rows) for rows in features]
    side = config.vision_config.patch_size * getattr(config, "spatial_merge_size", 1)
    lines = [(height // side, width // side) for height, width in given["image_sizes"].tolist()]
    return [([30] * across + [31]) * (down - 1) + [30] * across + [32] for down, across in lines]


def types(name, ids, prompt):
    """What tells tokens that see each other: those of a picture, or of the prompt."""
    if name == "gemma3":
        return {"token_type_ids": (ids == 30).long()}
    if name == "paligemma2":
        return {"token_type_ids": (torch.arange(ids.shape[1]) >= prompt).long()[None].expand(ids.shape)}
    return {}


for name, (cls, config, processor, rows) in READERS.items():
    if only and name not in only:
        continue
    # One with which no greedy step gives the mark of a picture.
    seed = sum(name.encode()) + {"mistral3": 2, "mistral3_ministral3": 1, "internvl_qwen3": 1, "internvl_qwen3_moe": 2}.get(name, 0)
    model = made(cls, config, seed)
    given, tiles = read(name, processor, PICTURES)
    draw = torch.Generator().manual_seed(seed)
    words = lambda count: torch.randint(3, 30, (count,), generator=draw).tolist()
    features = None
    if "image_grid_pinpoints" in config.to_dict():
        with torch.no_grad():
            features = model.get_image_features(**given, return_dict=True).pooler_output
    picture = places(config, given, tiles, rows, features)
    longer = len(picture[1]) + len(picture[2]) - len(picture[0])
    texts = [words(3) + picture[0] + words(4 + longer), words(2) + picture[1] + words(2) + picture[2] + words(3)]
    with torch.no_grad():
        ids = torch.tensor(texts)
        more = types(name, ids, ids.shape[1])
        result = model(input_ids=ids, **given, **more)
        row = texts[0]
        first = read(name, processor, PICTURES[:1])[0]
        for _ in range(8):
            now = torch.tensor([row])
            more = types(name, now, len(texts[0]))
            row = row + [model(input_ids=now, **first, **more).logits[0, -1].argmax().item()]
    if name.startswith(("llava_next", "llava_onevision")):
        # Rows and columns of tiles of each picture, which are told nowhere else; none of one that is a single tile.
        several = name == "llava_onevision"
        given["tile_grids"] = torch.tensor([
            (0, 0) if several and index else get_anyres_image_grid_shape(size, PINPOINTS, 12)
            for index, size in enumerate(given["image_sizes"].tolist())])
    save(name, model, processor, {"input_ids": ids, **given, "logits": result.logits, "greedy": torch.tensor([row])})
    with open(f"{out}/{name}/words.json", "w") as file:
        json.dump([{"pictures": FILES[:1], "ids": texts[0]}, {"pictures": FILES[1:], "ids": texts[1]}], file)

# One picture for each text. Rows stand in places of the token that fills texts up, of which transformers knows none: GIT puts them before
# the text, and Kosmos-2 is told their places beside it.
LEADING = {
    "git": (T.GitForCausalLM, T.GitConfig(
        vision_config=VIEW, **{key: value for key, value in TEXT.items() if key not in ("num_key_value_heads", "head_dim")}),
        lambda row: {"input_ids": row[:, 10:]}, [], 0, 10, []),
    "kosmos2": (T.Kosmos2ForConditionalGeneration, T.Kosmos2Config(
        vision_config=VIEW, latent_query_num=4, text_config=dict(
            vocab_size=40, embed_dim=16, ffn_dim=24, layers=2, attention_heads=2, max_position_embeddings=64)),
        lambda row: {"input_ids": torch.where(row == 1, 4, row), "image_embeds_position_mask": row == 1}, [0, 33], 1, 4, [34]),
}
for name, (cls, config, told, before, token, rows, after) in LEADING.items():
    if only and name not in only:
        continue
    seed = sum(name.encode())
    model = made(cls, config, seed)
    processor = ENCODERS["clip"][2]
    pixels = processor(PICTURES, return_tensors="pt")["pixel_values"]
    draw = torch.Generator().manual_seed(seed)
    texts = torch.tensor([before + [token] * rows + after + torch.randint(3, 30, (6,), generator=draw).tolist() for _ in FILES])
    with torch.no_grad():
        logits = model(**told(texts), pixel_values=pixels, use_cache=False).logits
        row = texts[:1]
        for _ in range(8):
            last = model(**told(row), pixel_values=pixels[:1], use_cache=False).logits[:, -1:].argmax(-1)
            row = torch.cat([row, last], dim=1)
    save(name, model, processor, {"input_ids": texts, "pixel_values": pixels, "logits": logits, "greedy": row})
    with open(f"{out}/{name}/words.json", "w") as file:
        json.dump([{"pictures": [own], "ids": ids} for own, ids in zip(FILES, texts.tolist())], file)

# Pictures of any size in patches of 2 pixels, of which the means of blocks of 2×2 stand in the text. The first model has vectors of tokens
# for each layer, a layer that reads another's keys, and limits of its encoder's matrices; in the second tokens of a picture see each other.
SOFT = dict(hidden_size=16, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, head_dim=8,
            patch_size=2, pooling_kernel_size=2, position_embedding_size=36)
GEMMA4 = {**TEXT, "max_position_embeddings": 160, "global_head_dim": 16, "vocab_size_per_layer_input": 40, "sliding_window": 12}
KINDS = ["sliding_attention", "full_attention"]
SOFTLY = {
    "gemma4": (T.Gemma4Config(image_token_id=30, vision_config={**SOFT, "use_clipped_linears": True}, text_config={
        **GEMMA4, "num_hidden_layers": 4, "layer_types": KINDS * 2, "num_kv_shared_layers": 2, "hidden_size_per_layer_input": 4})),
    "gemma4_large": (T.Gemma4Config(image_token_id=30, vision_config={**SOFT, "standardize": True}, text_config={
        **GEMMA4, "layer_types": KINDS, "hidden_size_per_layer_input": 0, "use_bidirectional_attention": "vision",
        "attention_k_eq_v": True, "num_global_key_value_heads": 1})),
}
for name, config in SOFTLY.items():
    if only and name not in only:
        continue
    seed = sum(name.encode())
    config.vision_config._attn_implementation = config.text_config._attn_implementation = "eager"
    model = made(T.Gemma4ForConditionalGeneration, config, seed)
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, buffer in model.named_buffers():
            if key.endswith(("_min", "_max")):
                buffer.fill_((-1 if key.endswith("_min") else 1) * (0.5 + torch.rand((), generator=noise)))
            elif "std_" in key:
                buffer.copy_(torch.randn(buffer.shape, generator=noise))
    processor = T.Gemma4ImageProcessorPil(patch_size=2, pooling_kernel_size=2, max_soft_tokens=70)
    given = dict(processor(PICTURES, return_tensors="pt"))
    counts = given.pop("num_soft_tokens_per_image")
    given["pixel_values"] = given["pixel_values"].float()
    draw = torch.Generator().manual_seed(seed)
    words = lambda count: torch.randint(3, 30, (count,), generator=draw).tolist()
    counts = [int(count) for count in counts]
    # All up to the end of a picture is computed at once, where its tokens see each other: more than the 64 tokens of which logits are
    # wanted at once otherwise.
    end = 80 if name == "gemma4_large" else 64
    texts = [words(end - count) + [30] * count + words(6) for count in counts]
    with torch.no_grad():
        ids = torch.tensor(texts)
        logits = model(input_ids=ids, mm_token_type_ids=(ids == 30).int(), use_cache=False, **given).logits
        row = texts[0]
        first = {key: value[:1] for key, value in given.items()}
        for _ in range(8):
            now = torch.tensor([row])
            row = row + [model(input_ids=now, mm_token_type_ids=(now == 30).int(), use_cache=False, **first).logits[0, -1].argmax().item()]
    save(name, model, processor, {"input_ids": ids, **given, "logits": logits, "greedy": torch.tensor([row])})
    with open(f"{out}/{name}/words.json", "w") as file:
        json.dump([{"pictures": [own], "ids": row} for own, row in zip(FILES, texts)], file)

# Pictures of any size: patches of 4 pixels in blocks of 2×2, at least 400 pixels of a picture.
GRID = dict(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
            max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0)
SQUARES = dict(size={"shortest_edge": 400, "longest_edge": 1024}, patch_size=4, merge_size=2)


def turned(sections):
    return {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": sections}


OF_ANY_SIZE = {
    # Windows of 2×2 blocks, whole and in part, and a layer without; a text of two layers.
    "qwen2_5_vl": (T.Qwen2_5_VLForConditionalGeneration, T.Qwen2_5_VLConfig(
        text_config={**GRID, "rope_parameters": turned([2, 1, 1])}, image_token_id=30, video_token_id=31, vision_start_token_id=32,
        vision_end_token_id=33, vision_config=dict(
            depth=3, hidden_size=16, intermediate_size=20, num_heads=2, patch_size=4, window_size=16, out_hidden_size=16,
            fullatt_block_indexes=[1])), T.Qwen2VLImageProcessorPil(**SQUARES)),
    # A table of 3×3 positions for 6×6 and 4×8 patches, two layers of three tapped, one more text layer than taps.
    "qwen3_vl": (T.Qwen3VLForConditionalGeneration, T.Qwen3VLConfig(
        text_config={**GRID, "num_hidden_layers": 3, "head_dim": 8, "rope_parameters": turned([2, 1, 1])}, image_token_id=30,
        video_token_id=31, vision_start_token_id=32, vision_end_token_id=33, vision_config=dict(
            depth=3, hidden_size=16, intermediate_size=20, num_heads=2, patch_size=4, out_hidden_size=16,
            num_position_embeddings=9, deepstack_visual_indexes=[0, 1])), T.Qwen2VLImageProcessorPil(**SQUARES)),
    "glm4v": (T.Glm4vForConditionalGeneration, T.Glm4vConfig(
        text_config={**GRID, "rope_parameters": {**turned([1, 1, 1]), "partial_rotary_factor": 0.75}}, image_token_id=30,
        video_token_id=31, image_start_token_id=32, image_end_token_id=33, video_start_token_id=34, video_end_token_id=35,
        vision_config=dict(depth=2, hidden_size=16, intermediate_size=20, num_heads=2, patch_size=4, out_hidden_size=16,
                           image_size=12)), T.Glm4vImageProcessorPil(**{**SQUARES, "size": {
                               "shortest_edge": 800, "longest_edge": 2048}})),
}
for name, (cls, config, processor) in OF_ANY_SIZE.items():
    if only and name not in only:
        continue
    seed = sum(name.encode())
    model = made(cls, config, seed)
    given = processor(PICTURES, return_tensors="pt")
    pixels, grids = given["pixel_values"], given["image_grid_thw"]
    counts = [int(grid.prod()) // 4 for grid in grids]
    draw = torch.Generator().manual_seed(seed)
    words = lambda count: torch.randint(3, 30, (count,), generator=draw).tolist()
    length = max(counts[0] + 7, counts[1] + counts[2] + 7)
    texts = [words(3) + [30] * counts[0] + words(length - 3 - counts[0]),
             words(2) + [30] * counts[1] + words(2) + [30] * counts[2] + words(length - 4 - counts[1] - counts[2])]
    first = int(grids[0].prod())
    with torch.no_grad():
        ids = torch.tensor(texts)
        result = model(input_ids=ids, pixel_values=pixels, image_grid_thw=grids, mm_token_type_ids=(ids == 30).int())
        row = texts[0]
        for _ in range(8):
            now = torch.tensor([row])
            logits = model(input_ids=now, pixel_values=pixels[:first], image_grid_thw=grids[:1],
                           mm_token_type_ids=(now == 30).int(), use_cache=False).logits
            row = row + [logits[0, -1].argmax().item()]
    save(name, model, processor, {"input_ids": ids, "pixel_values": pixels, "image_grid_thw": grids, "logits": result.logits,
                                  "greedy": torch.tensor([row])})
    with open(f"{out}/{name}/words.json", "w") as file:
        json.dump([{"pictures": FILES[:1], "ids": texts[0]}, {"pictures": FILES[1:], "ids": texts[1]}], file)

if only and "mllama" not in only:
    sys.exit()
# Tiles of a picture together, on canvases with absent ones; tokens before the first picture, two pictures side by side.
from transformers.models.mllama.processing_mllama import convert_sparse_cross_attention_mask_to_dense as dense
from transformers.models.mllama.processing_mllama import get_cross_attention_token_mask as sparse

config = T.MllamaConfig(
    image_token_index=40,
    text_config={**GRID, "num_hidden_layers": 3, "cross_attention_layers": [1], "rope_parameters": {
        "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32}},
    vision_config=dict(hidden_size=12, num_hidden_layers=3, num_global_layers=2, attention_heads=2, intermediate_size=20,
                       image_size=12, patch_size=4, intermediate_layers_indices=[2, 0], vision_output_dim=36))
processor = T.MllamaImageProcessorPil(size={"height": 12, "width": 12}, max_image_tiles=4)
model = made(T.MllamaForConditionalGeneration, config, sum(b"mllama"))
draw = torch.Generator().manual_seed(7)
words = lambda count: torch.randint(3, 30, (count,), generator=draw).tolist()
texts = [words(2) + [40] + words(7), words(1) + [40, 40] + words(2) + [40] + words(4)]
files = [FILES[:1], [FILES[1], FILES[2], FILES[0]]]


def computed(row, pictures):
    given = processor([[Image.open(f"{out}/{name}").convert("RGB") for name in pictures]], return_tensors="pt")
    mask = dense([sparse(row, 40)], num_tiles=given.pop("num_tiles"), max_num_tiles=4, length=len(row))
    with torch.no_grad():
        return given, model(input_ids=torch.tensor([row]), cross_attention_mask=torch.tensor(mask), use_cache=False, **given).logits


results = [computed(row, pictures) for row, pictures in zip(texts, files)]
pixels, numbers = torch.zeros(2, 3, 4, 3, 12, 12), torch.zeros(2, 3, dtype=torch.long)
for index, (given, _) in enumerate(results):
    count = given["pixel_values"].shape[1]
    pixels[index, :count], numbers[index, :count] = given["pixel_values"][0], given["aspect_ratio_ids"][0]
row = texts[0]
for _ in range(8):
    row = row + [computed(row, files[0])[1][0, -1].argmax().item()]
save("mllama", model, processor, {
    "input_ids": torch.tensor(texts), "pixel_values": pixels, "aspect_ratio_ids": numbers,
    "logits": torch.cat([logits for _, logits in results]), "greedy": torch.tensor([row])})
with open(f"{out}/mllama/words.json", "w") as file:
    json.dump([{"pictures": own, "ids": row} for own, row in zip(files, texts)], file)
