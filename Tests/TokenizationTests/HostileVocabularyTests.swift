import Files
import Testing
import Tokenization

@Suite("Vocabularies that nobody should write")
struct HostileVocabularyTests {
  static let texts = [
    "", "a", "<0x", "<0x-1>", "hello <s> wörld", String(repeating: "a", count: 5000), "\u{0}\u{FFFF}",
  ]

  func exercise(_ tokenizer: Tokenizer) {
    for text in Self.texts {
      let ids = tokenizer.encode(text)
      #expect(ids.allSatisfy { $0 >= 0 && $0 < tokenizer.count })
      _ = tokenizer.decode(ids)
    }
    for id in [-1, 0, 1, tokenizer.count - 1, tokenizer.count, Int.max, Int.min] {
      _ = tokenizer.decode([id])
      _ = tokenizer.piece(of: id)
      _ = tokenizer.bytes(of: id)
      _ = tokenizer.isSpecial(id)
    }
  }

  static let odd = [
    "<0x", "<0xZZ>", "<0x-1>", "<0x100>", "<0x+1>", "<0x 1>", "", "", "a", "a", "▁", "▁▁", " ", "Ġ", "a b", "\u{0}",
    "<s>", "<s>", String(repeating: "a", count: 1 << 20), "\u{10FFFF}",
  ]

  @Test("odd, doubled, empty and endless pieces do no harm", arguments: ["llama", "gpt2", "t5"])
  func pieces(_ model: String) throws {
    for kind in 0...7 {
      var table = VocabularyTable(path: "x.gguf", model: model, pieces: TextList(Self.odd))
      if model == "t5" { table.pieces = TextList(table.pieces.filter { $0.utf8.count <= 1024 }) }
      table.scores = table.pieces.indices.map { Float(-$0) }
      table.kinds = table.pieces.indices.map { $0 % 8 == kind ? kind : 1 }
      table.preTokenizer = "gpt-2"
      // A piece of the kind "byte" that names none is refused; that is the next test.
      if kind == 6, model != "gpt2" { continue }
      exercise(try Tokenizer(table))
    }
  }

