"""A very small SigLIP with a tokenizer of its own, as transformers 5.23 saves and reads them (torch 2.15, sentencepiece 0.2.3, protobuf 6).

    python3 Tests/Interop/tower_texts.py Tests/Towers/siglip_texts

The vocabulary is trained on a few captions, and makes a space of ▁ as SigLIP's own does (nmt_nfkc, whose table takes 240 KB). texts.json has for
each text its ids by SiglipTokenizer, and its vector by the model, which is given 64 tokens.
"""
import io
import json
import os
import sys
import tempfile

import sentencepiece
import torch
import transformers as T

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
CAPTIONS = [
    "a photo of a cat sitting on the mat", "a photo of a dog", "a red circle and a blue square", "this is a picture of two cats sitting",
    "the quick brown fox jumps over the lazy dog", "how many shapes are there in the picture", "dont stop its a wellknown photo",
]
TEXTS = [
    "A photo of a cat, sitting!", "a photo of a cat sitting", "  a photo", "! a photo", " A  Photo\tof\n two", "DON'T", "Well-known (photo)",
    "...", "", " ", "[two] {cats} <a_b> ~`@#$%^&*+=|\\/", "Straße ΣΑ É", "x▁y", "a photo of a ☃ cat", "a photo of a cat sitting. ",
    "a photo" + " of a cat, sitting" * 7,
]

with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
    rules.write("2581\t20\n9\t20\nA\t20\n")
    rules.flush()
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CAPTIONS * 4), model_writer=model, vocab_size=64, model_type="unigram", pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
        character_coverage=1.0, hard_vocab_limit=False, normalization_rule_tsv=rules.name, minloglevel=2)
open(folder + "/spiece.model", "wb").write(model.getvalue())
json.dump({"do_lower_case": True, "eos_token": "</s>", "model_max_length": 64, "pad_token": "</s>", "tokenizer_class": "SiglipTokenizer",
           "unk_token": "<unk>"}, open(folder + "/tokenizer_config.json", "w"), indent=2)
tokenizer = T.SiglipTokenizer.from_pretrained(folder)

shared = dict(hidden_size=12, intermediate_size=20, num_hidden_layers=1, num_attention_heads=2)
config = T.SiglipConfig(
    text_config=dict(shared, vocab_size=len(tokenizer), max_position_embeddings=64, projection_size=12),
    vision_config=dict(shared, image_size=12, patch_size=4))
config._attn_implementation = "eager"
torch.manual_seed(0)
model = T.SiglipModel(config).eval()
noise = torch.Generator().manual_seed(0)
with torch.no_grad():
    for _, tensor in sorted(model.named_parameters()):
        tensor.add_(torch.randn(tensor.shape, generator=noise) * 0.2)
model.save_pretrained(folder)
T.SiglipImageProcessorPil(size={"height": 12, "width": 12}).save_pretrained(folder)


def read(text):
    ids = tokenizer(text, padding="max_length")["input_ids"]
    assert len(ids) == 64
    with torch.no_grad():
        vector = model.get_text_features(input_ids=torch.tensor([ids]))
    vector = getattr(vector, "pooler_output", vector)[0]
    return {"text": text, "ids": tokenizer(text)["input_ids"], "vector": [round(x, 7) for x in (vector / vector.norm()).tolist()]}


lines = ",\n".join(json.dumps(read(text), ensure_ascii=False) for text in TEXTS)
open(folder + "/texts.json", "w").write(f"[\n{lines}\n]\n")
