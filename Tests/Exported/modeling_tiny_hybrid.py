"""tiny-hybrid: 114,117,120 parameters.

Written by `chimera export tiny-hybrid --to hf` for transformers 5.23 and later. Shapes
in comments are [batch, tokens, …].
"""

import torch
import torch.nn.functional as F
from torch import nn
from transformers import GenerationMixin, PreTrainedModel
from transformers import initialization as init
from transformers.cache_utils import DynamicCache
from transformers.masking_utils import (
    create_causal_mask,
    create_sliding_window_causal_mask,
)
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import (
    BaseModelOutputWithPast,
    CausalLMOutputWithPast,
)
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.utils.generic import can_return_tuple

from .configuration_tiny_hybrid import TinyHybridConfig


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


def eager_attention(module, q, k, v, mask, scaling, **kwargs):
    """y = softmax(scaling·q·kᵀ + mask)·v; q, k, v: [batch, heads, tokens, width]."""
    k = k.repeat_interleave(module.num_key_value_groups, dim=1)
    v = v.repeat_interleave(module.num_key_value_groups, dim=1)
    scores = scaling * q @ k.transpose(-2, -1)
    if mask is not None:
        scores = scores + mask[..., : k.size(2)]
    weights = scores.softmax(-1, dtype=torch.float32).to(q.dtype)
    return (weights @ v).transpose(1, 2).contiguous(), weights


class SlidingAttention(nn.Module):
    def __init__(self, config, layer_idx):
        super().__init__()
        attention_heads_width = config.num_attention_heads * config.head_dim
        key_value_heads_width = config.num_key_value_heads * config.head_dim
        self.num_heads = config.num_attention_heads
        self.num_kv_heads = config.num_key_value_heads
        self.num_key_value_groups = config.num_key_value_groups
        self.sliding_window = 512
        self.layer_type = "sliding_attention"
        self.scaling = config.scaling
        self.config = config
        self.is_causal = True
        self.layer_idx = layer_idx
        self.q = nn.Linear(config.hidden_size, attention_heads_width, bias=False)
        self.q_norm = nn.RMSNorm(config.head_dim, eps=config.norm_eps)
        self.k = nn.Linear(config.hidden_size, key_value_heads_width, bias=False)
        self.k_norm = nn.RMSNorm(config.head_dim, eps=config.norm_eps)
        self.v = nn.Linear(config.hidden_size, key_value_heads_width, bias=False)
        self.o = nn.Linear(attention_heads_width, config.hidden_size, bias=False)

    def forward(self, x, rope, attention_mask=None, cache=None, **kwargs):
        q = rotate(self.q_norm(self.q(x).unflatten(-1, (self.num_heads, -1))), rope)
        k = rotate(self.k_norm(self.k(x).unflatten(-1, (self.num_kv_heads, -1))), rope)
        v = self.v(x).unflatten(-1, (self.num_kv_heads, -1))
        keys, values = k.transpose(1, 2), v.transpose(1, 2)
        if cache is not None:
            keys, values = cache.update(keys, values, self.layer_idx)
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention
        )
        attended, _ = attend(
            self,
            q.transpose(1, 2),
            keys,
            values,
            attention_mask[self.layer_type],
            scaling=self.scaling,
            sliding_window=self.sliding_window,
            **kwargs,
        )
        y = attended.reshape(*q.shape[:2], -1)
        return self.o(y)


class GatedMLP(nn.Module):
    """y = (act(x·Wgateᵀ) ⊙ x·Wupᵀ)·Wdownᵀ"""

    def __init__(self, config):
        super().__init__()
        self.gate = nn.Linear(config.hidden_size, 2048, bias=False)
        self.up = nn.Linear(config.hidden_size, 2048, bias=False)
        self.down = nn.Linear(2048, config.hidden_size, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class MLP(nn.Module):
    """y = act(x·Wupᵀ)·Wdownᵀ"""

    def __init__(self, config):
        super().__init__()
        self.up = nn.Linear(config.hidden_size, 3072, bias=False)
        self.down = nn.Linear(3072, config.hidden_size, bias=False)

    def forward(self, x):
        return self.down(F.relu(self.up(x)).square())


class Attention(nn.Module):
    def __init__(self, config, layer_idx):
        super().__init__()
        attention_heads_width = config.num_attention_heads * config.head_dim
        key_value_heads_width = config.num_key_value_heads * config.head_dim
        self.num_heads = config.num_attention_heads
        self.num_kv_heads = config.num_key_value_heads
        self.num_key_value_groups = config.num_key_value_groups
        self.sliding_window = None
        self.layer_type = "full_attention"
        self.scaling = config.scaling
        self.config = config
        self.is_causal = True
        self.layer_idx = layer_idx
        self.q = nn.Linear(config.hidden_size, attention_heads_width, bias=False)
        self.q_norm = nn.RMSNorm(config.head_dim, eps=config.norm_eps)
        self.k = nn.Linear(config.hidden_size, key_value_heads_width, bias=False)
        self.k_norm = nn.RMSNorm(config.head_dim, eps=config.norm_eps)
        self.v = nn.Linear(config.hidden_size, key_value_heads_width, bias=False)
        self.o = nn.Linear(attention_heads_width, config.hidden_size, bias=False)

    def forward(self, x, rope, attention_mask=None, cache=None, **kwargs):
        q = self.q_norm(self.q(x).unflatten(-1, (self.num_heads, -1)))
        k = self.k_norm(self.k(x).unflatten(-1, (self.num_kv_heads, -1)))
        v = self.v(x).unflatten(-1, (self.num_kv_heads, -1))
        keys, values = k.transpose(1, 2), v.transpose(1, 2)
        if cache is not None:
            keys, values = cache.update(keys, values, self.layer_idx)
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention
        )
        attended, _ = attend(
            self,
            q.transpose(1, 2),
            keys,
            values,
            attention_mask[self.layer_type],
            scaling=self.scaling,
            sliding_window=self.sliding_window,
            **kwargs,
        )
        y = attended.reshape(*q.shape[:2], -1)
        return self.o(y)


