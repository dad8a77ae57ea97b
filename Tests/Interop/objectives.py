"""Losses of training objectives and their gradients, as torch 2.13 with transformers 5.23 computes them (float32, eager attention).

    python3 Tests/Interop/objectives.py Tests/Encoders Tests/Towers [NAME …]

Beside three of the encoders: training.safetensors with input_ids and attention_mask, of which some tokens are left out, labels
(-100 where nothing is predicted), loss, and grad.NAME of every tensor that is learned. A very small CLIP and a very small SigLIP with
expected.safetensors: three texts and pictures (of SigLIP two), their vectors, and what CLIP calls logits_per_text and logits_per_image;
training.safetensors has the model's own loss of as many pairs and its gradients, and CLIP's sigmoid.safetensors SigLIP's, which its
paper's Algorithm 1 has without a bias here.
"""
import sys

import torch
import transformers as T
from safetensors.torch import load_file, save_file

MASK, WORDS = 4, 63


def write(folder, model, given, loss, name="training"):
    """The gradients of `loss` under the names of the tensors as they are stored."""
    loss.backward()
    stored = load_file(f"{folder}/model.safetensors")
    tensors = {**given, "loss": loss.detach().reshape(1)}
    for own, parameter in model.named_parameters():
        names = [key for key, value in stored.items() if value.shape == parameter.shape and torch.equal(value, parameter)]
        assert len(names) == 1, (own, names)
        tensors["grad." + names[0]] = (torch.zeros_like(parameter) if parameter.grad is None else parameter.grad).contiguous()
    save_file(tensors, f"{folder}/{name}.safetensors")
    print(folder, loss.item(), len(tensors) - len(given) - 1)


def masked_tokens(folder):
    model = T.AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    expected = load_file(f"{folder}/expected.safetensors")
    ids, mask = expected["input_ids"].clone(), expected["attention_mask"]
    labels = torch.full_like(ids, -100)
    for row, place, read in [(0, 0, MASK), (0, 5, MASK), (0, 6, MASK), (0, 13, None), (0, 21, 7), (1, 2, MASK), (1, 16, MASK)]:
        labels[row, place] = ids[row, place]
        ids[row, place] = ids[row, place] if read is None else read
    given = dict(input_ids=ids, attention_mask=mask)
    write(folder, model, {**given, "labels": labels}, model(**given, labels=labels).loss)


only = sys.argv[3:]
for name in ["bert", "roberta", "modernbert"]:
    if not only or name in only:
        masked_tokens(f"{sys.argv[1]}/{name}")

sizes = dict(num_hidden_layers=2, num_attention_heads=2, intermediate_size=20)


def shaken(model, noise):
    """The model, in which nothing but numbers without an axis is left at its start."""
    with torch.no_grad():
        for _, tensor in sorted(model.named_parameters()):
            if tensor.dim():
                tensor.add_(torch.randn(tensor.shape, generator=noise) * (0.15 if tensor.dim() > 1 else 0.2))
    return model


def expect(folder, given, result):
    save_file({**given, **{key: result[key].detach().contiguous() for key in (
        "text_embeds", "image_embeds", "logits_per_text", "logits_per_image")}}, f"{folder}/expected.safetensors")


def clip(folder):
    """A very small CLIP with three texts of unlike lengths about three pictures; both losses of all pairs and their gradients."""
    torch.manual_seed(7)
    config = T.CLIPConfig(
        text_config=dict(**sizes, vocab_size=40, hidden_size=16, max_position_embeddings=12, eos_token_id=3, bos_token_id=1, pad_token_id=0),
        vision_config=dict(**sizes, hidden_size=12, image_size=12, patch_size=4), projection_dim=10, logit_scale_init_value=1.5)
    config._attn_implementation = "eager"
    noise = torch.Generator().manual_seed(7)
    model = shaken(T.CLIPModel(config).eval(), noise)
    model.save_pretrained(folder)
    T.CLIPImageProcessor(size={"shortest_edge": 12}, crop_size={"height": 12, "width": 12}).save_pretrained(folder)
    ids = torch.randint(4, 40, (3, 9), generator=noise)
    mask = torch.zeros_like(ids)
    for row, length in enumerate([9, 5, 7]):
        ids[row, 0], ids[row, length - 1], mask[row, :length] = 1, 3, 1
        ids[row, length:] = 0
    pixels = torch.randn(3, 3, 12, 12, generator=noise)
    given = dict(input_ids=ids, attention_mask=mask, pixel_values=pixels)
    result = model(**given, return_loss=True)
    expect(folder, given, result)
    write(folder, model, {}, result.loss)
    model.zero_grad()
    products = model(**given).logits_per_text
    signs = 2 * torch.eye(3) - 1
    write(folder, model, {}, -torch.nn.functional.logsigmoid(signs * products).sum() / 3, "sigmoid")


def siglip(folder):
    """A very small SigLIP, whose text is wider than its pictures, with three texts and two pictures; the loss of two pairs and its gradients."""
    torch.manual_seed(9)
    config = T.SiglipConfig(
        text_config=dict(**sizes, vocab_size=40, hidden_size=16, max_position_embeddings=9, projection_size=12),
        vision_config=dict(**sizes, hidden_size=12, image_size=12, patch_size=4))
    config._attn_implementation = "eager"
    noise = torch.Generator().manual_seed(9)
    model = shaken(T.SiglipModel(config).eval(), noise)
    with torch.no_grad():
        model.logit_scale.fill_(1.2)
        model.logit_bias.fill_(-1.5)
    model.save_pretrained(folder)
    T.SiglipImageProcessor(size={"height": 12, "width": 12}).save_pretrained(folder)
    # Texts are filled up with token 1, and the last one stands for them.
    ids = torch.randint(3, 40, (3, 9), generator=noise)
    for row, length in enumerate([9, 5, 7]):
        ids[row, length:] = 1
    given = dict(input_ids=ids, pixel_values=torch.randn(2, 3, 12, 12, generator=noise))
    expect(folder, given, model(**given))
    given["input_ids"] = ids[:2]
    write(folder, model, {}, model(**given, return_loss=True).loss)


for name, make in {"clip": clip, "siglip": siglip}.items():
    if len(sys.argv) > 2 and (not only or name in only):
        make(f"{sys.argv[2]}/{name}")
