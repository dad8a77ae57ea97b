"""jamba-style: 147,004,024 parameters.

Written by `chimera export jamba-style`. Tensors are named as in model.safetensors;
shapes in comments are [batch, tokens, …].
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocab_size: int = 32000
    context_length: int = 1024
    hidden_size: int = 768
    num_layers: int = 8
    conv_kernel: int = 4
    norm_eps: float = 1e-05
    mlp_size: int = 2048
    top_k: int = 2
    num_experts: int = 8
    head_dim: int = 64


class CausalConvolution(nn.Module):
    """Each channel a weighted sum of its last tokens: y_t = Σ_j w_j ⊙ x_{t−k+1+j} + b."""

    def __init__(self, channels, kernel):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, kernel))
        self.bias = nn.Parameter(torch.empty(channels))

    def forward(self, x, cache=None):
        kept = self.weight.size(1) - 1
        none = x.new_zeros(x.size(0), kept, x.size(2))
        x = torch.cat([(cache or {}).get("conv", none), x], dim=1)
        if cache is not None:
            cache["conv"] = x[:, -kept:]
        y = F.conv1d(x.mT, self.weight.unsqueeze(1), self.bias, groups=x.size(2))
        return y.mT


def steps(dt, a_log):
    """Each head's step, and the logarithm of what its state keeps over it."""
    step = F.softplus(dt)
    return step, -torch.exp(a_log) * step


def linear_attend(q, k, v, g, cache=None, chunk=64):
    """S_t = exp(g_t)·S_{t−1} + k_t·v_tᵀ;  y_t = q_t·S_t, a chunk of tokens at a time.

    q, k, v: [batch, tokens, heads, width]; heads of v share those of q and k. g: [batch, tokens, heads].
    With c the sums of g over a chunk and S the state before it,
    y_t = Σ_{s≤t} exp(c_t − c_s)·(q_t·k_s)·v_s + exp(c_t)·q_t·S.
    """
    q, k = (x.repeat_interleave(v.size(2) // x.size(2), dim=2) for x in (q, k))
    none = v.new_zeros(v.size(0), v.size(2), k.size(3), v.size(3))
    state = (cache or {}).get("state", none)
    outputs = []
    for start in range(0, q.size(1), chunk):
        qs, ks, vs, gs = (x[:, start : start + chunk] for x in (q, k, v, g))
        c = gs.cumsum(1)  # [batch, tokens, heads]
        n = c.size(1)
        later = torch.ones(n, n, dtype=torch.bool, device=c.device).triu(1)
        decay = c.unsqueeze(2) - c.unsqueeze(1)  # [batch, t, s, heads]
        decay = decay.masked_fill(later.unsqueeze(-1), float("-inf")).exp()
        scores = torch.einsum("bthd,bshd->btsh", qs, ks) * decay
        y = torch.einsum("btsh,bshv->bthv", scores, vs)
        y = y + torch.einsum("bthd,bhdv->bthv", qs * c.exp().unsqueeze(-1), state)
        outputs.append(y)
        rest = (c[:, -1:] - c).exp().unsqueeze(-1)
        state = state * c[:, -1].exp()[..., None, None]
        state = state + torch.einsum("bshd,bshv->bhdv", ks * rest, vs)
    if cache is not None:
        cache["state"] = state
    return torch.cat(outputs, dim=1)


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


class Mamba2(nn.Module):
    """z, xBC, dt = projections of the token
    x, B, C = act(convolution(xBC))
    Δ = softplus(dt), within min_step and max_step
    S_t = exp(−exp(a_log)·Δ_t)·S_{t−1} + Δ_t·B_t·x_tᵀ
    y = norm(act(z) ⊙ (C_t·S_t + d·x_t))·Woᵀ
    """

    def __init__(self, config):
        super().__init__()
        self.num_heads = 24
        self.gate = nn.Linear(config.hidden_size, 1536, bias=False)
        self.xbc = nn.Linear(config.hidden_size, 1664, bias=False)
        self.dt = nn.Linear(config.hidden_size, 24)
        self.conv = CausalConvolution(1664, config.conv_kernel)
        self.a_log = nn.Parameter(torch.empty(24))
        self.d = nn.Parameter(torch.empty(24))
        self.sub_norm = nn.RMSNorm(1536, eps=config.norm_eps)
        self.o = nn.Linear(1536, config.hidden_size, bias=False)

    def forward(self, x, cache=None):
        xbc = F.silu(self.conv(self.xbc(x), cache))
        xbc1, xbc2, xbc3 = xbc.split((1536, 64, 64), dim=-1)
        step, g = steps(self.dt(x), self.a_log)
        v = xbc1.unflatten(-1, (self.num_heads, -1)) * step.unsqueeze(-1)
        y = linear_attend(xbc3.unsqueeze(-2), xbc2.unsqueeze(-2), v, g, cache)
        y = y + self.d.unsqueeze(-1) * xbc1.unflatten(-1, (self.num_heads, -1))
        return self.o(self.sub_norm(F.silu(self.gate(x)) * y.flatten(-2)))


class MLP(nn.Module):
    """y = (act(x·Wgateᵀ) ⊙ x·Wupᵀ)·Wdownᵀ"""

    def __init__(self, config):
        super().__init__()
        self.gate = nn.Linear(config.hidden_size, config.mlp_size, bias=False)
        self.up = nn.Linear(config.hidden_size, config.mlp_size, bias=False)
        self.down = nn.Linear(config.mlp_size, config.hidden_size, bias=False)

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
                "gate": ExpertLinear(config.num_experts, config.hidden_size, 1024),
                "up": ExpertLinear(config.num_experts, config.hidden_size, 1024),
                "down": ExpertLinear(config.num_experts, 1024, 768),
            }
        )

    def forward(self, x):
        weights, choice = route(self.router(x), self.top_k)
        gate = F.silu(self.experts.gate(x.unsqueeze(-2), choice))
        gate = gate * self.experts.up(x.unsqueeze(-2), choice)
        return (weights.unsqueeze(-1) * self.experts.down(gate, choice)).sum(-2)


