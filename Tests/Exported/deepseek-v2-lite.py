"""deepseek-v2-lite: 15,706,484,224 parameters.

Written by `chimera export deepseek-v2-lite`. Tensors are named as in model.safetensors;
shapes in comments are [batch, tokens, …].
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocab_size: int = 102400
    context_length: int = 163840
    hidden_size: int = 2048
    num_layers: int = 27
    num_heads: int = 16
    num_kv_heads: int = 1
    latent_size: int = 512
    norm_eps: float = 1e-06
    head_dim: int = 128
    mlp_size: int = 10944
    shared_size: int = 2816
    top_k: int = 6
    num_experts: int = 64
    rotary_dim: int = 64
    rope_theta: float = 10000.0


def scaled_rope_angles(positions, width, theta):
    """Cosines and sines of position·frequency, [tokens, 1, width / 2]: low ones divided, high ones kept, warmer."""
    i = torch.arange(0, width, 2, dtype=torch.float64, device=positions.device)
    frequencies = theta ** -(i / width)
    # From the pair that turns 32.0 times in 4096 tokens to that of 1.0.
    divided = ((i / 2 - 10.0) / 13.0).clamp(0, 1)
    frequencies = frequencies / 40.0 * divided + frequencies * (1 - divided)
    angles = positions[..., None, None] * frequencies
    return angles.cos().float(), angles.sin().float()


def rotate(x, angles):
    """The pairs (2i, 2i + 1) of each head, turned by their angles."""
    cos, sin = angles[0].to(x.dtype), angles[1].to(x.dtype)
    half = cos.size(-1)
    a, b = x[..., 0 : 2 * half : 2], x[..., 1 : 2 * half : 2]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2)


def attend(q, k, width, scale):
    """y = softmax(scale·q·kᵀ)·v, over the keys up to a query's own.

    q, k, v: [batch, tokens, heads, width]; query heads share the heads of k and v.
    The values are the first `width` numbers of the keys.
    """
    q, k = q.transpose(1, 2), k.transpose(1, 2)
    v = k[..., :width]
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


def route(logits, top_k):
    """The experts that each token is sent to, and what their results weigh."""
    scores = logits.float().softmax(-1)
    choice = scores.topk(top_k, -1).indices
    weights = scores.gather(-1, choice)
    return weights.to(logits.dtype), choice


class ExpertLinear(nn.Module):
    """y[t, j] = W_e·x[t, j] for e = choice[t, j]: a matrix for each expert."""

    def __init__(self, experts, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(experts, outputs, inputs))

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
            y[rows] = F.linear(x[rows], self.weight[expert])
        return y

    def grouped(self, x, choice):
        """The same in a graph, whose shapes are fixed: all rows, in the order of their experts."""
        flat = choice.flatten()
        experts = torch.arange(self.weight.size(0), device=x.device)
        order = flat.argsort()
        ends = (flat == experts[:, None]).sum(1).cumsum(0, dtype=torch.int32)
        y = F.grouped_mm(x.flatten(0, -2)[order], self.weight.mT.to(x.dtype), offs=ends)
        return y[order.argsort()].unflatten(0, choice.shape)


class LatentAttention(nn.Module):
    """c = norm(x·Waᵀ), r = rope(x·Wrᵀ)
    k_h = (Wk_h·c, r), v_h = Wv_h·c
    q_h = (n_h, rope(p_h))
    y = softmax(scale·q·kᵀ)·v·Woᵀ, over the tokens before
    scale = 1/√(nope_head_dim + rope_head_dim)
    """

    def __init__(self, config):
        super().__init__()
        self.num_heads = config.num_heads
        self.num_kv_heads = config.num_kv_heads
        self.q = nn.Linear(config.hidden_size, 3072, bias=False)
        self.kv_b = nn.Linear(config.latent_size, config.num_heads * 256, bias=False)
        self.kv_a = nn.Linear(config.hidden_size, 576, bias=False)
        self.kv_a_norm = nn.RMSNorm(512, eps=config.norm_eps)
        self.o = nn.Linear(
            config.num_heads * config.head_dim, config.hidden_size, bias=False
        )

    def forward(self, x, rope, cache=None):
        q1, q2 = self.q(x).unflatten(-1, (16, -1)).split((128, 64), dim=-1)
        kv_b = torch.einsum(
            "bthi,hir->bthr",
            q1,
            self.kv_b.weight.unflatten(0, (self.num_heads, -1))[:, :128],
        )
        kv_a1, kv_a2 = self.kv_a(x).split((512, 64), dim=-1)
        kv_a2 = rotate(kv_a2.unsqueeze(-2), rope)
        q = torch.cat([kv_b, rotate(q2, rope)], dim=-1)
        k = torch.cat([self.kv_a_norm(kv_a1), kv_a2.flatten(-2)], dim=-1).unflatten(
            -1, (self.num_kv_heads, -1)
        )
        y = attend(q, *keep(cache, k=k), 512, scale=0.11472139)
        kv_b = torch.einsum(
            "bthr,hir->bthi",
            y,
            self.kv_b.weight.unflatten(0, (self.num_heads, -1))[:, 128:],
        )
        return self.o(kv_b.flatten(-2))


class MLP(nn.Module):
    """y = (act(x·Wgateᵀ) ⊙ x·Wupᵀ)·Wdownᵀ"""

    def __init__(self, config):
        super().__init__()
        self.gate = nn.Linear(config.hidden_size, config.mlp_size, bias=False)
        self.up = nn.Linear(config.hidden_size, config.mlp_size, bias=False)
        self.down = nn.Linear(config.mlp_size, config.hidden_size, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class MLPBlock(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attn_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.attn = LatentAttention(config)
        self.mlp_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.mlp = MLP(config)

    def forward(self, x, rope, cache=None):
        x = x + self.attn(self.attn_norm(x), rope, cache)
        return x + self.mlp(self.mlp_norm(x))


class SharedExpert(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.gate = nn.Linear(config.hidden_size, config.shared_size, bias=False)
        self.up = nn.Linear(config.hidden_size, config.shared_size, bias=False)
        self.down = nn.Linear(config.shared_size, config.hidden_size, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class MoE(nn.Module):
    """y = Σ_j w_j·E_j(x)  (+ σ(x·Wsgᵀ)·S(x))
    E(x) = (act(x·Wgateᵀ) ⊙ x·Wupᵀ)·Wdownᵀ  (w, j) = router(softcap(x·Wrᵀ + b))
    """

    def __init__(self, config):
        super().__init__()
        self.top_k = config.top_k
        self.router = nn.Linear(config.hidden_size, config.num_experts, bias=False)
        self.experts = nn.ModuleDict(
            {
                "gate": ExpertLinear(config.num_experts, config.hidden_size, 1408),
                "up": ExpertLinear(config.num_experts, config.hidden_size, 1408),
                "down": ExpertLinear(config.num_experts, 1408, 2048),
            }
        )
        self.shared = SharedExpert(config)

    def forward(self, x):
        weights, choice = route(self.router(x), self.top_k)
        gate = F.silu(self.experts.gate(x.unsqueeze(-2), choice))
        gate = gate * self.experts.up(x.unsqueeze(-2), choice)
        y = (weights.unsqueeze(-1) * self.experts.down(gate, choice)).sum(-2)
        return y + self.shared(x)


class MoEBlock(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attn_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.attn = LatentAttention(config)
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
    """deepseek-v2-lite: tokens to logits."""

    def __init__(self, config=None):
        super().__init__()
        config = config or Config()
        self.rotary_dim = config.rotary_dim
        self.rope_theta = config.rope_theta
        self.embed = nn.ModuleDict(
            {"tokens": nn.Embedding(config.vocab_size, config.hidden_size)}
        )
        kinds = [MoEBlock] * config.num_layers
        kinds[0] = MLPBlock
        self.layers = nn.ModuleList(kind(config) for kind in kinds)
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
