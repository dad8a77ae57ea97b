"""The configuration of gpt2-alibi."""

from transformers import PreTrainedConfig


class Gpt2AlibiConfig(PreTrainedConfig):
    model_type = "chimera_gpt2_alibi"
    keys_to_ignore_at_inference = ("past_key_values",)

    def __init__(
        self,
        vocab_size=50257,
        max_position_embeddings=1024,
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        scaling=0.125,
        head_dim=64,
        mlp_size=3072,
        norm_eps=1e-05,
        num_key_value_heads=12,
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
        self.scaling = scaling
        self.head_dim = head_dim
        self.mlp_size = mlp_size
        self.norm_eps = norm_eps
        self.num_key_value_heads = num_key_value_heads
        if layer_types is None:
            layer_types = ["full_attention"] * 12
        self.layer_types = layer_types
        self.use_cache = use_cache
        super().__init__(tie_word_embeddings=tie_word_embeddings, **kwargs)
