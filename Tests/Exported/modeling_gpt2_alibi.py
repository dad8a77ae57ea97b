"""gpt2-alibi: 123,653,376 parameters.

Written by `chimera export gpt2-alibi --to hf` for transformers 5.23 and later. Shapes
in comments are [batch, tokens, …].
"""

import torch
import torch.nn.functional as F
from torch import nn
from transformers import GenerationMixin, PreTrainedModel
from transformers import initialization as init
from transformers.cache_utils import DynamicCache
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import (
    BaseModelOutputWithPast,
    CausalLMOutputWithPast,
)
from transformers.utils.generic import can_return_tuple

from .configuration_gpt2_alibi import Gpt2AlibiConfig


def attend(q, k, v, cache, layer_idx, positions, key_positions, scale, bias=None):
    """y = softmax(scale·q·kᵀ + bias)·v, over the keys up to a query's own.

    q, k, v: [batch, tokens, heads, width]. A key at a position below zero is padding.
    """
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    if cache is not None:
        k, v = cache.update(k, v, layer_idx)
    S = k.size(2)
    query = positions[:, None, :, None]
    key = key_positions[:, None, None, -S:]
    seen = (key >= 0) & (key <= query)
    mask = query.new_zeros(1) if bias is None else bias(query, key)
    mask = mask.float().masked_fill(~seen, float("-inf")).to(q.dtype)
    y = F.scaled_dot_product_attention(q, k, v, mask, scale=scale, enable_gqa=True)
    return y.transpose(1, 2)


def alibi(query, key, heads):
    """−slope(h)·|q − k|, [heads, tokens, keys]: slopes fall from 2^(−8.0/n) by that factor."""
    power = 1 << (heads - 1).bit_length()
    order = [
        2 * h + 1 if h < power // 2 else 2 * (h - power // 2) for h in range(heads)
    ]
    order = range(heads) if power == heads else order
    slopes = [2.0 ** (-8.0 * (place + 1) / power) for place in order]
    slopes = torch.tensor(slopes, device=key.device)[:, None, None]
    return -slopes * (query - key).abs()


class Attention(nn.Module):
    def __init__(self, config, layer_idx):
        super().__init__()
        attention_heads_width = config.num_attention_heads * config.head_dim
        self.num_heads = config.num_attention_heads
        self.scaling = config.scaling
        self.layer_idx = layer_idx
        self.q = nn.Linear(config.hidden_size, attention_heads_width)
        self.k = nn.Linear(config.hidden_size, attention_heads_width)
        self.v = nn.Linear(config.hidden_size, attention_heads_width)
        self.o = nn.Linear(attention_heads_width, config.hidden_size)

    def forward(self, x, positions, key_positions=None, cache=None):
        q = self.q(x).unflatten(-1, (self.num_heads, -1))
        k = self.k(x).unflatten(-1, (self.num_heads, -1))
        v = self.v(x).unflatten(-1, (self.num_heads, -1))
        y = attend(
            q,
            k,
            v,
            cache,
            self.layer_idx,
            positions,
            key_positions,
            scale=self.scaling,
            bias=lambda query, key: alibi(query, key, self.num_heads),
        )
        return self.o(y.flatten(-2))


class MLP(nn.Module):
    """y = act(x·Wupᵀ)·Wdownᵀ"""

    def __init__(self, config):
        super().__init__()
        self.up = nn.Linear(config.hidden_size, config.mlp_size)
        self.down = nn.Linear(config.mlp_size, config.hidden_size)

    def forward(self, x):
        return self.down(F.gelu(self.up(x), approximate="tanh"))


class Block(GradientCheckpointingLayer):
    def __init__(self, config, layer_idx):
        super().__init__()
        self.attn_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.attn = Attention(config, layer_idx)
        self.mlp_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.mlp = MLP(config)

    def forward(self, x, positions, key_positions=None, cache=None):
        x = x + self.attn(self.attn_norm(x), positions, key_positions, cache)
        return x + self.mlp(self.mlp_norm(x))


