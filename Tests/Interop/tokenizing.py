#!/usr/bin/env python3
"""Every tokenizer of the test data, compared with the reference libraries over hostile and multilingual texts.

usage: tokenizing.py CHIMERA DATA [-n TEXTS] [--seed N] [NAME ...]     needs: pip install tokenizers==0.23.3 sentencepiece gguf regex
DATA is the folder with the vocabularies (hf-json, tiktoken, ggml-vocab ...). A NAME chooses those that contain it.

tokenizer.json, tiktoken and GGUF vocabularies are compared with `tokenizers`, SentencePiece models with `sentencepiece`:
the ids of each text, and the text of the ids and of lists of ids that no text gives. The exit status is 1 where any differ.
"""
import argparse, base64, json, os, random, subprocess, sys, tempfile
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

# ---- texts

SPACES = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u200b\ufeff\u2060\u180e"
WORDS = """the The HELLO I'll DON'T don't it's we've WE'RE you'd 's 'S 'LL 'ſ l'été naïve café Ångström straße ẞ İstanbul ıstanbul ﬁn ﬂ Ǆ ǅ
你好，世界 中文分词 日本語のテキスト カタカナ ｶﾀｶﾅ ひらがな 한국어 ᄒᆞᆫ 각 العربية مرحبا بالعالم שָׁלוֹם עברית فارسی‌ها हिन्दी नमस्ते தமிழ் ไทยภาษา ລາວ ភាសាខ្មែរ မြန်မာ ქართული հայերեն
Ελληνικά Привет мир Ё й українська ᏣᎳᎩ ⴰⵎⴰⵣⵉⵖ አማርኛ བོད་ཡིག ᠮᠣᠩᠭᠣᠯ 𐍈𐌰𐍂𐌰 𓀀𓂀 𝕳𝖊𝖑𝖑𝖔 ⅷ Ⅻ ½ ² ³ ¹ ¼ ① 一二三 ٣٤٥ ४५ ๑๒ 𝟘𝟙 1234567 0x7f 3.14159 1e-5 1,000,000 2026-11-28
https://example.com/a?b=c&d=e#f user@example.org C++ C# .NET a_b __init__ camelCase HTTPServer fooBARbaz snake_case if(x==0){return;} /* */ // \\n \\t <b> </b> &amp;
... …… --- ——  – !!! ?! ¿Qué? ¡Olé! «guillemets» „Anführung“ 「括弧」 （全角） ～ 〜 ・ $100 €5 £ ¥ ₿ ± × ÷ ∞ ≠ ≤ → ← ⇒ ▁ ▁▁ ▂▃▄ █ ■ □ ☃ ♥ © ® ™ ° µ
😀 😀😀 👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷 1️⃣ ❤️ 🧑🏿‍🚀 \ufe0f \u200d ☺︎""".split()
PIECES = ["<s>", "</s>", "<unk>", "<|endoftext|>", "<|im_start|>", "<|begin_of_text|>", "<|eot_id|>", "[INST]", "[/INST]", "<<SYS>>", "<0x41>", "<0x0A>",
          "<s", "s>", "<|", "|>", "<|endoftext", "endoftext|>", "< s >", "<S>", "<｜end▁of▁sentence｜>", ">>TITLE<<", ">>ABSTRACT<<", "<EOT>", "<META>", "<pad>", "<mask>", "Ġ", "Ġthe", "Ċ", "▁the", "##ing", "</w>"]
MARKS = [chr(c) for c in list(range(0x300, 0x370)) + [0x483, 0x591, 0x5b0, 0x610, 0x64b, 0x93c, 0x94d, 0xe31, 0xf75, 0x1ab0, 0x1dc0, 0x20d0, 0x3099, 0x309a, 0xfe20, 0x1d165, 0x340, 0x341, 0x343, 0x344]]
ODD = ["\0", "\x01", "\x07", "\x08", "\x1b[31m", "\x7f", "\x80", "\x9f", "\xad", "\u034f", "\u061c", "\u200c", "\u200d", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069",
       "\ufffd", "\ufffe", "\uffff", "\ufdd0", "\U0001fffe", "\U0010ffff", "\ue000", "\U000f0000", "\u0378", "\u05ff", "\u2fe0", "\U0001f9ff", "\U000e0041", "\U000e01ef", "\ud7ff", "\ufff9", "\u0600", "\u070f", "\u115f", "\u1160", "\u3164", "\uffa0"]
