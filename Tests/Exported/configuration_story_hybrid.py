"""The configuration of story-hybrid."""

from transformers import PreTrainedConfig


class StoryHybridConfig(PreTrainedConfig):
    model_type = "chimera_story_hybrid"
    keys_to_ignore_at_inference = ("past_key_values",)

    def __init__(
        self,
        vocab_size=2048,
        max_position_embeddings=256,
        hidden_size=192,
        num_hidden_layers=6,
        num_attention_heads=6,
        num_key_value_heads=2,
        num_key_value_groups=3,
        scaling=0.17677669,
        head_dim=32,
        norm_eps=1e-05,
        mlp_size=592,
        rotary_dim=32,
        rope_theta=10000.0,
        sliding_window=64,
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
        self.mlp_size = mlp_size
        self.rotary_dim = rotary_dim
        self.rope_theta = rope_theta
        self.sliding_window = sliding_window
        if layer_types is None:
            layer_types = [
                "sliding_attention",
                "sliding_attention",
                "full_attention",
                "sliding_attention",
                "sliding_attention",
                "full_attention",
            ]
        self.layer_types = layer_types
        self.use_cache = use_cache
        super().__init__(tie_word_embeddings=tie_word_embeddings, **kwargs)
