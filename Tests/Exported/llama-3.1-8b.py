"""llama-3.1-8b: 8,030,261,248 parameters.

Written by `chimera export llama-3.1-8b`. Tensors are named as in model.safetensors;
shapes in comments are [batch, tokens, …].
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocab_size: int = 128256
    context_length: int = 131072
    hidden_size: int = 4096
    num_layers: int = 32
    num_heads: int = 32
    num_kv_heads: int = 8
    head_dim: int = 128
    mlp_size: int = 14336
    norm_eps: float = 1e-05
    rotary_dim: int = 128
    rope_theta: float = 500000.0


def scaled_rope_angles(positions, width, theta):
    """Cosines and sines of position·frequency, [tokens, 1, width / 2]: low ones divided, high ones kept."""
    i = torch.arange(0, width, 2, dtype=torch.float64, device=positions.device)
    frequencies = theta ** -(i / width)
    waves = 8192 * frequencies / (2 * math.pi)  # in the original context
    kept = ((waves - 1.0) / 3.0).clamp(0, 1)
    frequencies = (1 - kept) * frequencies / 8.0 + kept * frequencies
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

    q, k, v: [batch, tokens, heads, width]; query heads share the heads of k and v.
    """
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    T, S = q.size(2), k.size(2)
    # All tokens at once see those before them; a single new one sees every key.
    mask = None
    if 1 < T < S:
        mask = torch.ones(T, S, dtype=torch.bool, device=q.device).tril(S - T)
    y = F.scaled_dot_product_attention(
        q, k, v, mask, is_causal=T == S, scale=scale, enable_gqa=True
    )
    return y.transpose(1, 2)


def keep(cache, **rows):
    """These rows after those of earlier tokens."""
    for name, new in rows.items():
        if cache is not None:
            rows[name] = torch.cat([cache[name], new], dim=1) if name in cache else new
            cache[name] = rows[name]
    return rows.values()


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        heads_width = config.num_heads * config.head_dim
        kv_heads_width = config.num_kv_heads * config.head_dim
        self.num_heads = config.num_heads
        self.num_kv_heads = config.num_kv_heads
        self.q = nn.Linear(config.hidden_size, heads_width, bias=False)
        self.k = nn.Linear(config.hidden_size, kv_heads_width, bias=False)
        self.v = nn.Linear(config.hidden_size, kv_heads_width, bias=False)
        self.o = nn.Linear(heads_width, config.hidden_size, bias=False)

    def forward(self, x, rope, cache=None):
        q = rotate(self.q(x).unflatten(-1, (self.num_heads, -1)), rope)
        k = rotate(self.k(x).unflatten(-1, (self.num_kv_heads, -1)), rope)
        v = self.v(x).unflatten(-1, (self.num_kv_heads, -1))
        return self.o(attend(q, *keep(cache, k=k, v=v), scale=0.088388346).flatten(-2))


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
    """llama-3.1-8b: tokens to logits."""

    def __init__(self, config=None):
        super().__init__()
        config = config or Config()
        self.rotary_dim = config.rotary_dim
        self.rope_theta = config.rope_theta
        self.embed = nn.ModuleDict(
            {"tokens": nn.Embedding(config.vocab_size, config.hidden_size)}
        )
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.final_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    @torch.no_grad()
    def init_weights(self):
        """Starts training anew; a model made on the meta device goes `to_empty` first."""
        for name, tensor in self.named_parameters():
            if name.endswith("norm.weight"):
                nn.init.ones_(tensor)
            else:
                nn.init.normal_(tensor, std=0.02)

    def forward(self, tokens, cache=None):
        """Logits [batch, tokens, vocab_size] of tokens that follow those in `cache`."""
        start = 0 if cache is None else cache.length
        positions = torch.arange(start, start + tokens.size(1), device=tokens.device)
        x = self.embed.tokens(tokens)
        rope = scaled_rope_angles(positions, self.rotary_dim, self.rope_theta)
        caches = [None] * len(self.layers) if cache is None else cache.layers
        for layer, kept in zip(self.layers, caches):
            x = layer(x, rope, kept)
        if cache is not None:
            cache.length += tokens.size(1)
        return self.head(self.final_norm(x))

    def loss(self, tokens, targets):
        """The mean loss of the tokens' successors, in nats; -1 is none."""
        logits = self(tokens).float().flatten(0, 1)
        return F.cross_entropy(logits, targets.flatten(), ignore_index=-1)

    @torch.no_grad()
    def generate(self, tokens, count, temperature=0.0):
        """`tokens` and `count` more; the likeliest ones at a temperature of 0."""
        cache = Cache(len(self.layers))
        new = tokens
        for _ in range(count):
            logits = self(new, cache)[:, -1]
            new = logits.argmax(-1, keepdim=True)
            if temperature:
                new = torch.multinomial((logits / temperature).softmax(-1), 1)
            tokens = torch.cat([tokens, new], dim=1)
        return tokens