CODE = ["def f(x):\n    return x ** 2\n", "for (int i = 0; i < n; ++i) {\n\t\ta[i] += b[i];\n}\n\n", "SELECT * FROM t WHERE a='b''c';\r\n", "{\"a\": [1, 2.5, null], \"b\": \"\\u00e9\"}", "    ", "\t\t", "\n\n\n", "\r\n\r\n", " \n ", "  \n\n  x"]

def scalar(rng):
    kind = rng.random()
    while True:
        if kind < 0.3: c = rng.randrange(0x20, 0x250)
        elif kind < 0.8: c = rng.randrange(0x250, 0x10000)
        else: c = rng.randrange(0x10000, 0x110000) if rng.random() < 0.3 else rng.randrange(0x10000, 0x20000)
        if not 0xd800 <= c < 0xe000: return chr(c)

def texts(count, seed):
    rng = random.Random(seed)
    def word(): return rng.choice(WORDS)
    def separator():
        r = rng.random()
        return " " if r < 0.6 else "" if r < 0.75 else rng.choice(SPACES) * rng.choice([1, 1, 2, 3, 5])
    def phrase(n=12): return "".join(word() + separator() for _ in range(rng.randrange(1, n)))
    def zalgo(): return "".join(c + "".join(rng.choice(MARKS) for _ in range(rng.randrange(0, 6))) for c in phrase(3))
    def spaces(): return "".join(rng.choice(SPACES) for _ in range(rng.randrange(1, 12)))
    def odd(): return "".join(rng.choice([word(), rng.choice(ODD), rng.choice(ODD), " "]) for _ in range(rng.randrange(1, 10)))
    def soup(): return "".join(scalar(rng) for _ in range(rng.randrange(1, 30)))
    def lookalike(): return "".join(rng.choice([rng.choice(PIECES), word(), " ", "\n", rng.choice(PIECES)]) for _ in range(rng.randrange(1, 8)))
    def repeat(): return rng.choice([word(), rng.choice(SPACES), rng.choice(ODD), "a", "=", "-", "\n", " a", "ab"]) * rng.choice([2, 3, 7, 17, 50, 200, 1000])
    def code(): return "".join(rng.choice(CODE + [phrase(3)]) for _ in range(rng.randrange(1, 5)))
    def latin(): return "".join(chr(rng.randrange(0x20, 0x7f)) for _ in range(rng.randrange(1, 40)))
    def mixed(): return "".join(rng.choice([zalgo, spaces, odd, soup, lookalike, code, latin, phrase])() for _ in range(rng.randrange(2, 5)))
    fixed = ["", " ", "  ", "\n", "\0", "a", "▁", " ▁", "▁ ", "a ▁ b", "▁▁a", "▁a", "a▁b", " a", "a ", "\u0301", "e\u0301", "\ufeff", "\ufeffa", "\r\n", "\r", "<s>", " <s>", "<s> ", "<s> a", "a<s>b", "\u2028", "'", "''s", "'S", "\u017f's"]
    fixed += [w for w in WORDS] + [p for p in PIECES] + list(SPACES) + ODD + [a + m for a in "aeo가각" for m in MARKS[:20]]
    result = fixed[:count]
    makers = [phrase, zalgo, spaces, odd, soup, lookalike, repeat, code, latin, mixed]
    while len(result) < count: result.append(rng.choice(makers)())
    return result

def every_scalar():
    """Each code point between others of each kind, in texts of 64."""
    points = [chr(c) for c in range(0x110000) if not 0xd800 <= c < 0xe000]
    return ["".join(f"a{c}a {c}{c}1{c}." for c in points[i:i + 64]) for i in range(0, len(points), 64)]

# ---- references

def byte_alphabet():
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256)); table = {b: chr(b) for b in keep}; n = 0
    for b in range(256):
        if b not in table: table[b] = chr(256 + n); n += 1
    return table
