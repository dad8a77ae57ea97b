"""The gradients of a very small LLaVA and of an image classifier, as torch 2.15 with transformers 5.23 computes them (float32, eager attention).

    python3 Tests/Interop/picture_gradients.py Tests/Pictures

Beside each model of Tests/Pictures that has a loss: training.safetensors with the loss and grad.NAME of every tensor that is read.
LLaVA's loss is the mean over the tokens behind the picture of its first text; ViT's that of the pictures' classes, 0, 1 and 2.
"""
import json
import sys

import torch
import transformers as T
from PIL import Image
from safetensors.torch import load_file, save_file

out = sys.argv[1]


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


model = T.LlavaForConditionalGeneration.from_pretrained(f"{out}/llava", dtype=torch.float32, attn_implementation="eager").eval()
expected = load_file(f"{out}/llava/expected.safetensors")
text = json.load(open(f"{out}/llava/words.json"))[0]
ids = torch.tensor([text["ids"]])
pixels = expected["pixel_values"][: len(text["pictures"])]
labels = ids.clone()
last = (ids[0] == model.config.image_token_id).nonzero().max().item()
labels[0, : last + 1] = -100
write("llava", model, model(input_ids=ids, pixel_values=pixels, labels=labels).loss)

model = T.ViTForImageClassification.from_pretrained(f"{out}/vit", dtype=torch.float32, attn_implementation="eager").eval()
pixels = load_file(f"{out}/vit/expected.safetensors")["pixel_values"]
write("vit", model, torch.nn.functional.cross_entropy(model(pixel_values=pixels).logits, torch.arange(len(pixels))))
