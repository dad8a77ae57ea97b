"""gpt-oss-20b: 20,914,757,184 parameters.

Written by `chimera export gpt-oss-20b`. Tensors are named as in model.safetensors;
shapes in comments are [batch, tokens, …].
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocab_size: int = 201088
    context_length: int = 131072
    hidden_size: int = 2880
    num_layers: int = 24
    num_heads: int = 64
    num_kv_heads: int = 8
    head_dim: int = 64
    top_k: int = 4
    num_experts: int = 32
    expert_size: int = 2880
    norm_eps: float = 1e-05
    rotary_dim: int = 64
    rope_theta: float = 150000.0


def scaled_rope_angles(positions, width, theta):
    """Cosines and sines of position·frequency, [tokens, 1, width / 2]: low ones divided, high ones kept, warmer."""
    i = torch.arange(0, width, 2, dtype=torch.float64, device=positions.device)
    frequencies = theta ** -(i / width)
    # From the pair that turns 32.0 times in 4096 tokens to that of 1.0.
    divided = ((i / 2 - 8.092779115512402) / 9.305245386076157).clamp(0, 1)
    frequencies = frequencies / 32.0 * divided + frequencies * (1 - divided)
    angles = positions[..., None, None] * frequencies
    return (1.3465735902799727 * angles.cos()).float(), (
        1.3465735902799727 * angles.sin()
    ).float()


def rotate(x, angles):
    """The pairs (i, i + half) of each head, turned by their angles."""
    cos, sin = angles[0].to(x.dtype), angles[1].to(x.dtype)
    half = cos.size(-1)
    a, b = x[..., :half], x[..., half : 2 * half]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


def attend(q, k, v, scale, window=None, sinks=None):
    """y = softmax(scale·q·kᵀ)·v, over the keys up to a query's own.

    q, k, v: [batch, tokens, heads, width]; query heads share the heads of k and v.
    A window is the number of keys that a query sees, its own included.
    A sink is a score that takes weight and adds no value.
    """
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    T, S = q.size(2), k.size(2)
    query = torch.arange(S - T, S, device=q.device)[:, None]
    key = torch.arange(S, device=q.device)
    seen = query >= key
    if window is not None:
        seen = seen & (query - key < window)
    k = k.repeat_interleave(q.size(1) // k.size(1), dim=1)
    v = v.repeat_interleave(q.size(1) // v.size(1), dim=1)
    scores = scale * q @ k.transpose(-2, -1)
    scores = scores.masked_fill(~seen, float("-inf"))
    if sinks is not None:
        sink = sinks.view(-1, 1, 1).expand(*scores.shape[:-1], 1)
        scores = torch.cat([scores, sink], dim=-1)
    y = scores.softmax(-1, dtype=torch.float32)[..., :S].to(v.dtype) @ v
    return y.transpose(1, 2)


def keep(cache, window=None, **rows):
    """These rows after those of earlier tokens; of a window, only its rows stay."""
    for name, new in rows.items():
        if cache is not None:
            rows[name] = torch.cat([cache[name], new], dim=1) if name in cache else new
            cache[name] = rows[name] if window is None else rows[name][:, -window:]
    return rows.values()


def route(logits, top_k):
    """The experts that each token is sent to, and what their results weigh."""
    scores = logits.float()
    choice = scores.topk(top_k, -1).indices
    weights = scores.gather(-1, choice).softmax(-1)
    return weights.to(logits.dtype), choice


class ExpertLinear(nn.Module):
    """y[t, j] = W_e·x[t, j] + b_e for e = choice[t, j]: a matrix for each expert."""

    def __init__(self, experts, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(experts, outputs, inputs))
        self.bias = nn.Parameter(torch.empty(experts, outputs))

    def forward(self, x, choice):
        # x: [batch, tokens, choices or 1, inputs]; choice: [batch, tokens, choices]
        x = x.expand(*choice.shape, -1)
        if torch.compiler.is_compiling() and all(
            n % 8 == 0 for n in self.weight.shape[1:]
        ):
            return self.grouped(x, choice)
        y = x.new_zeros(*choice.shape, self.weight.size(1))
        for expert in choice.unique().tolist():
            rows = choice == expert
            y[rows] = F.linear(x[rows], self.weight[expert], self.bias[expert])
        return y

    def grouped(self, x, choice):
        """The same in a graph, whose shapes are fixed: all rows, in the order of their experts."""
        flat = choice.flatten()
        experts = torch.arange(self.weight.size(0), device=x.device)
        order = flat.argsort()
        ends = (flat == experts[:, None]).sum(1).cumsum(0, dtype=torch.int32)
        y = (
            F.grouped_mm(x.flatten(0, -2)[order], self.weight.mT.to(x.dtype), offs=ends)
            + self.bias[flat[order]]
        )
        return y[order.argsort()].unflatten(0, choice.shape)


def quick_gelu(x):
    """y = x·σ(1.702·x)"""
    return x * torch.sigmoid(1.702 * x)


class Attention(nn.Module):
    def __init__(self, config, window):
        super().__init__()
        self.num_heads = config.num_heads
        self.num_kv_heads = config.num_kv_heads
        self.window = window
        self.q = nn.Linear(config.hidden_size, config.num_heads * config.head_dim)
        self.k = nn.Linear(config.hidden_size, config.num_kv_heads * config.head_dim)
        self.v = nn.Linear(config.hidden_size, config.num_kv_heads * config.head_dim)
        self.sinks = nn.Parameter(torch.empty(64))
        self.o = nn.Linear(config.num_heads * config.head_dim, config.hidden_size)

    def forward(self, x, rope, cache=None):
        q = rotate(self.q(x).unflatten(-1, (self.num_heads, -1)), rope)
        k = rotate(self.k(x).unflatten(-1, (self.num_kv_heads, -1)), rope)
        v = self.v(x).unflatten(-1, (self.num_kv_heads, -1))
        keys, values = keep(cache, self.window, k=k, v=v)
        y = attend(q, keys, values, scale=0.125, window=self.window, sinks=self.sinks)
        return self.o(y.flatten(-2))


class MoE(nn.Module):
    """y = Σ_j w_j·E_j(x)  (+ σ(x·Wsgᵀ)·S(x))
    E(x) = (act(x·Wgateᵀ) ⊙ x·Wupᵀ)·Wdownᵀ  (w, j) = router(softcap(x·Wrᵀ + b))
    """

    def __init__(self, config):
        super().__init__()
        self.top_k = config.top_k
        self.router = nn.Linear(config.hidden_size, config.num_experts)
        self.experts = nn.ModuleDict(
            {
                "gate": ExpertLinear(
                    config.num_experts, config.hidden_size, config.hidden_size
                ),
                "up": ExpertLinear(
                    config.num_experts, config.hidden_size, config.hidden_size
                ),
                "down": ExpertLinear(
                    config.num_experts, config.expert_size, config.expert_size
                ),
            }
        )

    def forward(self, x):
        weights, choice = route(self.router(x), self.top_k)
        gate = quick_gelu(self.experts.gate(x.unsqueeze(-2), choice).clamp(max=7.0))
        gate = gate * (self.experts.up(x.unsqueeze(-2), choice).clamp(-7.0, 7.0) + 1.0)
        return (weights.unsqueeze(-1) * self.experts.down(gate, choice)).sum(-2)


class SlidingAttentionBlock(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attn_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.attn = Attention(config, window=128)
        self.mlp_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.moe = MoE(config)

    def forward(self, x, rope, cache=None):
        x = x + self.attn(self.attn_norm(x), rope, cache)
        return x + self.moe(self.mlp_norm(x))


class AttentionBlock(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attn_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.attn = Attention(config, window=None)
        self.mlp_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.moe = MoE(config)

    def forward(self, x, rope, cache=None):
        x = x + self.attn(self.attn_norm(x), rope, cache)
        return x + self.moe(self.mlp_norm(x))


class Cache:
    """What decoding keeps of a text: its length, and what each layer reads again."""

    def __init__(self, count):
        self.length = 0
        self.layers = [{} for _ in range(count)]


class Model(nn.Module):
    """gpt-oss-20b: tokens to logits."""

    def __init__(self, config=None):
        super().__init__()
        config = config or Config()
        self.rotary_dim = config.rotary_dim
        self.rope_theta = config.rope_theta
        self.embed = nn.ModuleDict(
            {"tokens": nn.Embedding(config.vocab_size, config.hidden_size)}
        )
        kinds = [SlidingAttentionBlock] * config.num_layers
        for i in range(1, 24, 2):
            kinds[i] = AttentionBlock
        self.layers = nn.ModuleList(kind(config) for kind in kinds)
        self.final_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    @torch.no_grad()
    def init_weights(self):
        """Starts training anew; a model made on the meta device goes `to_empty` first."""
        for name, tensor in self.named_parameters():
            if name.endswith("norm.weight"):
                nn.init.ones_(tensor)
            elif name.endswith(("bias", "sinks")):
                nn.init.zeros_(tensor)
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