ALPHABET = byte_alphabet()
def spell(piece): return "".join(ALPHABET[b] for b in piece)

def merges_of(ranks):
    """The merges that make each piece of a rank file, in the order of ranks."""
    merges = []
    for piece, rank in sorted(ranks.items(), key=lambda x: x[1]):
        if len(piece) == 1: continue
        parts = [bytes([b]) for b in piece]
        while len(parts) > 2:
            best = min(range(len(parts) - 1), key=lambda i: ranks.get(parts[i] + parts[i + 1], 1 << 40))
            if ranks.get(parts[best] + parts[best + 1], 1 << 40) >= rank: break
            parts[best:best + 2] = [parts[best] + parts[best + 1]]
        if len(parts) == 2: merges.append((spell(parts[0]), spell(parts[1])))
    return merges

def byte_level(vocab, merges, splits, whole=False, normalizer=None):
    t = Tokenizer(models.BPE(vocab, merges, ignore_merges=whole))
    if normalizer: t.normalizer = normalizer
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(p), "isolated") for p in splits] + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    return t

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
# tiktoken's engine takes $ for the end of the text, and {1,3}+ as possessive; Oniguruma repeats the latter.
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|(?>\p{N}{1,3})| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++\z|\s*[\r\n]|\s+(?!\S)|\s"
def cased(suffix, digits):
    up, low, before = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", r"[^\r\n\p{L}\p{N}]?"
    return rf"{before}{up}*{low}+{suffix}|{before}{up}+{low}*{suffix}|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
