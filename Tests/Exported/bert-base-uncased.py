"""bert-base-uncased: 109,514,298 parameters.

Written by `chimera export bert-base-uncased`. Tensors are named as in
model.safetensors; shapes in comments are [batch, tokens, …].
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocab_size: int = 30522
    context_length: int = 512
    hidden_size: int = 768
    num_layers: int = 12
    num_heads: int = 12
    head_dim: int = 64
    mlp_size: int = 3072
    norm_eps: float = 1e-12
    num_types: int = 2
    num_positions: int = 512


def attend_all(q, k, v, scale):
    """y = softmax(scale·q·kᵀ)·v, over all keys.

    q, k, v: [batch, rows, heads, width].
    """
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    y = F.scaled_dot_product_attention(q, k, v, scale=scale)
    return y.transpose(1, 2)


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.num_heads = config.num_heads
        self.q = nn.Linear(config.hidden_size, config.num_heads * config.head_dim)
        self.k = nn.Linear(config.hidden_size, config.num_heads * config.head_dim)
        self.v = nn.Linear(config.hidden_size, config.num_heads * config.head_dim)
        self.o = nn.Linear(config.num_heads * config.head_dim, config.hidden_size)

    def forward(self, x):
        q = self.q(x).unflatten(-1, (self.num_heads, -1))
        k = self.k(x).unflatten(-1, (self.num_heads, -1))
        v = self.v(x).unflatten(-1, (self.num_heads, -1))
        return self.o(attend_all(q, k, v, scale=0.125).flatten(-2))


class MLP(nn.Module):
    """y = act(x·Wupᵀ)·Wdownᵀ"""

    def __init__(self, config):
        super().__init__()
        self.up = nn.Linear(config.hidden_size, config.mlp_size)
        self.down = nn.Linear(config.mlp_size, config.hidden_size)

    def forward(self, x):
        return self.down(F.gelu(self.up(x)))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attn = Attention(config)
        self.attn_post_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.mlp = MLP(config)
        self.mlp_post_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)

    def forward(self, x):
        h = self.attn_post_norm(x + self.attn(x))
        return self.mlp_post_norm(h + self.mlp(h))


class Model(nn.Module):
    """bert-base-uncased: tokens to logits."""

    def __init__(self, config=None):
        super().__init__()
        config = config or Config()
        self.embed = nn.ModuleDict(
            {
                "tokens": nn.Embedding(config.vocab_size, config.hidden_size),
                "types": nn.Embedding(config.num_types, config.hidden_size),
                "positions": nn.Embedding(config.num_positions, config.hidden_size),
                "norm": nn.LayerNorm(config.hidden_size, eps=config.norm_eps),
            }
        )
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.head = nn.Module()
        self.head.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.head.norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.head.bias = nn.Parameter(torch.empty(30522))

    @torch.no_grad()
    def init_weights(self):
        """Starts training anew; a model made on the meta device goes `to_empty` first."""
        for name, tensor in self.named_parameters():
            if name.endswith("norm.weight"):
                nn.init.ones_(tensor)
            elif name.endswith("bias"):
                nn.init.zeros_(tensor)
            else:
                nn.init.normal_(tensor, std=0.02)

    def forward(self, tokens, types=None):
        """Logits [batch, tokens, vocab_size].

        types: 0, and 1 in the second of two texts, [batch, tokens].
        """
        types = torch.zeros_like(tokens) if types is None else types
        positions = torch.arange(tokens.size(1), device=tokens.device)
        x = self.embed.tokens(tokens) + self.embed.types(types)
        x = self.embed.norm(x + self.embed.positions(positions))
        for layer in self.layers:
            x = layer(x)
        dense = self.head.norm(F.gelu(self.head.dense(x)))
        return F.linear(dense, self.embed.tokens.weight, self.head.bias)

    def loss(self, tokens, targets, types=None):
        """The mean loss of what should stand in the tokens' places, in nats; -1 is none."""
        logits = self(tokens, types).float().flatten(0, 1)
        return F.cross_entropy(logits, targets.flatten(), ignore_index=-1)
