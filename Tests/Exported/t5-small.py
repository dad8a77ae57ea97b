"""t5-small: 60,506,624 parameters.

Written by `chimera export t5-small`. Tensors are named as in model.safetensors; shapes
in comments are [batch, tokens, …].
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocab_size: int = 32128
    context_length: int = 512
    hidden_size: int = 512
    num_layers: int = 6
    source_num_heads: int = 8
    source_hidden_size: int = 512
    source_head_dim: int = 64
    source_mlp_size: int = 2048
    source_norm_eps: float = 1e-06
    source_num_layers: int = 6
    num_heads: int = 8
    head_dim: int = 64
    mlp_size: int = 2048
    norm_eps: float = 1e-06


def relative_bias(query, key, table):
    """table[bucket(key − query)], [heads, tokens, keys]: distances share buckets, the wider the farther."""
    n = (query - key).abs()
    far = torch.log(n.clamp(min=1).float() / 8) / math.log(128 / 8)
    far = 8 + (far * 8).long()
    bucket = torch.where(n < 8, n, far.clamp(max=15))
    bucket = bucket + 16 * (key > query)
    return table[bucket].permute(2, 0, 1)


def attend_all(q, k, v, scale, bias=None):
    """y = softmax(scale·q·kᵀ + bias)·v, over all keys.

    q, k, v: [batch, rows, heads, width].
    """
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    query = torch.arange(q.size(2), device=q.device)[:, None]
    key = torch.arange(k.size(2), device=q.device)
    mask = None
    if bias is not None:
        mask = bias(query, key).to(q.dtype)
    y = F.scaled_dot_product_attention(q, k, v, mask, scale=scale)
    return y.transpose(1, 2)


def relative_bias2(query, key, table):
    """table[bucket(key − query)], [heads, tokens, keys]: distances share buckets, the wider the farther."""
    n = (query - key).clamp(min=0)
    far = torch.log(n.clamp(min=1).float() / 16) / math.log(128 / 16)
    far = 16 + (far * 16).long()
    bucket = torch.where(n < 16, n, far.clamp(max=31))
    return table[bucket].permute(2, 0, 1)


def attend(q, k, v, scale, positions=None, bias=None):
    """y = softmax(scale·q·kᵀ + bias)·v, over the keys up to a query's own.

    q, k, v: [batch, tokens, heads, width].
    """
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    T, S = q.size(2), k.size(2)
    query = positions[:, None]
    key = positions[-1] + 1 - S + torch.arange(S, device=q.device)
    seen = query >= key
    mask = torch.zeros(T, S, device=q.device) if bias is None else bias(query, key)
    mask = mask.masked_fill(~seen, float("-inf")).to(q.dtype)
    y = F.scaled_dot_product_attention(q, k, v, mask, scale=scale)
    return y.transpose(1, 2)


def keep(cache, **rows):
    """These rows after those of earlier tokens."""
    for name, new in rows.items():
        if cache is not None:
            rows[name] = torch.cat([cache[name], new], dim=1) if name in cache else new
            cache[name] = rows[name]
    return rows.values()


class SourceAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.num_heads = config.source_num_heads
        self.q = nn.Linear(
            config.source_hidden_size,
            config.source_num_heads * config.source_head_dim,
            bias=False,
        )
        self.k = nn.Linear(
            config.source_hidden_size,
            config.source_num_heads * config.source_head_dim,
            bias=False,
        )
        self.v = nn.Linear(
            config.source_hidden_size,
            config.source_num_heads * config.source_head_dim,
            bias=False,
        )
        self.o = nn.Linear(
            config.source_num_heads * config.source_head_dim,
            config.source_hidden_size,
            bias=False,
        )

    def forward(self, x, relative):
        q = self.q(x).unflatten(-1, (self.num_heads, -1))
        k = self.k(x).unflatten(-1, (self.num_heads, -1))
        v = self.v(x).unflatten(-1, (self.num_heads, -1))
        y = attend_all(
            q,
            k,
            v,
            scale=1.0,
            bias=lambda query, key: relative_bias(query, key, relative),
        )
        return self.o(y.flatten(-2))


class SourceMLP(nn.Module):
    """y = act(x·Wupᵀ)·Wdownᵀ"""

    def __init__(self, config):
        super().__init__()
        self.up = nn.Linear(
            config.source_hidden_size, config.source_mlp_size, bias=False
        )
        self.down = nn.Linear(
            config.source_mlp_size, config.source_hidden_size, bias=False
        )

    def forward(self, x):
        return self.down(F.relu(self.up(x)))


class SourceBlock(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attn_norm = nn.RMSNorm(
            config.source_hidden_size, eps=config.source_norm_eps
        )
        self.attn = SourceAttention(config)
        self.mlp_norm = nn.RMSNorm(
            config.source_hidden_size, eps=config.source_norm_eps
        )
        self.mlp = SourceMLP(config)

    def forward(self, x, relative):
        x = x + self.attn(self.attn_norm(x), relative)
        return x + self.mlp(self.mlp_norm(x))


class SourceStack(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.layers = nn.ModuleList(
            SourceBlock(config) for _ in range(config.source_num_layers)
        )
        self.relative = nn.ParameterDict({"weight": nn.Parameter(torch.empty(32, 8))})
        self.final_norm = nn.RMSNorm(
            config.source_hidden_size, eps=config.source_norm_eps
        )

    def forward(self, x):
        for layer in self.layers:
            x = layer(x, self.relative.weight)
        return self.final_norm(x)


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        heads_width = config.num_heads * config.head_dim
        self.num_heads = config.num_heads
        self.q = nn.Linear(config.hidden_size, heads_width, bias=False)
        self.k = nn.Linear(config.hidden_size, heads_width, bias=False)
        self.v = nn.Linear(config.hidden_size, heads_width, bias=False)
        self.o = nn.Linear(heads_width, config.hidden_size, bias=False)

    def forward(self, x, relative, positions, cache=None):
        q = self.q(x).unflatten(-1, (self.num_heads, -1))
        k = self.k(x).unflatten(-1, (self.num_heads, -1))
        v = self.v(x).unflatten(-1, (self.num_heads, -1))
        keys, values = keep(cache, k=k, v=v)
        y = attend(
            q,
            keys,
            values,
            scale=1.0,
            positions=positions,
            bias=lambda query, key: relative_bias2(query, key, relative),
        )
        return self.o(y.flatten(-2))


class CrossAttention(nn.Module):
    """q = x·Wqᵀ, k = s·Wkᵀ, v = s·Wvᵀ
    y = softmax(cap(scale·q·kᵀ))·v·Woᵀ
    s: what the stack gives, all its rows seen
    """

    def __init__(self, config):
        super().__init__()
        heads_width = config.num_heads * config.head_dim
        self.num_heads = config.num_heads
        self.q = nn.Linear(config.hidden_size, heads_width, bias=False)
        self.k = nn.Linear(config.hidden_size, heads_width, bias=False)
        self.v = nn.Linear(config.hidden_size, heads_width, bias=False)
        self.o = nn.Linear(heads_width, config.hidden_size, bias=False)

    def forward(self, x, source):
        q = self.q(x).unflatten(-1, (self.num_heads, -1))
        k = self.k(source).unflatten(-1, (self.num_heads, -1))
        v = self.v(source).unflatten(-1, (self.num_heads, -1))
        return self.o(attend_all(q, k, v, scale=1.0).flatten(-2))


class MLP(nn.Module):
    """y = act(x·Wupᵀ)·Wdownᵀ"""

    def __init__(self, config):
        super().__init__()
        self.up = nn.Linear(config.hidden_size, config.mlp_size, bias=False)
        self.down = nn.Linear(config.mlp_size, config.hidden_size, bias=False)

    def forward(self, x):
        return self.down(F.relu(self.up(x)))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attn_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.attn = Attention(config)
        self.cross_attn_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.cross_attn = CrossAttention(config)
        self.mlp_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.mlp = MLP(config)

    def forward(self, x, source, relative, positions, cache=None):
        x = x + self.attn(self.attn_norm(x), relative, positions, cache)
        x = x + self.cross_attn(self.cross_attn_norm(x), source)
        return x + self.mlp(self.mlp_norm(x))


class Cache:
    """What decoding keeps of a text: its length, and what each layer reads again, and the states of its source."""

    def __init__(self, count):
        self.length = 0
        self.layers = [{} for _ in range(count)]
        self.source = None


class Model(nn.Module):
    """t5-small: a source's tokens and tokens to logits."""

    def __init__(self, config=None):
        super().__init__()
        config = config or Config()
        self.source = SourceStack(config)
        self.embed = nn.ModuleDict(
            {"tokens": nn.Embedding(config.vocab_size, config.hidden_size)}
        )
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.relative = nn.ParameterDict({"weight": nn.Parameter(torch.empty(32, 8))})
        self.final_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)

    @torch.no_grad()
    def init_weights(self):
        """Starts training anew; a model made on the meta device goes `to_empty` first."""
        for name, tensor in self.named_parameters():
            if name.endswith("norm.weight"):
                nn.init.ones_(tensor)
            else:
                nn.init.normal_(tensor, std=0.02)

    def forward(self, tokens, source, cache=None):
        """Logits [batch, tokens, vocab_size] of tokens that follow those in `cache`.

        source: [batch, its tokens].
        """
        start = 0 if cache is None else cache.length
        positions = torch.arange(start, start + tokens.size(1), device=tokens.device)
        if cache is None or cache.source is None:
            source = self.source(self.embed.tokens(source))
        else:
            source = cache.source
        if cache is not None:
            cache.source = source
        x = F.embedding(tokens, self.embed.tokens.weight)
        caches = [None] * len(self.layers) if cache is None else cache.layers
        for layer, kept in zip(self.layers, caches):
            x = layer(x, source, self.relative.weight, positions, kept)
        logits = 0.044194173 * F.linear(self.final_norm(x), self.embed.tokens.weight)
        if cache is not None:
            cache.length += tokens.size(1)
        return logits

    def loss(self, tokens, targets, source):
        """The mean loss of the tokens' successors, in nats; -1 is none."""
        logits = self(tokens, source).float().flatten(0, 1)
        return F.cross_entropy(logits, targets.flatten(), ignore_index=-1)

    @torch.no_grad()
    def generate(self, tokens, source, count, temperature=0.0):
        """`tokens` and `count` more; the likeliest ones at a temperature of 0."""
        cache = Cache(len(self.layers))
        new = tokens
        for _ in range(count):
            logits = self(new, source, cache)[:, -1]
            new = logits.argmax(-1, keepdim=True)
            if temperature:
                new = torch.multinomial((logits / temperature).softmax(-1), 1)
            tokens = torch.cat([tokens, new], dim=1)
        return tokens