O200K = cased(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?", r"\p{N}{1,3}")
TEKKEN = cased("", r"\p{N}")
# As llama.cpp's src/llama-vocab.cpp splits what tokenizer.ggml.pre names.
GGUF = {
    "gpt-2": [GPT2], "llama-bpe": [LLAMA3], "smollm": [r"\p{N}", GPT2], "starcoder": [r"\p{N}", GPT2],
    "falcon": [r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]"],
    "deepseek-coder": [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", r"\p{N}"],
    "default": [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"],
}

class Pieces:
    """A SentencePiece model as the library has it."""
    def __init__(self, path, begins=True):
        import sentencepiece
        self.sp = sentencepiece.SentencePieceProcessor(model_file=path); self.begins = begins
        ids = range(self.sp.get_piece_size())
        # The library finds no control piece in a text, as Chimera and the fast tokenizers do.
        self.marks = [self.sp.id_to_piece(i) for i in ids if self.sp.is_control(i)]
        self.special = {i for i in ids if self.sp.is_control(i) or self.sp.is_unknown(i)}
    def takes(self, text): return "\0" not in text and not any(m in text for m in self.marks)
    def encode(self, text): return ([self.sp.bos_id()] if self.begins else []) + self.sp.encode(text)
    def text_ids(self, ids): return ids[1:] if self.begins else ids
    def decode(self, ids): return self.sp.decode(ids)
    def size(self): return self.sp.get_piece_size()
    def decodes(self, ids): return not self.special & set(ids)

class Fast:
    def __init__(self, t): self.t = t; self.sizes = t.get_vocab_size(); self.known = set(t.get_vocab().values())
    def takes(self, text): return True
    def encode(self, text): return self.t.encode(text).ids
    def text_ids(self, ids): return ids
    def decode(self, ids): return self.t.decode(ids, skip_special_tokens=False)
    def size(self): return self.sizes
    def decodes(self, ids): return all(i in self.known for i in ids)

def ranks_file(path, splits, normalizer=None):
    ranks = {base64.b64decode(a): int(b) for a, b in (line.split() for line in open(path, "rb").read().splitlines() if line)}
    return Fast(byte_level({spell(p): r for p, r in ranks.items()}, merges_of(ranks), splits, whole=True, normalizer=normalizer))

def gguf_file(path):
    import gguf
    reader = gguf.GGUFReader(path)
    def field(name):
        f = reader.fields.get("tokenizer.ggml." + name)
        return None if f is None else f.contents()
    pieces, kinds = field("tokens"), field("token_type")
    name = field("pre") or "default"
    merges = [tuple(m.split(" ", 1)) if not m.startswith(" ") else (" " + m[1:].split(" ", 1)[0], m[1:].split(" ", 1)[1]) for m in field("merges")]
    vocab = {}
    for i, p in enumerate(pieces): vocab.setdefault(p, i)
    merges = [m for m in merges if m[0] in vocab and m[1] in vocab and m[0] + m[1] in vocab]
    t = byte_level(vocab, merges, GGUF[name], whole=name == "llama-bpe")
    added = [AddedToken(p, special=k in (2, 3), normalized=False) for p, k in zip(pieces, kinds) if k in (2, 3, 4)]
    t.add_special_tokens([a for a in added if a.special]); t.add_tokens([a for a in added if not a.special])
    reference = Fast(t)
    # llama.cpp writes added tokens as they are; the library reads them in the byte alphabet.
    reference.known -= {i for i, k in enumerate(kinds) if k in (2, 3, 4)}
    return reference, field("add_bos_token"), field("bos_token_id"), name

def all_of(data, folder):
    """(name, path for Chimera, reference, made when it is wanted)"""
    def renamed(path, name):  # a rank file says how it is split by its name alone
        link = os.path.join(folder, name)
        if not os.path.exists(link): os.symlink(os.path.abspath(path), link)
        return link
    for name in sorted(os.listdir(data + "/hf-json")):
        path = f"{data}/hf-json/{name}"
        if name.endswith(".json"): yield "hf-json/" + name, path, lambda path=path: Fast(Tokenizer.from_file(path))
    def gpt2():
        vocab = json.load(open(data + "/gpt2/encoder.json"))
        merges = [tuple(l.split()) for l in open(data + "/gpt2/vocab.bpe", encoding="utf8").read().split("\n")[1:] if l]
        t = byte_level(vocab, merges, [GPT2]); t.add_special_tokens(["<|endoftext|>"])
        return Fast(t)
    yield "gpt2", data + "/gpt2", gpt2
    for name, splits in [("cl100k_base", CL100K), ("o200k_base", O200K)]:
        path = f"{data}/tiktoken/{name}.tiktoken"
        yield "tiktoken/" + name, path, lambda path=path, splits=splits: ranks_file(path, [splits])
    yield "tiktoken/tekken", renamed(data + "/tiktoken/o200k_base.tiktoken", "tekken.tiktoken"), lambda: ranks_file(data + "/tiktoken/o200k_base.tiktoken", [TEKKEN])
    yield "llama3-tiktoken", renamed(data + "/llama3-tiktoken/tokenizer.model", "llama-bpe.model"), lambda: ranks_file(data + "/llama3-tiktoken/tokenizer.model", [LLAMA3])
    yield "qwen-tiktoken", renamed(data + "/qwen-tiktoken/qwen.tiktoken", "qwen2.tiktoken"), lambda: ranks_file(data + "/qwen-tiktoken/qwen.tiktoken", [QWEN2], normalizers.NFC())
    for name in ["llama2-spm/tokenizer.model", "openllama-spm/tokenizer.model", "mistral-spm/tokenizer.model.v1", "mistral-spm/mistral_instruct_tokenizer_240323.model.v3"]:
        yield name, f"{data}/{name}", lambda name=name: Pieces(f"{data}/{name}")
    yield "llama2-spm/tokenizer.bin", data + "/llama2-spm/tokenizer.bin", lambda: Pieces(data + "/llama2-spm/tokenizer.model")
    for name in ["gpt-2", "llama-bpe", "falcon", "starcoder", "deepseek-coder"]:
        path = f"{data}/ggml-vocab/ggml-vocab-{name}.gguf"
        yield "ggml-vocab/" + name, path, lambda path=path: gguf_file(path)[0]
    path = data + "/../llama/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"
    yield "smollm2.gguf", path, lambda: gguf_file(path)[0]

def chained(seed, folder):
    """A small tokenizer of parts drawn at random: pre-tokenizers one after another, a normalizer, added tokens."""
    from tokenizers import trainers
    rng = random.Random(seed)
    behaviors = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
    def cutter():
        return rng.choice([
            pre_tokenizers.WhitespaceSplit, pre_tokenizers.WhitespaceSplit, pre_tokenizers.Whitespace, pre_tokenizers.BertPreTokenizer,
            lambda: pre_tokenizers.Digits(rng.random() < 0.5), lambda: pre_tokenizers.Punctuation(rng.choice(behaviors)),
            lambda: pre_tokenizers.CharDelimiterSplit(rng.choice("a-▁")),
            lambda: pre_tokenizers.Split(rng.choice([" ", "a", "▁", "th"]), rng.choice(behaviors), rng.random() < 0.2),
            lambda: pre_tokenizers.Split(Regex(rng.choice([r"\p{N}{1,3}", r" ?\p{L}+", r"\s+", r"[^\s\p{L}]+", GPT2, r"[0-9][0-9][0-9]"])), rng.choice(behaviors), rng.random() < 0.2)])()
    scheme = rng.choice(["always", "always", "first", "never"])
    special = {"bytes": [pre_tokenizers.ByteLevel(add_prefix_space=rng.random() < 0.5, use_regex=rng.random() < 0.5)],
               "marks": [pre_tokenizers.Metaspace(prepend_scheme=scheme, split=rng.random() < 0.7)], "plain": []}
    kind = rng.choice(["bytes", "marks", "marks", "plain"])
    chain = [cutter() for _ in range(rng.choice([0, 1, 1, 1, 2]))] + special[kind] + [cutter() for _ in range(rng.choice([0, 0, 0, 1]))]
    forms = [normalizers.NFC, normalizers.NFD, normalizers.NFKC, normalizers.NFKD, normalizers.Lowercase, normalizers.StripAccents,
             lambda: normalizers.Strip(rng.random() < 0.5, rng.random() < 0.5), lambda: normalizers.Replace(Regex(r"\s+"), " ")]
    norm = [rng.choice(forms)() for _ in range(rng.choice([0, 0, 0, 1, 2]))]
    # "first" goes by where in the text as written a piece begins, which is not known here behind such a normalizer.
    if kind == "marks" and scheme == "first" and len(chain) > 1: norm = []
    replaces = kind == "plain" and rng.random() < 0.3
    if replaces: norm += [normalizers.Prepend("▁")] * (rng.random() < 0.5) + [normalizers.Replace(" ", "▁")]
    unigram = kind != "bytes" and rng.random() < 0.4
    unk = "<unk>" if unigram or (kind != "bytes" and rng.random() < 0.6) else None
    t = Tokenizer(models.Unigram() if unigram else models.BPE(unk_token=unk, fuse_unk=rng.random() < 0.5, ignore_merges=rng.random() < 0.2))
    if norm: t.normalizer = normalizers.Sequence(norm) if len(norm) > 1 or rng.random() < 0.5 else norm[0]
    if chain: t.pre_tokenizer = pre_tokenizers.Sequence(chain) if len(chain) > 1 or rng.random() < 0.3 else chain[0]
    sample = [w + " " + v for w in WORDS[:40] + ["a b", "▁ a", "the cat, the hat 12 345."] for v in rng.sample(WORDS, 3)]
    size = rng.choice([90, 140])
    if unigram: trainer = trainers.UnigramTrainer(vocab_size=size + 120, unk_token="<unk>", special_tokens=["<unk>", "<s>"], show_progress=False)
    else: trainer = trainers.BpeTrainer(vocab_size=size + 60, limit_alphabet=size,  special_tokens=["<s>"] + ([unk] if unk else []), show_progress=False)
    t.train_from_iterator(sample, trainer)
    if kind == "bytes": t.decoder = decoders.ByteLevel()
    elif kind == "marks": t.decoder = decoders.Metaspace(prepend_scheme=scheme)
    elif replaces: t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    else: t.decoder = decoders.Fuse()
    for content in rng.sample(["<x>", "Foo", "naïve", "42", "▁a", " b"], rng.choice([0, 0, 1, 2])):
        # A piece that is added again and looked for as normalised is decoded as normalised, which is not done here.
        if t.token_to_id(content) is None: t.add_tokens([AddedToken(content, single_word=rng.random() < 0.3, lstrip=rng.random() < 0.3, rstrip=rng.random() < 0.3, normalized=rng.random() < 0.5)])
    path = os.path.join(folder, f"chained-{seed}.json"); t.save(path)
    return path

def worded(seed, folder):
    """A small tokenizer of words or word pieces, or of merges with a mark at the end of each word, as BERT and GPT-1 have."""
    from tokenizers import trainers
    rng = random.Random(seed)
    kind = rng.choice(["pieces", "words", "suffix"])
    sample = [w + " " + v for w in WORDS[:60] + ["the cat, the hat 12 345.", "don't do not we've"] for v in rng.sample(WORDS, 3)]
    special = ["[UNK]", "[CLS]", "<unk>"]
    if kind == "pieces":
        t, trainer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=rng.choice([8, 100]))), trainers.WordPieceTrainer(vocab_size=500, special_tokens=special, show_progress=False)
        t.decoder = decoders.WordPiece(cleanup=rng.random() < 0.5)
    elif kind == "words":
        t, trainer = Tokenizer(models.WordLevel(unk_token="[UNK]")), trainers.WordLevelTrainer(vocab_size=150, special_tokens=special, show_progress=False)
        if rng.random() < 0.5: t.decoder = decoders.WordPiece(cleanup=rng.random() < 0.5)
    else:
        t, trainer = Tokenizer(models.BPE(unk_token=rng.choice(["<unk>", None]), end_of_word_suffix="</w>", fuse_unk=rng.random() < 0.3)), trainers.BpeTrainer(vocab_size=300, end_of_word_suffix="</w>", special_tokens=special, show_progress=False)
        t.decoder = decoders.BPEDecoder()
    if rng.random() < 0.8: t.normalizer = normalizers.BertNormalizer(rng.random() < 0.7, rng.random() < 0.7, rng.choice([None, True, False]), rng.random() < 0.6)
    t.pre_tokenizer = rng.choice([pre_tokenizers.BertPreTokenizer, pre_tokenizers.BertPreTokenizer, pre_tokenizers.Whitespace, pre_tokenizers.WhitespaceSplit])()
    t.train_from_iterator(sample, trainer)
    for content in rng.sample(["<x>", "Foo"], rng.choice([0, 1])): t.add_tokens([AddedToken(content, normalized=rng.random() < 0.5)])
    path = os.path.join(folder, f"worded-{seed}.json"); t.save(path)
    return path

# Texts of which normalising makes marks, and pieces of bytes spelled out.
MARKED = ["<S>", "<s>", "a<S>b", " <S>", "<S> ", "<S><S>", "x <S> y", "<UNK>", "a <UNK>b", "<UNK><UNK>é", "<0x41>", "a <0x41>", "[CLS]", "[cls] a", "A", "BAB", "a B",
          "＜s＞", "ａ", "Q", "qQ q", "<ſ>", "< S >", "<S", "S>", "the <S> cat", "THE CAT", "the cat", "é<S>é", ""]

def marked(seed, folder):
    """A small tokenizer in whose text normalising makes what is a mark, which added tokens are too early to find."""
    from tokenizers import trainers
    rng = random.Random(seed)
    kind = rng.choice(["bpe", "bpe", "bytes", "unigram", "unigram", "pieces", "words"])
    special = ["<unk>", "<s>", "[cls]", "q"]
    bytes_of = [f"<0x{b:02X}>" for b in range(256)] if kind in ("bpe", "unigram") and rng.random() < 0.4 else []
    unk = "<unk>" if kind in ("unigram", "pieces", "words") or rng.random() < 0.5 else None
    if kind == "bpe" or kind == "bytes":
        t = Tokenizer(models.BPE(unk_token=unk, fuse_unk=rng.random() < 0.5, ignore_merges=rng.random() < 0.6, byte_fallback=bool(bytes_of)))
        trainer = trainers.BpeTrainer(vocab_size=180 + len(bytes_of), limit_alphabet=60, special_tokens=special, show_progress=False)
    elif kind == "unigram": t, trainer = Tokenizer(models.Unigram()), trainers.UnigramTrainer(vocab_size=120, unk_token="<unk>", special_tokens=special, show_progress=False)
    elif kind == "pieces": t, trainer = Tokenizer(models.WordPiece(unk_token="<unk>")), trainers.WordPieceTrainer(vocab_size=180, special_tokens=special, show_progress=False)
    else: t, trainer = Tokenizer(models.WordLevel(unk_token="<unk>")), trainers.WordLevelTrainer(vocab_size=100, special_tokens=special, show_progress=False)
    t.normalizer = rng.choice([normalizers.Lowercase(), normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])])
    metaspace = kind in ("bpe", "unigram") and not bytes_of and rng.random() < 0.4
    if kind == "bytes": t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=rng.random() < 0.3, use_regex=False)
    elif metaspace: t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=rng.choice(["always", "never"]))
    elif rng.random() < 0.6 or kind in ("pieces", "words"): t.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    t.train_from_iterator([w + " " + v for w in ["the", "cat", "aba", "bab", "é", "s x"] for v in rng.sample(WORDS, 6)] * 2, trainer)
    t.decoder = decoders.ByteLevel() if kind == "bytes" else decoders.Metaspace(prepend_scheme=t.pre_tokenizer.prepend_scheme) if metaspace else decoders.WordPiece() if kind == "pieces" else decoders.Fuse()
    path = os.path.join(folder, f"marked-{seed}.json"); t.save(path)
    if bytes_of:   # no trainer adds them
        d = json.load(open(path)); m = d["model"]
        if kind == "unigram": m["vocab"] += [[b, -rng.choice([3.0, 12.0])] for b in bytes_of]; m["byte_fallback"] = True
        else: m["vocab"].update({b: len(m["vocab"]) + i for i, b in enumerate(bytes_of)})
        d["decoder"] = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]}
        json.dump(d, open(path, "w")); Tokenizer.from_file(path)
    return path