class Block(GradientCheckpointingLayer):
    def __init__(self, config, layer_idx, attn, mlp):
        super().__init__()
        self.attn_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.attn = attn(config, layer_idx)
        self.mlp_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.mlp = mlp(config)

    def forward(self, x, rope, attention_mask=None, cache=None, **kwargs):
        y = self.attn(self.attn_norm(x), rope, attention_mask, cache, **kwargs)
        x = x + y
        return x + self.mlp(self.mlp_norm(x))


class AttentionMLPBlock(GradientCheckpointingLayer):
    def __init__(self, config, layer_idx):
        super().__init__()
        self.attn_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.attn = Attention(config, layer_idx)
        self.attn_out_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.mlp_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
        self.mlp = MLP(config)
        self.mlp_out_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)

    def forward(self, x, rope, attention_mask=None, cache=None, **kwargs):
        y = self.attn(self.attn_norm(x), rope, attention_mask, cache, **kwargs)
        x = x + self.attn_out_norm(y)
        return x + self.mlp_out_norm(self.mlp(self.mlp_norm(x)))


class TinyHybridPreTrainedModel(PreTrainedModel):
    config_class = TinyHybridConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _no_split_modules = ("Block", "AttentionMLPBlock")
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True
    _can_compile_fullgraph = True

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
            elif name.endswith(("o.weight", "down.weight")):
                init.normal_(tensor, std=0.004082483)
            else:
                init.normal_(tensor, std=0.02)


class TinyHybridModel(TinyHybridPreTrainedModel):
    """tiny-hybrid: tokens to hidden states."""

    def __init__(self, config):
        super().__init__(config)
        self.rotary_dim = config.rotary_dim
        self.rope_theta = config.rope_theta
        self.embed = nn.ModuleDict(
            {"tokens": nn.Embedding(config.vocab_size, config.hidden_size)}
        )
        kinds = [(Block, SlidingAttention, MLP)] * config.num_hidden_layers
        for i in (3, 7):
            kinds[i] = (Block, Attention, MLP)
        kinds[0] = (Block, SlidingAttention, GatedMLP)
        kinds[11] = (AttentionMLPBlock,)
        self.layers = nn.ModuleList(
            block(config, i, *parts) for i, (block, *parts) in enumerate(kinds)
        )
        self.final_norm = nn.RMSNorm(config.hidden_size, eps=config.norm_eps)
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
        if position_ids is None:
            position_ids = torch.arange(T, device=device).unsqueeze(0) + past
            if texts is not None:
                position_ids = (texts.long().cumsum(-1) - 1).clamp(min=0)[:, -T:]
        positions = position_ids
        x = self.embed.tokens(tokens) if inputs_embeds is None else inputs_embeds
        rope = rope_angles(positions, self.rotary_dim, self.rope_theta)
        about = self.config, x, attention_mask, cache, position_ids
        if not isinstance(attention_mask, dict):
            attention_mask = {
                "sliding_attention": create_sliding_window_causal_mask(*about),
                "full_attention": create_causal_mask(*about),
            }
        for layer in self.layers:
            states = (*states, x) if output_hidden_states else None
            x = layer(x, rope, attention_mask, cache, **kwargs)
        x = self.final_norm(x)
        states = (*states, x) if output_hidden_states else None
        return BaseModelOutputWithPast(
            last_hidden_state=x, past_key_values=cache, hidden_states=states
        )


class TinyHybridForCausalLM(TinyHybridPreTrainedModel, GenerationMixin):
    """tiny-hybrid: tokens to logits."""

    _tied_weights_keys = {"lm_head.weight": "model.embed.tokens.weight"}  # noqa: RUF012

    def __init__(self, config):
        super().__init__(config)
        self.model = TinyHybridModel(config)
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
