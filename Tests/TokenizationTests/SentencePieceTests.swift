import Testing
import Tokenization

@Suite("SentencePiece models")
struct SentencePieceTests {
  // Made with sentencepiece 0.2.3: SentencePieceProcessor(model_file='small.model').encode(text).
  @Test(
    "a unigram model with a table of characters gives the library's ids",
    arguments: [
      ("The ABC of it", [3, 41, 11, 4, 27, 46, 19, 3, 6, 22, 3, 7, 5], "The axy of it"),
      ("a  ﬁsh\u{3000}and BC ", [27, 3, 22, 7, 9, 11, 27, 12, 14, 3, 46, 19], "a fish and xy"),
      ("BC", [3, 46, 19], "xy"),
      ("zebra☃☃ x", [3, 76, 4, 25, 13, 8, 0, 3, 46], "zebra<unk> x"),
      ("", [], ""),
      (" ", [], ""),
      ("  the  a ", [24, 27], "the a"),
    ])
  func unigram(_ text: String, _ ids: [Int], _ decoded: String) throws {
    let tokenizer = try TemporaryFolder.load("small.model", smallModel)
    #expect(tokenizer.encode(text) == ids)
    #expect(tokenizer.decode(ids) == decoded)
    #expect(tokenizer.piece(of: 24) == "▁the")
    #expect(tokenizer.id(of: "▁the") == 24)
    #expect(tokenizer.beginningOfText == 1)
    #expect(!tokenizer.addsBeginningOfText)
  }

  @Test("a file cut anywhere is refused or read as what is left, and never traps")
  func truncated() throws {
    for count in stride(from: 0, to: smallModel.count, by: 7) {
      guard let tokenizer = try? TemporaryFolder.load("small.model", Array(smallModel[..<count])) else { continue }
      _ = tokenizer.decode(tokenizer.encode("The ABC of ﬁ"))
    }
  }

  @Test("a changed file is refused or read, and never traps")
  func changed() throws {
    var generator = SplitMix(state: 2)
    var loaded = 0
    for _ in 0..<1000 {
      var bytes = smallModel
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      guard let tokenizer = try? TemporaryFolder.load("small.model", bytes) else { continue }
      loaded += 1
      _ = tokenizer.decode(tokenizer.encode("The ABC of ﬁ, \u{3000} zebra☃ "))
    }
    // Most changes are inside a piece or a score.
    #expect(loaded > 300)
  }

  @Test("a score or a kind that makes no sense is refused")
  func refused() throws {
    func model(score: [UInt8], kind: UInt8, piece: String = "a") -> [UInt8] {
      let piece = Array(piece.utf8)
      let message = [0x0A, UInt8(piece.count)] + piece + [0x15] + score + [0x18, kind]
      return [0x0A, UInt8(message.count)] + message
    }
    let zero: [UInt8] = [0, 0, 0, 0]
    func message(_ bytes: [UInt8]) -> String {
      problem { _ = try TemporaryFolder.load("x.model", bytes) } ?? ""
    }
    #expect(message(model(score: zero, kind: 1)) == "")
    #expect(message(model(score: [0, 0, 0xC0, 0x7F], kind: 1)).contains("the piece with the id 0 has the score nan"))
    #expect(message(model(score: zero, kind: 9)).contains("a piece is of the unknown kind 9"))
    for name in ["<0x", "<0xZZ>", "<0x-1>", "<0x100>", "", "<0x4>"] {
      #expect(
        message(model(score: zero, kind: 6, piece: name))
          .contains("the piece with the id 0 is of the kind 'byte' and is called '\(name)'"))
    }
    #expect(message(model(score: zero, kind: 6, piece: "<0x0a>")) == "")
  }
}