# ---- comparison

def run(chimera, path, lines, plain):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
        for line in lines: f.write(json.dumps(line) + "\n")
        f.flush()
        r = subprocess.run([chimera, "tokenize", path, "--lines", f.name, "--json"] + (["--plain"] if plain else []), capture_output=True, text=True)
    if r.returncode == 3 and "not built here" in r.stderr: raise NotImplementedError(r.stderr.strip().split("error: ")[-1])
    if r.returncode: sys.exit(f"{path}: status {r.returncode}: {r.stderr[:300]}")
    return [json.loads(line) for line in r.stdout.split("\n") if line]

def describe(path):
    d = json.load(open(path))
    return json.dumps([d["normalizer"], d["pre_tokenizer"], {k: v for k, v in d["model"].items() if k not in ("vocab", "merges")}, d["added_tokens"][2:], d["decoder"]])[:900]

def compare(chimera, name, path, reference, every, lists, show, quiet=False):
    plain = not isinstance(reference, Pieces) and not name.startswith("hf-json")
    chosen = [t for t in every if reference.takes(t)]
    got = run(chimera, path, chosen, plain)
    wrong, ids = 0, []
    for text, g in zip(chosen, got):
        want = reference.encode(text); ids.append(reference.text_ids(want))
        if g["ids"] != want:
            wrong += 1
            if wrong <= show:
                at = next((i for i, (a, b) in enumerate(zip(g["ids"], want)) if a != b), min(len(g["ids"]), len(want)))
                print(f"  {ascii(text)[:120]}\n    got  {g['ids'][max(0, at-2):at+8]}\n    want {want[max(0, at-2):at+8]}")
    rng = random.Random(1)
    ids += [[rng.randrange(reference.size()) for _ in range(rng.randrange(0, 9))] for _ in range(lists)]
    ids = [i for i in ids if reference.decodes(i)]
    back, lost = run(chimera, path, ids, plain), 0
    for i, b in zip(ids, back):
        want = reference.decode(i)
        if b["text"] != want:
            lost += 1
            if lost <= show: print(f"  decode {i[:12]}\n    got  {ascii(b['text'])[:150]}\n    want {ascii(want)[:150]}")
    if wrong + lost and quiet: print("  " + describe(path))
    if wrong + lost or not quiet: print(f"{name}: {len(chosen)} texts, {wrong} encoded otherwise; {len(ids)} lists of ids, {lost} decoded otherwise", flush=True)
    return wrong + lost