class Mamba2MoEBlock(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attn_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.attn = Mamba2(config)
        self.mlp_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.moe = MoE(config)

    def forward(self, x, cache=None):
        x = x + self.attn(self.attn_norm(x), cache)
        return x + self.moe(self.mlp_norm(x))


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.num_heads = 12
        self.q = nn.Linear(config.hidden_size, 12 * config.head_dim, bias=False)
        self.k = nn.Linear(config.hidden_size, 12 * config.head_dim, bias=False)
        self.v = nn.Linear(config.hidden_size, 12 * config.head_dim, bias=False)
        self.o = nn.Linear(12 * config.head_dim, config.hidden_size, bias=False)

    def forward(self, x, cache=None):
        q = self.q(x).unflatten(-1, (self.num_heads, -1))
        k = self.k(x).unflatten(-1, (self.num_heads, -1))
        v = self.v(x).unflatten(-1, (self.num_heads, -1))
        return self.o(attend(q, *keep(cache, k=k, v=v), scale=0.125).flatten(-2))


class MLPBlock(nn.Module):
    def __init__(self, config, attn):
        super().__init__()
        self.attn_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.attn = attn(config)
        self.mlp_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
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
    """jamba-style: tokens to logits."""

    def __init__(self, config=None):
        super().__init__()
        config = config or Config()
        self.embed = nn.ModuleDict(
            {"tokens": nn.Embedding(config.vocab_size, config.hidden_size)}
        )
        kinds = [(Mamba2MoEBlock,)] * config.num_layers
        for i in (0, 2, 6):
            kinds[i] = (MLPBlock, Mamba2)
        kinds[4] = (MLPBlock, Attention)
        self.layers = nn.ModuleList(block(config, *parts) for block, *parts in kinds)
        self.final_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)

    @torch.no_grad()
    def init_weights(self):
        """Starts training anew; a model made on the meta device goes `to_empty` first."""
        for name, tensor in self.named_parameters():
            if name.endswith(("norm.weight", "d")):
                nn.init.ones_(tensor)
            elif name.endswith("dt.bias"):
                steps = torch.logspace(-2.9583333, -1.0416666, 24)  # their softplus
                tensor.copy_(steps.expm1().log())
            elif name.endswith(("conv.weight", "conv.bias")):
                nn.init.uniform_(tensor, -0.5, 0.5)
            elif name.endswith("a_log"):
                tensor.copy_(torch.arange(1, 25).log())
            else:
                nn.init.normal_(tensor, std=0.02)

    def forward(self, tokens, cache=None):
        """Logits [batch, tokens, vocab_size] of tokens that follow those in `cache`."""
        x = self.embed.tokens(tokens)
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
