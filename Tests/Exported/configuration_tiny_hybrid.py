"""The configuration of tiny-hybrid."""

from transformers import PreTrainedConfig


class TinyHybridConfig(PreTrainedConfig):
    model_type = "chimera_tiny_hybrid"
    keys_to_ignore_at_inference = ("past_key_values",)

    def __init__(
        self,
        vocab_size=50257,
        max_position_embeddings=2048,
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        num_key_value_heads=4,
        num_key_value_groups=3,
        scaling=0.125,
        head_dim=64,
        norm_eps=1e-05,
        rotary_dim=64,
        rope_theta=10000.0,
        sliding_window=512,
        layer_types=None,
        use_cache=True,
        tie_word_embeddings=True,
        **kwargs,
    ):
        self.vocab_size = vocab_size
        self.max_position_embeddings = max_position_embeddings
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.num_key_value_heads = num_key_value_heads
        self.num_key_value_groups = num_key_value_groups
        self.scaling = scaling
        self.head_dim = head_dim
        self.norm_eps = norm_eps
        self.rotary_dim = rotary_dim
        self.rope_theta = rope_theta
        self.sliding_window = sliding_window
        if layer_types is None:
            layer_types = (
                ["sliding_attention"] * 3
                + ["full_attention"]
                + ["sliding_attention"] * 3
                + ["full_attention"]
                + ["sliding_attention"] * 3
                + ["full_attention"]
            )
        self.layer_types = layer_types
        self.use_cache = use_cache
        super().__init__(tie_word_embeddings=tie_word_embeddings, **kwargs)