# ---- small vectors for the tests that run without Python

# Where a rank file's way of splitting is named, as the tests name it.
SPLITTING = {"tiktoken/tekken": ("tiktoken/o200k_base.tiktoken", "tekken"), "llama3-tiktoken": ("llama3-tiktoken/tokenizer.model", "llama-bpe"),
             "qwen-tiktoken": ("qwen-tiktoken/qwen.tiktoken", "qwen2")}

def fingerprint(ids):  # FNV-1a, 32 bits
    h = 0x811c9dc5
    for b in ",".join(map(str, ids)).encode(): h = (h ^ b) * 0x01000193 & 0xffffffff
    return f"{h:08x}"

def store(chimera, data, target):
    """chained.json: tokenizers of random parts, whole; hostile.json: fingerprints of the ids that the data's tokenizers give."""
    every = texts(10000, 1)
    rng = random.Random(7)
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        for made, seed in [(chained, seed) for seed in range(60)] + [(worded, seed) for seed in range(12)] + [(marked, seed) for seed in range(40)]:
            try: path = made(seed, folder)
            except Exception: continue
            reference = Fast(Tokenizer.from_file(path))
            chosen = MARKED if made is marked else rng.sample([t for t in every if len(t) < 60], 24) + ["a ▁ b", "▁", "", " a  b ", "x\u200dy ⅻ", "the cat 123 45!"]
            try: run(chimera, path, chosen[:1], False)
            except NotImplementedError: continue
            ids = [reference.encode(t) for t in chosen]
            cases.append(dict(tokenizer=json.load(open(path)), texts=chosen, ids=ids, decoded=[reference.decode(i) for i in ids]))
        hostile = [t for t in every if len(t) < 200][::30]
        prints = {}
        for name, path, reference in all_of(data, folder):
            file, splitting = SPLITTING.get(name, (os.path.relpath(path, data), None))
            reference = reference()
            prints[name] = dict(file=file, splitting=splitting, marks=isinstance(reference, Pieces) or name.startswith("hf-json"),
                                ids=[fingerprint(reference.encode(t)) if reference.takes(t) else None for t in hostile])
    os.makedirs(target, exist_ok=True)
    json.dump(dict(cases=cases), open(target + "/chained.json", "w"), separators=(",", ":"))
    json.dump(dict(texts=hostile, vocabularies=prints), open(target + "/hostile.json", "w"), separators=(",", ":"))
    print(f"{len(cases)} chained tokenizers; {len(hostile)} texts for {len(prints)} vocabularies")

