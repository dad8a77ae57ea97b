import Files
import Foundation
import Kernels
import Testing
import Tokenization

import Training

@Suite struct TokenizedDataTests {
  /// A folder for one test, with a cache in it.
  private func inFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "data-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  private func read(_ folder: URL, _ names: [String], _ tokenizer: Tokenizer?, jsonKey: String = "text") throws
    -> TokenizedData
  {
    try TokenizedData(
      names.map { folder.appending(path: $0).path }, tokenizer: tokenizer, jsonKey: jsonKey,
      cacheFolder: folder.path + "/cache", pool: ThreadPool(threads: 2))
  }

  private func tokens(_ data: TokenizedData) -> [Int] { data.text[0..<data.text.count] }

  private func byteTokenizer() throws -> Tokenizer {
    let file = FileManager.default.temporaryDirectory.appending(path: "bytes-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    var trainer = try BytePairTrainer()
    trainer.add("the theme of the thesis, then")
    try trainer.train(size: 270).json.write(to: file, atomically: true, encoding: .utf8)
    return try Tokenizer.load(from: file.path)
  }

  @Test("a text is the ids that its tokenizer gives, the second time from the cache")
  func text() throws {
    try inFolder { folder in
      let tokenizer = try Tokenizer(characters: "\nabc".unicodeScalars)
      try "abc\ncab\n".write(to: folder.appending(path: "a.txt"), atomically: true, encoding: .utf8)
      let first = try read(folder, ["a.txt"], tokenizer)
      #expect(tokens(first) == [1, 2, 3, 0, 3, 1, 2, 0] && first.textBytes == 8)
      let cached = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/cache")
      #expect(cached.count == 1)
      let again = try read(folder, ["a.txt"], tokenizer)
      #expect(tokens(again) == tokens(first) && again.fingerprint == first.fingerprint && again.textBytes == 8)
      // A cache that was cut is made anew; another tokenizer has its own.
      let file = folder.path + "/cache/" + cached[0]
      try Data(contentsOf: URL(fileURLWithPath: file)).dropLast(3).write(to: URL(fileURLWithPath: file))
      #expect(tokens(try read(folder, ["a.txt"], tokenizer)) == tokens(first))
      let other = try read(folder, ["a.txt"], try Tokenizer(characters: "cba\n".unicodeScalars))
      #expect(tokens(other) == [2, 1, 0, 3, 0, 2, 1, 3] && other.fingerprint != first.fingerprint)
    }
  }

  @Test("a character without an id, bytes that are no text, and a missing tokenizer are said with the file's name")
  func refuses() throws {
    try inFolder { folder in
      let tokenizer = try Tokenizer(characters: "ab".unicodeScalars)
      try "abz".write(to: folder.appending(path: "a.txt"), atomically: true, encoding: .utf8)
      try Data([0x61, 0xff]).write(to: folder.appending(path: "b.txt"))
      try Data([1, 2, 3]).write(to: folder.appending(path: "c.bin"))
      for (name, words) in [("a.txt", "'z'"), ("b.txt", "not UTF-8"), ("c.bin", "3 bytes"), ("d.txt", "no such file")] {
        let problem = #expect(throws: FileProblem.self) { try read(folder, [name], tokenizer) }
        #expect(problem?.description.contains(words) == true && problem?.path.hasSuffix(name) == true)
      }
      #expect(throws: FileProblem.self) { try read(folder, ["a.txt"], nil) }
    }
  }

  @Test("lines of JSON and the files of a folder are texts of their own, each with the token that ends a text")
  func documents() throws {
    try inFolder { folder in
      let tokenizer = try byteTokenizer()
      let plain = { (text: String) in tokenizer.encode(text, addSpecialTokens: false) }
      try #"{"text": "the one", "id": 1}"#.appending("\n\n" + #"{"text": "the\nother"}"# + "\n")
        .write(to: folder.appending(path: "a.jsonl"), atomically: true, encoding: .utf8)
      #expect(tokens(try read(folder, ["a.jsonl"], tokenizer)) == plain("the one") + [0] + plain("the\nother") + [0])
      let problem = #expect(throws: FileProblem.self) { try read(folder, ["a.jsonl"], tokenizer, jsonKey: "body") }
      #expect(problem?.offset == 0)
      try FileManager.default.createDirectory(at: folder.appending(path: "d/e"), withIntermediateDirectories: true)
      for (name, text) in [("b.txt", "then"), ("e/a.md", "theme"), ("skipped.png", "?")] {
        try text.write(to: folder.appending(path: "d/" + name), atomically: true, encoding: .utf8)
      }
      #expect(tokens(try read(folder, ["d"], tokenizer)) == plain("then") + [0] + plain("theme") + [0])
      // Without such a token a line of JSON ends in a line break.
      let characters = try Tokenizer(characters: "\n ehnorty".unicodeScalars)
      #expect(characters.decode(tokens(try read(folder, ["a.jsonl"], characters))) == "the one\nthe\nother\n")
    }
  }

  @Test("a long text is cut where it changes no token")
  func pieces() throws {
    try inFolder { folder in
      let tokenizer = try byteTokenizer()
      // 3 MiB: pieces for several threads.
      let text = String(repeating: "the theme, then\n\n  the thesis of it\n", count: 90_000)
      try text.write(to: folder.appending(path: "a.txt"), atomically: true, encoding: .utf8)
      #expect(tokens(try read(folder, ["a.txt"], tokenizer)) == tokenizer.encode(text, addSpecialTokens: false))
    }
  }

  @Test("nanoGPT's tokens and llm.c's shards are read as they lie")
  func shards() throws {
    try inFolder { folder in
      func bytes<T: FixedWidthInteger>(_ values: [T]) -> Data {
        values.reduce(into: Data()) { data, value in
          withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
        }
      }
      try bytes([UInt16](arrayLiteral: 1, 50256, 3)).write(to: folder.appending(path: "train.bin"))
      func header(_ magic: Int32, _ version: Int32, _ count: Int32) -> Data {
        bytes([magic, version, count] + [Int32](repeating: 0, count: 253))
      }
      try (header(20_240_520, 1, 2) + bytes([UInt16](arrayLiteral: 7, 65535))).write(
        to: folder.appending(path: "gpt.bin"))
      try (header(20_240_801, 7, 2) + bytes([UInt32](arrayLiteral: 128_000, 5))).write(
        to: folder.appending(path: "llama.bin"))
      try (header(20_240_801, 7, 3) + bytes([UInt32](arrayLiteral: 128_000, 5))).write(
        to: folder.appending(path: "torn.bin"))
      let data = try read(folder, ["train.bin", "gpt.bin", "llama.bin"], nil)
      #expect(tokens(data) == [1, 50256, 3, 7, 65535, 128_000, 5] && data.textBytes == nil)
      #expect(data.text[2..<6] == [3, 7, 65535, 128_000], "a window goes from one file to the next")
      #expect(throws: FileProblem.self) { try read(folder, ["torn.bin"], nil) }
      let (first, last) = data.text.split(last: 0.3)
      #expect(first[0..<first.count] + last[0..<last.count] == tokens(data) && last.count == 3)
    }
  }
}
