import SharedData
import Testing
import Tokenization

@Suite("One character, one id")
struct CharacterVocabularyTests {
  @Test("from an object of characters and ids", .needs("gpt2/tinystories-char-223k"))
  func object() throws {
    let tokenizer = try TestData.tokenizer("gpt2/tinystories-char-223k")
    let ids = tokenizer.encode("Once\n")
    // The ids of vocab_ascii.json.
    #expect(ids == ["O", "n", "c", "e", "\n"].map { tokenizer.id(of: $0) })
    #expect(ids.last == 1)
    #expect(tokenizer.decode(ids) == "Once\n")
    #expect(tokenizer.id(of: "\t") == 0)
    #expect(tokenizer.id(of: "A") == 35)
    #expect(tokenizer.piece(of: 66) == "a")
    // Ids 61 to 65 are known to exist and not which characters they are.
    #expect(tokenizer.piece(of: 61) == nil)
    #expect(tokenizer.decode([61]) == "\u{FFFD}")
  }

  @Test("from a list of characters, and from a file of one")
  func list() throws {
    let tokenizer = try Tokenizer(characters: "ABC".unicodeScalars)
    #expect(tokenizer.encode("CAB") == [2, 0, 1])
    #expect(tokenizer.decode([2, 0, 1]) == "CAB")
    #expect(tokenizer.count == 3)
    #expect(tokenizer.beginningOfText == nil)
    let loaded = try TemporaryFolder.load("characters.json", Array(#"["x", "é", "中"]"#.utf8))
    #expect(loaded.encode("中xé") == [2, 0, 1])
  }

  @Test("a character without an id is named, and left out by encode")
  func unknown() throws {
    let tokenizer = try Tokenizer(characters: "ABC".unicodeScalars)
    try tokenizer.requireEncodable("ABBA")
    #expect(
      problem { try tokenizer.requireEncodable("AéB") }
        == "the character 'é' (U+00E9) at place 1 has no id in this vocabulary")
    #expect(tokenizer.encode("AéB") == [0, 1])
    #expect(
      problem { _ = try Tokenizer(characters: "ABA".unicodeScalars) }?.contains("'A' (U+0041) comes twice") == true)
  }

  @Test("a mebibyte of text takes a moment")
  func long() throws {
    let tokenizer = try Tokenizer(characters: "ab".unicodeScalars)
    #expect(tokenizer.encode(String(repeating: "ab", count: 1 << 19)).count == 1 << 20)
  }
}
