import Files
import Foundation
import TestSupport
import Testing

/// Models that read one text and write another, from the command line.
@Suite("chimera run with a text that is read") struct SourceTextTests {
  private static let folder = Here.package + "/Tests/EncoderDecoders"

  /// The first row of `t5-1.1`'s `input_ids`, what `generate()` of transformers 5.23 begins with and writes of it greedily in 8
  /// steps, and the best of its 4 beams: `Tests/Interop/encoder_decoders.py` prints them.
  private static let source = "45,31,19,9,49,7,19,38,15,35,12,13,47,17,28"
  private static let greedy = [42, 35, 35, 35, 15, 41, 44, 14]
  private static let beams = [44, 3, 14, 3, 14, 3, 14, 3]

  @Test("the prompt is what is read, and greedy tokens and beams are the reference's")
  func writes() throws {
    let arguments = ["run", Self.folder + "/t5-1.1", "--tokens", Self.source, "--max-tokens", "8", "--json"]
    let greedy = try JSONValue(parsing: Command(arguments + ["--temperature", "0"]).output)
    #expect(greedy["prompt_tokens"]?.array?.compactMap(\.integer) == [0])
    #expect(greedy["tokens"]?.array?.compactMap(\.integer) == Self.greedy)
    let found = try JSONValue(parsing: Command(arguments + ["--beams", "4"]).output)
    #expect(found["tokens"]?.array?.compactMap(\.integer) == Self.beams)
    let several = try JSONValue(parsing: Command(arguments + ["--count", "3", "--seed", "4"]).output)
    #expect(several["samples"]?.array?.count == 3)
  }

  @Test(
    "what reads single texts refuses such a model in a sentence",
    arguments: [
      ("run|t5|--max-tokens|3", Int32(2)), ("run|t5|--tokens|3|--chat", 2), ("run|t5|--tokens|3|--slide", 2),
      ("run|t5|--tokens|99", 2), ("run|t5|a text", 1), ("eval|t5|--data|t5/config.json", 3),
      ("logits|t5|--tokens|1", 3), ("embed|t5|x", 1),
      ("run|story-llama|x|--begin|y", 2),
    ])
  func refuses(_ words: String, _ status: Int32) throws {
    let arguments = words.split(separator: "|").map(String.init).map { word in
      ["t5", "t5/config.json", "out"].contains(word) ? "\(Self.folder)/\(word)" : word
    }
    let run = try Command(arguments)
    #expect(run.status == status, "\(words): \(run.status), \(run.notes)")
    #expect(!run.notes.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: Self.folder + "/out"))
  }

  @Test("show tells of each stack, and a patch reaches it")
  func shows() throws {
    let sheet = try Command(["show", "transformer-base"])
    #expect(sheet.status == 0 && sheet.output.contains("states of source"), "\(sheet.notes)")
    let changed = try Command(["show", "transformer-base", "--set", "stacks.source.layers.count=3", "--json"])
    #expect(try JSONValue(parsing: changed.output)["stacks"]?["source"]?["shape"]?["layers"]?.integer == 3)
    let diff = try Command(["diff", "transformer-base", "t5-small"])
    #expect(diff.status == 0 && diff.output.contains("source: norm"), "\(diff.output)")
  }
}