class Gpt2AlibiPreTrainedModel(PreTrainedModel):
    config_class = Gpt2AlibiConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _no_split_modules = ("Block",)
    _supports_sdpa = True
    _supports_flash_attn = False
    _supports_flex_attn = False
    _supports_attention_backend = False
    _can_compile_fullgraph = False

    def post_init(self):
        # Weights start by their names, which a module does not know.
        for name, module in self.named_modules():
            module.place = name
        super().post_init()

    @torch.no_grad()
    def _init_weights(self, module):
        for kind, tensor in module.named_parameters(recurse=False):
            name = f"{getattr(module, 'place', '')}.{kind}"
            if name.endswith("norm.weight"):
                init.ones_(tensor)
            elif name.endswith("bias"):
                init.zeros_(tensor)
            elif name.endswith(("o.weight", "down.weight")):
                init.normal_(tensor, std=0.004082483)
            else:
                init.normal_(tensor, std=0.02)


class Gpt2AlibiModel(Gpt2AlibiPreTrainedModel):
    """gpt2-alibi: tokens to hidden states."""

    def __init__(self, config):
        super().__init__(config)
        self.embed = nn.ModuleDict(
            {"tokens": nn.Embedding(config.vocab_size, config.hidden_size)}
        )
        self.layers = nn.ModuleList(
            Block(config, i) for i in range(config.num_hidden_layers)
        )
        self.final_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.gradient_checkpointing = False
        self.post_init()

    def get_input_embeddings(self):
        return self.embed.tokens

    def set_input_embeddings(self, value):
        self.embed.tokens = value

    def new_cache(self):
        """What is kept of texts of which nothing is read yet."""
        return DynamicCache(config=self.config)

    @can_return_tuple
    def forward(
        self,
        input_ids=None,
        attention_mask=None,
        position_ids=None,
        past_key_values=None,
        inputs_embeds=None,
        use_cache=None,
        output_hidden_states=None,
        cache=None,
        **kwargs,
    ):
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("give either input_ids or inputs_embeds")
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states
        states = ()
        cache = past_key_values if cache is None else cache
        use_cache = self.config.use_cache if use_cache is None else use_cache
        if use_cache and cache is None and not self.training:
            cache = self.new_cache()
        tokens = input_ids
        given = input_ids if inputs_embeds is None else inputs_embeds
        T, device = given.size(1), given.device
        past = 0 if cache is None else cache.get_seq_length()
        # A mask of two axes says which tokens are padding.
        texts = attention_mask if getattr(attention_mask, "ndim", None) == 2 else None
        if attention_mask is not None and texts is None:
            raise ValueError("masks of this model are [batch, tokens]")
        if position_ids is None:
            position_ids = torch.arange(T, device=device).unsqueeze(0) + past
            if texts is not None:
                position_ids = (texts.long().cumsum(-1) - 1).clamp(min=0)[:, -T:]
        positions = position_ids
        key_positions = torch.arange(past + T, device=device).unsqueeze(0)
        if texts is not None:
            key_positions = (texts.long().cumsum(-1) - 1).masked_fill(texts == 0, -1)
        x = self.embed.tokens(tokens) if inputs_embeds is None else inputs_embeds
        for layer in self.layers:
            states = (*states, x) if output_hidden_states else None
            x = layer(x, positions, key_positions, cache)
        x = self.final_norm(x)
        states = (*states, x) if output_hidden_states else None
        return BaseModelOutputWithPast(
            last_hidden_state=x, past_key_values=cache, hidden_states=states
        )


class Gpt2AlibiForCausalLM(Gpt2AlibiPreTrainedModel, GenerationMixin):
    """gpt2-alibi: tokens to logits."""

    _tied_weights_keys = {"lm_head.weight": "model.embed.tokens.weight"}  # noqa: RUF012

    def __init__(self, config):
        super().__init__(config)
        self.model = Gpt2AlibiModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids=None,
        attention_mask=None,
        position_ids=None,
        past_key_values=None,
        inputs_embeds=None,
        use_cache=None,
        output_hidden_states=None,
        cache=None,
        labels=None,
        logits_to_keep=0,
        **kwargs,
    ):
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values if cache is None else cache,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            output_hidden_states=output_hidden_states,
            **kwargs,
        )
        keep = logits_to_keep
        keep = slice(-keep, None) if isinstance(keep, int) else keep
        x = outputs.last_hidden_state[:, keep]
        logits = self.lm_head(x)
        loss = None
        if labels is not None:
            size = self.config.vocab_size
            loss = self.loss_function(logits, labels, vocab_size=size, **kwargs)
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
        )
