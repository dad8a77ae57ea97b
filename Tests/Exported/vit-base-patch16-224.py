"""vit-base-patch16-224: 86,567,656 parameters.

Written by `chimera export vit-base-patch16-224`. Tensors are named as in
model.safetensors; shapes in comments are [batch, tokens, …].
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    hidden_size: int = 768
    num_layers: int = 12
    num_heads: int = 12
    head_dim: int = 64
    mlp_size: int = 3072
    norm_eps: float = 1e-12
    patch_size: int = 16
    num_positions: int = 197


def with_first(x, row):
    """x with `row` in the place of the first row of each picture."""
    return torch.cat([row.expand(x.size(0), 1, -1), x[:, 1:]], dim=1)


def attend_all(q, k, v, scale):
    """y = softmax(scale·q·kᵀ)·v, over all keys.

    q, k, v: [batch, rows, heads, width].
    """
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    y = F.scaled_dot_product_attention(q, k, v, scale=scale)
    return y.transpose(1, 2)


def cut(pixels, size, before):
    """The squares of pictures, row by row, behind rows of zeros: [batch, rows, channels·size²]."""
    assert pixels.size(2) == pixels.size(3), "pictures are square here"
    x = pixels.unfold(2, size, size).unfold(3, size, size)
    x = x.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
    return F.pad(x, (0, 0, before, 0))


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
        self.attn_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.attn = Attention(config)
        self.mlp_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.mlp = MLP(config)

    def forward(self, x):
        x = x + self.attn(self.attn_norm(x))
        return x + self.mlp(self.mlp_norm(x))


class Model(nn.Module):
    """vit-base-patch16-224: pictures to scores of classes."""

    def __init__(self, config=None):
        super().__init__()
        config = config or Config()
        self.patch_size = config.patch_size
        self.embed = nn.ModuleDict(
            {
                "patches": nn.Linear(config.hidden_size, config.hidden_size),
                "class": nn.ParameterDict({"weight": nn.Parameter(torch.empty(768))}),
                "positions": nn.Embedding(config.num_positions, config.hidden_size),
            }
        )
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.final_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.head = nn.Linear(config.hidden_size, 1000)

    @torch.no_grad()
    def init_weights(self):
        """Starts training anew; a model made on the meta device goes `to_empty` first."""
        for name, tensor in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(tensor)
            elif name.endswith("norm.weight"):
                nn.init.ones_(tensor)
            else:
                nn.init.normal_(tensor, std=0.02)

    def forward(self, pixel_values):
        """Scores [batch, classes].

        pixel_values: [batch, channels, height, width].
        """
        rows = cut(pixel_values, self.patch_size, 1)
        positions = torch.arange(rows.size(1), device=rows.device)
        x = with_first(self.embed.patches(rows), self.embed["class"].weight)
        x = x + self.embed.positions(positions)
        for layer in self.layers:
            x = layer(x)
        x = x[:, 0]
        return self.head(self.final_norm(x))