  @Test("a piece of the kind 'byte' names one byte in two hexadecimal digits")
  func bytePieces() throws {
    for name in Self.odd.prefix(8) {
      var table = VocabularyTable(path: "x.gguf", model: "llama", pieces: ["a", name])
      table.scores = [0, 0]
      table.kinds = [1, 6]
      #expect(
        problem { _ = try Tokenizer(table) }
          == "x.gguf: error: the piece with the id 1 is of the kind 'byte' and is called '\(name)'")
    }
  }

  @Test("ids and merges that lead nowhere do nothing")
  func references() throws {
    var table = VocabularyTable(path: "x.gguf", model: "gpt2", pieces: ["a", "b", "ab", "Ġ"])
    table.preTokenizer = "gpt-2"
    table.merges = ["a b", "x y", "a", "", " ", "a  b", "ab ab", "a b c", "\u{0} \u{0}", "ab x"]
    table.beginningOfText = 1 << 40
    table.endOfText = [-5, 99]
    table.unknown = -1
    table.addsBeginning = true
    table.addsEnd = true
    let tokenizer = try Tokenizer(table)
    exercise(tokenizer)
    #expect(tokenizer.encode("abab") == [2, 2])
    #expect(tokenizer.beginningOfText == nil)
    #expect(tokenizer.endOfText == [])
  }

  @Test("lists of different lengths, scores that are no numbers and unknown names are refused")
  func refused() throws {
    func message(_ change: (inout VocabularyTable) -> Void) -> String {
      var table = VocabularyTable(path: "x.gguf", model: "llama", pieces: ["a", "b"])
      table.scores = [0, -1]
      change(&table)
      return problem { _ = try Tokenizer(table) } ?? ""
    }
    #expect(message { _ in } == "")
    #expect(message { $0.scores = nil }.contains("the vocabulary has no scores"))
    #expect(message { $0.scores = [0] }.contains("2 tokens have 1 entries in scores"))
    #expect(message { $0.kinds = [1, 1, 1] }.contains("2 tokens have 3 entries in token_type"))
    #expect(message { $0.scores = [0, .nan] }.contains("the piece with the id 1 has the score nan"))
    #expect(message { $0.scores = [.infinity, 0] }.contains("the piece with the id 0 has the score inf"))
    #expect(message { $0.unknown = 7 }.contains("the unknown piece has the id 7"))
    #expect(message { $0.characterMap = [1, 2, 3] }.contains("precompiled_charsmap"))
    #expect(
      message { $0.model = "bert" } == "x.gguf: error: tokenizer.ggml.model asks for 'bert', which is not built here")
    #expect(
      message {
        $0.model = "gpt2"
        $0.preTokenizer = "novel"
      } == "x.gguf: error: tokenizer.ggml.pre asks for 'novel', which is not built here")
  }

  @Test("kinds out of range are normal pieces")
  func kinds() throws {
    var table = VocabularyTable(path: "x.gguf", model: "llama", pieces: ["a", "b", "c"])
    table.scores = [0, -1, -2]
    table.kinds = [Int.min, Int.max, 7]
    exercise(try Tokenizer(table))
  }

  @Test("a table of characters of random bytes does no harm")
  func characterMaps() throws {
    var generator = SplitMix(state: 3)
    for _ in 0..<300 {
      let units = Int.random(in: 1...64, using: &generator)
      var map = withUnsafeBytes(of: UInt32(units * 4).littleEndian) { Array($0) }
      for _ in 0..<units * 4 + 20 { map.append(UInt8.random(in: 0...255, using: &generator)) }
      var table = VocabularyTable(path: "x.gguf", model: "t5", pieces: ["<unk>", "a", "▁"])
      table.scores = [0, -1, -2]
      table.kinds = [2, 1, 1]
      table.characterMap = map
      exercise(try Tokenizer(table))
    }
  }

  @Test("rank files and binary vocabularies that are cut or changed never trap")
  func binaryFiles() throws {
    let ranks = Array((0...255).map { "\(base64([UInt8($0)])) \($0)\n" }.joined().utf8)
    var scores: [UInt8] = [4, 0, 0, 0]
    for piece in ["<unk>", "\n<s>\n", "\n</s>\n", "<0x41>", " a", "a", "bc"] {
      scores += [0, 0, 0x80, 0xBF] + withUnsafeBytes(of: Int32(piece.utf8.count).littleEndian) { Array($0) }
      scores += Array(piece.utf8)
    }
    scores[0] = 6
    exercise(try TemporaryFolder.load("tok.bin", scores))
    var generator = SplitMix(state: 4)
    for file in [ranks, scores] {
      for count in stride(from: 0, to: file.count, by: 5) {
        if let tokenizer = try? TemporaryFolder.load("x", Array(file[..<count]), splitting: "gpt-2") {
          exercise(tokenizer)
        }
      }
      for _ in 0..<300 {
        var changed = file
        changed[Int.random(in: 0..<file.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        if let tokenizer = try? TemporaryFolder.load("x", changed, splitting: "gpt-2") { exercise(tokenizer) }
      }
    }
  }

  @Test("an added token of a mebibyte is refused, a piece of a mebibyte is not")
  func endless() throws {
    let long = String(repeating: "a", count: 1 << 20)
    let added = #"[{"id": 9, "content": "\#(long)", "special": true}]"#
    let message = try #require(problem { _ = try TokenizerJSONTests.tokenizer(TokenizerJSONTests.file(added: added)) })
    #expect(message.contains("the added token with the id 9 has 1048576 bytes; at most 1024 are looked for"))
    exercise(try TokenizerJSONTests.tokenizer(TokenizerJSONTests.file(vocab: ["a", "b", long], merges: "[]")))
  }
}
