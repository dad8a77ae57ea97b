import SharedData
import Testing
import Tokenization

@Suite("Decoding id by id")
struct StreamDecoderTests {
  static let text = " Héllo 😀👩‍👩‍👧 中文 e\u{301} \u{10FFFF}\u{E000}  ü\n\nв конце ﷽ "

  @Test("gives the whole text, wherever it is stopped", .needs("tokenizers", "llama"), arguments: VocabularyFile.all)
  func everySplit(_ file: VocabularyFile) throws {
    let tokenizer = try file.tokenizer()
    let ids = tokenizer.encode(Self.text)
    for stop in 0...ids.count {
      var decoder = tokenizer.streamDecoder()
      var text = ""
      for id in ids[..<stop] { text += decoder.append(id) }
      text += decoder.finish()
      #expect(text.utf8.elementsEqual(tokenizer.decode(ids[..<stop]).utf8), "stopped at \(stop)")
    }
  }

  @Test("never gives a part of a character", .needs("tokenizers"), arguments: ["gpt2", "llama2-spm/tokenizer.model"])
  func wholeCharacters(_ name: String) throws {
    let tokenizer = try TestData.tokenizer("tokenizers/" + name)
    var decoder = tokenizer.streamDecoder()
    for id in tokenizer.encode(Self.text) {
      #expect(!decoder.append(id).unicodeScalars.contains("\u{FFFD}"))
    }
    #expect(decoder.finish() == "")
  }

  /// Ids 0 to 255 are the bytes.
  static func bytes() throws -> Tokenizer {
    let lines = (0...255).map { "\(base64([UInt8($0)])) \($0)" }
    return try TemporaryFolder.load(
      "bytes.tiktoken", Array(lines.joined(separator: "\n").utf8), splitting: "gpt-2", specialTokens: ["<end>": 256])
  }

  @Test("any bytes decode as the standard library decodes them, whole and one by one")
  func anyBytes() throws {
    let tokenizer = try Self.bytes()
    var generator = SplitMix(state: 1)
    let leads: [UInt8] = [
      0x41, 0x80, 0xBF, 0xC0, 0xC2, 0xE0, 0xE2, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF, 0x9F, 0xA0, 0x90,
    ]
    for _ in 0..<5000 {
      let bytes = (0..<Int.random(in: 0...9, using: &generator)).map { _ in
        leads.randomElement(using: &generator) ?? 0
      }
      let expected = String(decoding: bytes, as: UTF8.self)
      #expect(tokenizer.decode(bytes.map(Int.init)).utf8.elementsEqual(expected.utf8), "\(bytes)")
      var decoder = tokenizer.streamDecoder()
      var streamed = ""
      for byte in bytes { streamed += decoder.append(Int(byte)) }
      streamed += decoder.finish()
      #expect(streamed.utf8.elementsEqual(expected.utf8), "\(bytes)")
    }
  }

  @Test("an id without a piece is U+FFFD, a mark is left out when asked")
  func marks() throws {
    let tokenizer = try Self.bytes()
    let ids = [0x41, 99_999, -1, Int.max, Int.min, 256, 0x42]
    #expect(tokenizer.decode(ids) == "A\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}<end>B")
    #expect(tokenizer.decode(ids, skipSpecialTokens: true) == "A\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}B")
    // The bytes of "é" around a mark that is left out belong together, as they do in `decode`.
    var decoder = tokenizer.streamDecoder(skipSpecialTokens: true)
    #expect(decoder.append(0xC3) == "")
    #expect(decoder.append(256) == "")
    #expect(decoder.append(0xA9) == "é")
  }

  @Test("the space before a text is its tokenizer's, unless text stands before it", .needs("tokenizers"))
  func leadingSpace() throws {
    let tokenizer = try TestData.tokenizer("tokenizers/llama2-spm/tokenizer.model")
    let ids = tokenizer.encode("Once", addSpecialTokens: false)
    #expect(tokenizer.piece(of: ids[0]) == "▁Once")
    var first = tokenizer.streamDecoder()
    #expect(first.append(ids[0]) == "Once")
    #expect(first.append(ids[0]) == " Once")
    var later = tokenizer.streamDecoder(startsText: false)
    #expect(later.append(ids[0]) == " Once")
  }
}

/// SplitMix64 (Steele, Lea and Flood 2014), for the same cases in every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
