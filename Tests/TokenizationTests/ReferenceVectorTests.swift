import Files
import Foundation
import SharedData
import Testing
import Tokenization

/// What the reference libraries give for hostile texts, kept by `Tests/Interop/tokenizing.py --store`: tokenizers 0.23.3,
/// and sentencepiece 0.2.3 for its own models.
@Suite("Ids of the reference libraries")
struct ReferenceVectorTests {
  private static func stored(_ name: String) throws -> JSONValue {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return try JSONValue(contentsOf: tests.path + "/Regressions/Tokens/" + name)
  }

  private static func ids(_ value: JSONValue) -> [Int] { (value.array ?? []).compactMap(\.integer) }

  static let chains = (try? stored("chained.json"))?["cases"]?.array ?? []

  @Test("tokenizers of parts drawn at random give the library's ids and texts", arguments: chains.indices)
  func chained(_ index: Int) throws {
    let item = Self.chains[index]
    let file = try #require(item["tokenizer"]).serialized(pretty: false)
    let tokenizer = try TemporaryFolder.load("tokenizer.json", Array(file.utf8))
    let texts = try #require(item["texts"]?.array).compactMap(\.string)
    let ids = try #require(item["ids"]?.array).map(Self.ids)
    let decoded = try #require(item["decoded"]?.array).compactMap(\.string)
    #expect(texts.count == 30 && ids.count == 30 && decoded.count == 30)
    for ((text, ids), back) in zip(zip(texts, ids), decoded) {
      #expect(tokenizer.encode(text) == ids, "\(text.debugDescription)")
      #expect(tokenizer.decode(ids).utf8.elementsEqual(back.utf8), "\(text.debugDescription)")
    }
  }

  @Test("no text has a mark's id where marks are not looked for", arguments: chains.indices)
  func marksInText(_ index: Int) throws {
    let item = Self.chains[index]
    let file = try #require(item["tokenizer"])
    let tokenizer = try TemporaryFolder.load("tokenizer.json", Array(file.serialized(pretty: false).utf8))
    let unknown = file["model"]?["unk_token"]?.string.flatMap { tokenizer.id(of: $0) }
    for text in try #require(item["texts"]?.array).compactMap(\.string) {
      // Twice, with the other way between: words are remembered.
      for _ in 0..<2 {
        let ids = tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false)
        #expect(
          ids.allSatisfy {
            tokenizer.specialTokens.values.contains($0) == false || $0 == unknown
              || $0 == file["model"]?["unk_id"]?.integer
          },
          "\(text.debugDescription): \(ids)")
        _ = tokenizer.encode(text)
      }
    }
  }

  @Test("there are tokenizers with chains of every kind")
  func kinds() {
    #expect(Self.chains.count > 30 && Self.vocabularyNames.count > 20)
    let text = Self.chains.map { $0["tokenizer"]?.serialized(pretty: false) ?? "" }.joined()
    for part in ["Metaspace", "ByteLevel", "WhitespaceSplit", "Punctuation", "Digits", "Unigram", "StripAccents"] {
      #expect(text.contains("\"\(part)\""), "\(part)")
    }
  }

  static let vocabularyNames = (try? stored("hostile.json"))?["vocabularies"]?.object?.keys ?? []

  @Test(
    "published vocabularies give the libraries' ids of hostile texts", .needs("tokenizers"), arguments: vocabularyNames)
  func hostile(_ name: String) throws {
    let root = try Self.stored("hostile.json")
    let texts = try #require(root["texts"]?.array).compactMap(\.string)
    let item = try #require(root["vocabularies"]?[name])
    let prints = try #require(item["ids"]?.array)
    #expect(texts.count > 300 && prints.count == texts.count)
    let tokenizer = try TestData.tokenizer(
      "tokenizers/" + (try #require(item["file"]?.string)), splitting: item["splitting"]?.string)
    for (text, print) in zip(texts, prints) {
      guard let print = print.string else { continue }
      let ids = tokenizer.encode(text, addSpecialTokens: item["marks"]?.bool ?? false)
      #expect(Self.fingerprint(ids) == print, "\(text.debugDescription)")
    }
  }

  /// FNV-1a of 32 bits over the ids with commas between.
  private static func fingerprint(_ ids: [Int]) -> String {
    let hash = ids.map(String.init).joined(separator: ",").utf8.reduce(UInt32(0x811C_9DC5)) {
      ($0 ^ UInt32($1)) &* 0x0100_0193
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  // ../shared/cases/17, with a vocabulary of our own: the library leaves out a byte without a token, and its neighbours
  // merge.
  @Test("a byte without a token is left out before merging, and told")
  func leftOut() throws {
    // Without the splitting at white space, which would keep the neighbours apart.
    let whole = #"{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}"#
    let tokenizer = try TokenizerJSONTests.tokenizer(TokenizerJSONTests.file(preTokenizer: whole))
    #expect(tokenizer.encode("a\u{0B}b") == tokenizer.encode("ab"))
    #expect(tokenizer.encode("a\r\nb\u{0B}c") == [5])
    try tokenizer.requireEncodable("a\u{0B}b")
    let leftOut = try #require(tokenizer.leftOut(of: "a\r\nb\u{0B}é"))
    #expect(leftOut == LeftOut(first: "\r", count: 4))
    #expect(
      leftOut.description
        == "4 characters are left out, for the vocabulary has no token for them; the first is U+000D")
    #expect(tokenizer.leftOut(of: "ab c") == nil)
  }

  @Test("what normalising makes of a text is what is left out of it") func leftOutNormalised() throws {
    let file = try #require(Self.chains[11]["tokenizer"]).serialized(pretty: false)
    let tokenizer = try TemporaryFolder.load("tokenizer.json", Array(file.utf8))
    // Lower case; 's' has a token and '<' none, but the word is one, and the mark is found before.
    #expect(tokenizer.leftOut(of: "S") == nil)
    #expect(tokenizer.leftOut(of: "<S>") == nil)
    #expect(tokenizer.leftOut(of: "<s>") == nil)
    #expect(tokenizer.leftOut(of: "S<") == LeftOut(first: "<", count: 1))
  }
}
