"""gpt2: 124,439,808 parameters.

Written by `chimera export gpt2`. Tensors are named as in model.safetensors; shapes in
comments are [batch, tokens, …].
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocab_size: int = 50257
    context_length: int = 1024
    hidden_size: int = 768
    num_layers: int = 12
    num_heads: int = 12
    head_dim: int = 64
    mlp_size: int = 3072
    norm_eps: float = 1e-05
    num_positions: int = 1024


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


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.num_heads = config.num_heads
        self.q = nn.Linear(config.hidden_size, config.num_heads * config.head_dim)
        self.k = nn.Linear(config.hidden_size, config.num_heads * config.head_dim)
        self.v = nn.Linear(config.hidden_size, config.num_heads * config.head_dim)
        self.o = nn.Linear(config.num_heads * config.head_dim, config.hidden_size)

    def forward(self, x, cache=None):
        q = self.q(x).unflatten(-1, (self.num_heads, -1))
        k = self.k(x).unflatten(-1, (self.num_heads, -1))
        v = self.v(x).unflatten(-1, (self.num_heads, -1))
        return self.o(attend(q, *keep(cache, k=k, v=v), scale=0.125).flatten(-2))


class MLP(nn.Module):
    """y = act(x·Wupᵀ)·Wdownᵀ"""

    def __init__(self, config):
        super().__init__()
        self.up = nn.Linear(config.hidden_size, config.mlp_size)
        self.down = nn.Linear(config.mlp_size, config.hidden_size)

    def forward(self, x):
        return self.down(F.gelu(self.up(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attn_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.attn = Attention(config)
        self.mlp_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.mlp = MLP(config)

    def forward(self, x, cache=None):
        x = x + self.attn(self.attn_norm(x), cache)
        return x + self.mlp(self.mlp_norm(x))


class Cache:
    """What decoding keeps of a text: its length, and what each layer reads again."""

    def __init__(self, count):
        self.length = 0
        self.layers = [{} for _ in range(count)]


class Model(nn.Module):
    """gpt2: tokens to logits."""

    def __init__(self, config=None):
        super().__init__()
        config = config or Config()
        self.embed = nn.ModuleDict(
            {
                "tokens": nn.Embedding(config.vocab_size, config.hidden_size),
                "positions": nn.Embedding(config.num_positions, config.hidden_size),
            }
        )
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.final_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)

    @torch.no_grad()
    def init_weights(self):
        """Starts training anew; a model made on the meta device goes `to_empty` first."""
        for name, tensor in self.named_parameters():
            if name.endswith("norm.weight"):
                nn.init.ones_(tensor)
            elif name.endswith("bias"):
                nn.init.zeros_(tensor)
            elif name.endswith(("o.weight", "down.weight")):
                nn.init.normal_(tensor, std=0.004082483)
            else:
                nn.init.normal_(tensor, std=0.02)

    def forward(self, tokens, cache=None):
        """Logits [batch, tokens, vocab_size] of tokens that follow those in `cache`."""
        start = 0 if cache is None else cache.length
        positions = torch.arange(start, start + tokens.size(1), device=tokens.device)
        x = self.embed.tokens(tokens) + self.embed.positions(positions)
        caches = [None] * len(self.layers) if cache is None else cache.layers
        for layer, kept in zip(self.layers, caches):
            x = layer(x, kept)
        if cache is not None:
            cache.length += tokens.size(1)
        return F.linear(self.final_norm(x), self.embed.tokens.weight)

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