if __name__ == "__main__":
    p = argparse.ArgumentParser(); p.add_argument("chimera"); p.add_argument("data"); p.add_argument("names", nargs="*")
    p.add_argument("-n", type=int, default=10000); p.add_argument("--seed", type=int, default=1); p.add_argument("--chained", type=int, default=200, help="how many tokenizers of random parts"); p.add_argument("--store", help="write small vectors into this folder, and compare nothing"); p.add_argument("--scalars", action="store_true", help="every code point instead of texts"); p.add_argument("--show", type=int, default=5)
    a = p.parse_intermixed_args()
    if a.store: store(a.chimera, a.data, a.store); sys.exit()
    every, total, count = every_scalar() if a.scalars else texts(a.n, a.seed), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for name, path, reference in all_of(a.data, folder):
            if a.names and not any(n in name for n in a.names): continue
            count += 1
            total += compare(a.chimera, name, path, reference(), every, a.n // 5, a.show)
        for made, seed in [(chained, seed) for seed in range(a.chained)] + [(worded, seed) for seed in range(a.chained // 4)] + [(marked, seed) for seed in range(a.chained)]:
            try: path = made(seed, folder)
            except Exception: continue  # the trainer finds no vocabulary so small
            reference = Fast(Tokenizer.from_file(path)); count += 1
            try: total += compare(a.chimera, f"hf-json/{made.__name__}-{seed}", path, reference, MARKED + every[-100:] if made is marked else every[-500:], 0 if made is marked else 100, a.show, quiet=True)
            except NotImplementedError as refused: print(f"{made.__name__}-{seed}: refused: {refused}")
    print(f"{count} tokenizers, {total} differences")
    sys.exit(1 if total else 0)
