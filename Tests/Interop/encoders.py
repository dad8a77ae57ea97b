"""Very small encoders as transformers 5.23 saves them (torch 2.15, float32, eager attention), and what it computes.

    python3 Tests/Interop/encoders.py Tests/Encoders

A folder holds config.json, model.safetensors and expected.safetensors: input_ids, attention_mask, token_type_ids where the
model has any, logits, and last_hidden_state of models without a head. `sentences` is a model of sentence-transformers 6.2
with a WordPiece vocabulary: texts.json, and their vectors as `embeddings`.
"""
import json
import os
import sys

import torch
import transformers as T
from safetensors.torch import save_file

out = sys.argv[1]
WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"] + list("abcdefghijklmnopqrstuvwxyz.,!?") + [
    "##" + letter for letter in "abcdefghijklmnopqrstuvwxyz"] + ["the", "cat"]
SIZES = dict(vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24)
BERT = dict(**SIZES, max_position_embeddings=40)
ROBERTA = dict(**SIZES, max_position_embeddings=42, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5)
MODERN = {**SIZES, "num_hidden_layers": 4, "max_position_embeddings": 40, "local_attention": 8, "pad_token_id": 0,
          "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2}
MODELS = {
    "bert": (T.BertForMaskedLM, T.BertConfig(**BERT)),
    "bert-untied": (T.BertForMaskedLM, T.BertConfig(**BERT, hidden_act="gelu_new", tie_word_embeddings=False)),
    "roberta": (T.RobertaForMaskedLM, T.RobertaConfig(**ROBERTA)),
    "xlm-roberta": (T.XLMRobertaForMaskedLM, T.XLMRobertaConfig(**ROBERTA)),
    "distilbert": (T.DistilBertForMaskedLM, T.DistilBertConfig(
        vocab_size=len(WORDS), max_position_embeddings=40, n_layers=2, n_heads=4, dim=16, hidden_dim=24)),
    "electra": (T.ElectraForMaskedLM, T.ElectraConfig(**BERT, embedding_size=12)),
    "electra-equal": (T.ElectraForMaskedLM, T.ElectraConfig(**BERT, embedding_size=16)),
    "electra-discriminator": (T.ElectraForPreTraining, T.ElectraConfig(**BERT, embedding_size=12)),
    "modernbert": (T.ModernBertForMaskedLM, T.ModernBertConfig(**MODERN)),
    "bert-classes": (T.BertForSequenceClassification, T.BertConfig(**BERT, num_labels=3)),
    "roberta-classes": (T.RobertaForSequenceClassification, T.RobertaConfig(**ROBERTA, num_labels=3)),
    "distilbert-classes": (T.DistilBertForSequenceClassification, T.DistilBertConfig(
        vocab_size=len(WORDS), max_position_embeddings=40, n_layers=2, n_heads=4, dim=16, hidden_dim=24,
        id2label={0: "bad", 1: "good"})),
    "electra-classes": (T.ElectraForSequenceClassification, T.ElectraConfig(**BERT, embedding_size=12, num_labels=1)),
    "modernbert-classes": (T.ModernBertForSequenceClassification, T.ModernBertConfig(**MODERN, num_labels=4)),
    "modernbert-mean": (
        T.ModernBertForSequenceClassification, T.ModernBertConfig(**MODERN, num_labels=2, classifier_pooling="mean")),
    "mpnet": (T.MPNetForMaskedLM, T.MPNetConfig(**{**SIZES, "max_position_embeddings": 42})),
    "mpnet-model": (T.MPNetModel, T.MPNetConfig(**{**SIZES, "max_position_embeddings": 42})),
    "t5-encoder": (T.T5EncoderModel, T.T5Config(
        vocab_size=len(WORDS), d_model=16, d_kv=6, d_ff=24, num_layers=3, num_heads=2, relative_attention_num_buckets=8,
        relative_attention_max_distance=14)),
    "t5-encoder-gated": (T.T5EncoderModel, T.T5Config(
        vocab_size=len(WORDS), d_model=16, d_kv=8, d_ff=20, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu")),
    "modernbert-model": (T.ModernBertModel, T.ModernBertConfig(**MODERN)),
}


def model(cls, config, seed):
    """A model in which nothing is left at its start."""
    torch.manual_seed(seed)
    config._attn_implementation = "eager"
    made = cls(config).eval()
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _, tensor in sorted(made.named_parameters()):
            tensor.add_(torch.randn(tensor.shape, generator=noise) * (0.15 if tensor.dim() > 1 else 0.2))
        if not getattr(config, "tie_word_embeddings", True):
            # The bias is stored under two names, of which one alone is added.
            made.cls.predictions.bias.copy_(made.cls.predictions.decoder.bias)
    made.tie_weights()
    return made


def encoders():
    for name, (cls, config) in MODELS.items():
        seed = sum(name.encode())
        made = model(cls, config, seed)
        folder = f"{out}/{name}"
        made.save_pretrained(folder)
        ids = torch.randint(5, len(WORDS), (2, 22), generator=torch.Generator().manual_seed(seed))
        mask = torch.ones_like(ids)
        ids[1, 17:], mask[1, 17:] = config.pad_token_id or 0, 0
        given = dict(input_ids=ids, attention_mask=mask)
        if getattr(config, "type_vocab_size", 1) > 1:
            given["token_type_ids"] = torch.zeros_like(ids)
            given["token_type_ids"][0, 9:] = 1
            given["token_type_ids"][1, 12:17] = 1
        with torch.no_grad():
            result = made(**given, output_hidden_states=True)
        if "logits" in result and cls is not T.ElectraForPreTraining:
            given["logits"] = result.logits
        else:
            given["last_hidden_state"] = result.get("last_hidden_state", result.hidden_states[-1])
        save_file({key: value.contiguous().clone() for key, value in given.items()}, f"{folder}/expected.safetensors")


def sentences():
    import sentence_transformers as S
    from sentence_transformers import models as parts

    folder = f"{out}/sentences"
    os.makedirs("/tmp/chimera-encoders", exist_ok=True)
    model(T.BertForMaskedLM, T.BertConfig(**BERT), 20).save_pretrained("/tmp/chimera-encoders")
    with open("/tmp/chimera-encoders/vocab.txt", "w") as file:
        file.write("\n".join(WORDS))
    T.BertTokenizerFast(vocab="/tmp/chimera-encoders/vocab.txt").save_pretrained("/tmp/chimera-encoders")
    transformer = parts.Transformer("/tmp/chimera-encoders", max_seq_length=24)
    made = S.SentenceTransformer(modules=[transformer, parts.Pooling(16, "mean"), parts.Normalize()], device="cpu")
    made.save_pretrained(folder, create_model_card=False)
    texts = ["the cat sleeps.", "The CAT sleeps!", "a dog, a dog", "x", "the cat " * 20, "no ümlaut here?"]
    json.dump(texts, open(f"{folder}/texts.json", "w"), ensure_ascii=False)
    vectors = made.encode(texts, batch_size=1, convert_to_tensor=True)
    save_file({"embeddings": vectors.contiguous()}, f"{folder}/expected.safetensors")


encoders()
sentences()
