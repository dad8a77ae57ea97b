import Files
import Foundation
import Testing

import Tokenization

@Suite struct BytePairTrainerTests {
  static let text = """
    Twinkle, twinkle, little star, how I wonder what you are! Up above the world so high, like a diamond in the sky.
    When the blazing sun is gone, when he nothing shines upon, then you show your little light, twinkle, twinkle, all the night.
    Ça va? 12 12 12 naïve naïve naïve   done   done\n\n\ndone

    """

  /// tokenizers 0.22 on the text above:
  ///
  ///     t = Tokenizer(models.BPE()); t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
  ///     t.train_from_iterator([text], trainers.BpeTrainer(vocab_size=320, min_frequency=2,
  ///       special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
  ///     ["|".join(x) for x in json.loads(t.to_str())["model"]["merges"]]
  static let merges = [
    "h|e", "i|n", "Ġ|t", "o|n", "l|e", "Ġ|s", "Ġ|n", "Ġt|he", "k|le", "l|i", "v|e", "w|in", "Ġ|a", "Ġ|w", "Ġ|li",
    "on|e",
    "win|kle", "1|2", "a|Ã", "d|one", "g|h", "o|u", "y|ou", "¯|ve", "Ġ|12", "Ġ|you", "Ġt|winkle", "Ġn|aÃ", "ĠnaÃ|¯ve",
    "h|o",
    "h|in", "i|gh", "t|t", "Ġ|Ġ", "Ġ|done", "he|n", "on|d", "Ġli|tt", "ho|w", "Ġlitt|le",
  ]

  @Test("merges what Hugging Face's trainer merges, in its order")
  func sameMerges() throws {
    var trainer = try BytePairTrainer()
    trainer.add(Self.text)
    let vocabulary = trainer.train(size: 320)
    #expect(vocabulary.merges.map { "\($0.left)|\($0.right)" } == Self.merges)
    #expect(vocabulary.pieces.count == 297)
    #expect(trainer.train(size: 260).merges.count == 3)
  }

  @Test("its file is read back, and texts come back as they were")
  func roundTrip() throws {
    var trainer = try BytePairTrainer()
    trainer.add(Self.text + "<|endoftext|>" + Self.text)
    let file = FileManager.default.temporaryDirectory.appending(path: "bpe-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let vocabulary = trainer.train(size: 320)
    try vocabulary.json.write(to: file, atomically: true, encoding: .utf8)
    let tokenizer = try Tokenizer.load(from: file.path)
    #expect(tokenizer.count == vocabulary.pieces.count && tokenizer.endOfText == [0])
    for text in [Self.text, "unseen ünïcödé 😀\t\u{0}\r\n", ""] {
      #expect(tokenizer.decode(tokenizer.encode(text)) == text)
    }
    #expect(tokenizer.encode("a<|endoftext|>").last == 0)
    #expect(tokenizer.encode(" twinkle").count == 1)
  }
}
