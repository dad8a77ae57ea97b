"""The gradients of a very small LLaVA, of an image classifier and of a very small Llama 3.2 Vision, as torch with transformers 5.23 computes
them (float32, eager attention; the first two by torch 2.15, the last by 2.13).

    python3 Tests/Interop/picture_gradients.py Tests/Pictures [NAME …]

Beside each model of Tests/Pictures that has a loss: training.safetensors with the loss and grad.NAME of every tensor that is read.
The loss of LLaVA and of Llama 3.2 Vision is the mean over the tokens behind the picture of the first text; ViT's that of the pictures'
classes, 0, 1 and 2. No gate is zero, or what stands behind it had no gradient.
"""
import json
import sys

import torch
import transformers as T
from safetensors.torch import load_file, save_file
from transformers.models.mllama.processing_mllama import convert_sparse_cross_attention_mask_to_dense as dense
from transformers.models.mllama.processing_mllama import get_cross_attention_token_mask as sparse

out, only = sys.argv[1], sys.argv[2:]


def write(name, model, loss):
    loss.backward()
    stored = load_file(f"{out}/{name}/model.safetensors")
    # The names that save_pretrained writes are those of the tensors of the same numbers.
    tensors = {"loss": loss.detach().reshape(1)}
    for own, parameter in model.named_parameters():
        if parameter.grad is None:
            continue
        names = [key for key, value in stored.items() if value.shape == parameter.shape and torch.equal(value, parameter)]
        assert len(names) == 1, (own, names)
        tensors["grad." + names[0]] = parameter.grad.contiguous()
    save_file(tensors, f"{out}/{name}/training.safetensors")
    print(name, loss.item(), len(tensors) - 1)


def expected(name, cls):
    """The model of a folder, and what is said of its pictures and of its first text."""
    model = cls.from_pretrained(f"{out}/{name}", dtype=torch.float32, attn_implementation="eager").eval()
    return model, load_file(f"{out}/{name}/expected.safetensors")


def first(name, token):
    """The first text, its labels and its number of pictures: what stands behind the last place of a picture is learned."""
    text = json.load(open(f"{out}/{name}/words.json"))[0]
    ids = torch.tensor([text["ids"]])
    labels = ids.clone()
    labels[0, : (ids[0] == token).nonzero().max().item() + 1] = -100
    return ids, labels, len(text["pictures"])


def llava():
    model, given = expected("llava", T.LlavaForConditionalGeneration)
    ids, labels, count = first("llava", model.config.image_token_id)
    write("llava", model, model(input_ids=ids, pixel_values=given["pixel_values"][:count], labels=labels).loss)


def vit():
    model, given = expected("vit", T.ViTForImageClassification)
    pixels = given["pixel_values"]
    write("vit", model, torch.nn.functional.cross_entropy(model(pixel_values=pixels).logits, torch.arange(len(pixels))))


def mllama():
    model, given = expected("mllama", T.MllamaForConditionalGeneration)
    token = model.config.image_token_index
    ids, labels, count = first("mllama", token)
    pixels, numbers = given["pixel_values"][:1, :count], given["aspect_ratio_ids"][:1, :count]
    # A canvas of rows times columns of tiles, which are the first of the four.
    shapes = model.config.vision_config.supported_aspect_ratios
    used = [shapes[number - 1][0] * shapes[number - 1][1] for number in numbers[0].tolist()]
    tiles = torch.tensor([[[int(tile < count) for tile in range(pixels.shape[2])] for count in used]])
    mask = dense([sparse(ids[0].tolist(), token)], num_tiles=[used], max_num_tiles=pixels.shape[2], length=ids.shape[1])
    loss = model(input_ids=ids, labels=labels, pixel_values=pixels, aspect_ratio_ids=numbers, aspect_ratio_mask=tiles,
                 cross_attention_mask=torch.tensor(mask), use_cache=False).loss
    write("mllama", model, loss)


for name, make in {"llava": llava, "vit": vit, "mllama": mllama}.items():
    if not only or name in only:
        make()
