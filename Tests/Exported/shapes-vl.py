"""shapes-vl: 1,441,664 parameters.

Written by `chimera export shapes-vl`. Tensors are named as in model.safetensors; shapes
in comments are [batch, tokens, …].
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocab_size: int = 384
    context_length: int = 128
    hidden_size: int = 128
    num_layers: int = 2
    image_num_heads: int = 4
    image_hidden_size: int = 128
    image_head_dim: int = 32
    image_mlp_size: int = 512
    image_norm_eps: float = 1e-05
    image_patch_size: int = 8
    image_embed_size: int = 192
    image_num_positions: int = 64
    image_num_layers: int = 4
    num_heads: int = 4
    head_dim: int = 32
    mlp_size: int = 352
    norm_eps: float = 1e-05
    rotary_dim: int = 32
    rope_theta: float = 10000.0


def attend_all(q, k, v, scale):
    """y = softmax(scale·q·kᵀ)·v, over all keys.

    q, k, v: [batch, rows, heads, width].
    """
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    y = F.scaled_dot_product_attention(q, k, v, scale=scale)
    return y.transpose(1, 2)


def blocks(x, window):
    """The rows of square pictures in blocks of window²: [batch, blocks, window², width]."""
    side = math.isqrt(x.size(1))
    count = side // window
    x = x.unflatten(1, (side, side))[:, : count * window, : count * window]
    x = x.unflatten(2, (count, window)).unflatten(1, (count, window))
    return x.transpose(2, 3).flatten(3, 4).flatten(1, 2)


def cut(pixels, size):
    """The squares of pictures, row by row: [batch, rows, channels·size²]."""
    assert pixels.size(2) == pixels.size(3), "pictures are square here"
    x = pixels.unfold(2, size, size).unfold(3, size, size)
    return x.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)


def replace(x, rows, places):
    """x with the rows of all pictures, in order, where `places` is true; x where there are none."""
    if rows is None:
        return x
    return x.masked_scatter(places.unsqueeze(-1), rows.to(x.dtype))


def rope_angles(positions, width, theta):
    """Cosines and sines of position·frequency, [tokens, 1, width / 2]: theta^(−2i/width)."""
    i = torch.arange(0, width, 2, dtype=torch.float64, device=positions.device)
    frequencies = theta ** -(i / width)
    angles = positions[..., None, None] * frequencies
    return angles.cos().float(), angles.sin().float()


def rotate(x, angles):
    """The pairs (i, i + half) of each head, turned by their angles."""
    cos, sin = angles[0].to(x.dtype), angles[1].to(x.dtype)
    half = cos.size(-1)
    a, b = x[..., :half], x[..., half : 2 * half]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


def attend(q, k, v, scale):
    """y = softmax(scale·q·kᵀ)·v, over the keys up to a query's own.

    q, k, v: [batch, tokens, heads, width].
    """
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    T, S = q.size(2), k.size(2)
    # All tokens at once see those before them; a single new one sees every key.
    mask = None
    if 1 < T < S:
        mask = torch.ones(T, S, dtype=torch.bool, device=q.device).tril(S - T)
    y = F.scaled_dot_product_attention(q, k, v, mask, is_causal=T == S, scale=scale)
    return y.transpose(1, 2)


def keep(cache, **rows):
    """These rows after those of earlier tokens."""
    for name, new in rows.items():
        if cache is not None:
            rows[name] = torch.cat([cache[name], new], dim=1) if name in cache else new
            cache[name] = rows[name]
    return rows.values()


class ImageAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.num_heads = config.image_num_heads
        self.q = nn.Linear(
            config.image_hidden_size, config.image_num_heads * config.image_head_dim
        )
        self.k = nn.Linear(
            config.image_hidden_size, config.image_num_heads * config.image_head_dim
        )
        self.v = nn.Linear(
            config.image_hidden_size, config.image_num_heads * config.image_head_dim
        )
        self.o = nn.Linear(
            config.image_num_heads * config.image_head_dim, config.image_hidden_size
        )

    def forward(self, x):
        q = self.q(x).unflatten(-1, (self.num_heads, -1))
        k = self.k(x).unflatten(-1, (self.num_heads, -1))
        v = self.v(x).unflatten(-1, (self.num_heads, -1))
        return self.o(attend_all(q, k, v, scale=0.17677669).flatten(-2))


class ImageMLP(nn.Module):
    """y = act(x·Wupᵀ)·Wdownᵀ"""

    def __init__(self, config):
        super().__init__()
        self.up = nn.Linear(config.image_hidden_size, config.image_mlp_size)
        self.down = nn.Linear(config.image_mlp_size, config.image_hidden_size)

    def forward(self, x):
        return self.down(F.gelu(self.up(x)))


class ImageBlock(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attn_norm = nn.LayerNorm(
            config.image_hidden_size, eps=config.image_norm_eps
        )
        self.attn = ImageAttention(config)
        self.mlp_norm = nn.LayerNorm(
            config.image_hidden_size, eps=config.image_norm_eps
        )
        self.mlp = ImageMLP(config)

    def forward(self, x):
        x = x + self.attn(self.attn_norm(x))
        return x + self.mlp(self.mlp_norm(x))


class ImageStack(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.patch_size = config.image_patch_size
        self.embed = nn.ModuleDict(
            {
                "patches": nn.Linear(config.image_embed_size, config.image_hidden_size),
                "positions": nn.Embedding(
                    config.image_num_positions, config.image_hidden_size
                ),
            }
        )
        self.layers = nn.ModuleList(
            ImageBlock(config) for _ in range(config.image_num_layers)
        )
        self.final_norm = nn.LayerNorm(
            config.image_hidden_size, eps=config.image_norm_eps
        )
        self.project = nn.ModuleDict(
            {"in": nn.Linear(512, 256), "out": nn.Linear(256, config.image_hidden_size)}
        )

    def forward(self, pixel_values):
        rows = cut(pixel_values, self.patch_size)
        positions = torch.arange(rows.size(1), device=rows.device)
        x = self.embed.patches(rows) + self.embed.positions(positions)
        for layer in self.layers:
            x = layer(x)
        h = F.gelu(self.project["in"](blocks(self.final_norm(x), 2).flatten(2)))
        return self.project.out(h)


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        heads_width = config.num_heads * config.head_dim
        self.num_heads = config.num_heads
        self.q = nn.Linear(config.hidden_size, heads_width, bias=False)
        self.k = nn.Linear(config.hidden_size, heads_width, bias=False)
        self.v = nn.Linear(config.hidden_size, heads_width, bias=False)
        self.o = nn.Linear(heads_width, config.hidden_size, bias=False)

    def forward(self, x, rope, cache=None):
        q = rotate(self.q(x).unflatten(-1, (self.num_heads, -1)), rope)
        k = rotate(self.k(x).unflatten(-1, (self.num_heads, -1)), rope)
        v = self.v(x).unflatten(-1, (self.num_heads, -1))
        return self.o(attend(q, *keep(cache, k=k, v=v), scale=0.17677669).flatten(-2))


class MLP(nn.Module):
    """y = (act(x·Wgateᵀ) ⊙ x·Wupᵀ)·Wdownᵀ"""

    def __init__(self, config):
        super().__init__()
        self.gate = nn.Linear(config.hidden_size, config.mlp_size, bias=False)
        self.up = nn.Linear(config.hidden_size, config.mlp_size, bias=False)
        self.down = nn.Linear(config.mlp_size, config.hidden_size, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attn_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.attn = Attention(config)
        self.mlp_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.mlp = MLP(config)

    def forward(self, x, rope, cache=None):
        x = x + self.attn(self.attn_norm(x), rope, cache)
        return x + self.mlp(self.mlp_norm(x))


class Cache:
    """What decoding keeps of a text: its length, and what each layer reads again."""

    def __init__(self, count):
        self.length = 0
        self.layers = [{} for _ in range(count)]


class Model(nn.Module):
    """shapes-vl: pictures and tokens to logits."""

    def __init__(self, config=None):
        super().__init__()
        config = config or Config()
        self.image = ImageStack(config)
        self.rotary_dim = config.rotary_dim
        self.rope_theta = config.rope_theta
        self.embed = nn.ModuleDict(
            {"tokens": nn.Embedding(config.vocab_size, config.hidden_size)}
        )
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.final_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)

    @torch.no_grad()
    def init_weights(self):
        """Starts training anew; a model made on the meta device goes `to_empty` first."""
        for name, tensor in self.named_parameters():
            if name.startswith("image."):
                if name.endswith("bias"):
                    nn.init.zeros_(tensor)
                elif name.endswith("norm.weight"):
                    nn.init.ones_(tensor)
                else:
                    nn.init.normal_(tensor, std=0.02)
            else:
                if name.endswith("norm.weight"):
                    nn.init.ones_(tensor)
                else:
                    nn.init.normal_(tensor, std=0.02)

    def forward(self, tokens, pixel_values=None, cache=None):
        """Logits [batch, tokens, vocab_size] of tokens that follow those in `cache`.

        pixel_values: [pictures, channels, height, width].
        """
        start = 0 if cache is None else cache.length
        positions = torch.arange(start, start + tokens.size(1), device=tokens.device)
        image = None if pixel_values is None else self.image(pixel_values)
        x = replace(self.embed.tokens(tokens), image, tokens == 1)
        rope = rope_angles(positions, self.rotary_dim, self.rope_theta)
        caches = [None] * len(self.layers) if cache is None else cache.layers
        for layer, kept in zip(self.layers, caches):
            x = layer(x, rope, kept)
        if cache is not None:
            cache.length += tokens.size(1)
        return F.linear(self.final_norm(x), self.embed.tokens.weight)

    def loss(self, tokens, targets, pixel_values=None):
        """The mean loss of the tokens' successors, in nats; -1 is none."""
        logits = self(tokens, pixel_values).float().flatten(0, 1)
        return F.cross_entropy(logits, targets.flatten(), ignore_index=-1)

    @torch.no_grad()
    def generate(self, tokens, count, temperature=0.0, pixel_values=None):
        """`tokens` and `count` more; the likeliest ones at a temperature of 0."""
        cache = Cache(len(self.layers))
        new = tokens
        for _ in range(count):
            logits = self(new, pixel_values, cache)[:, -1]
            pixel_values = None
            new = logits.argmax(-1, keepdim=True)
            if temperature:
                new = torch.multinomial((logits / temperature).softmax(-1), 1)
            tokens = torch.cat([tokens, new], dim=1)
        return tokens
