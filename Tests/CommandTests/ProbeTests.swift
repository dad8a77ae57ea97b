import Files
import Foundation
import Testing

/// `chimera probe` on the command line: what it writes, and what it refuses.
@Suite("chimera probe")
struct ProbeCommandTests {
  private static let model = Command.package.path + "/Tests/Probes/gpt2"
  private static let tokens = "3,1,4,1,5,9,2,6"

  @Test("without a text it lists what has a name")
  func lists() throws {
    let names = try JSONValue(parsing: Command("probe", Self.model, "--json").output)
    #expect(
      names["heads"]?.array?.count == 12
        && names["layers"]?.array?.map(\.string) == ["layers.0", "layers.1", "layers.2"])
    let text = try Command("probe", Self.model).output
    #expect(text.hasPrefix("heads: 12\n  layers.*.attn.head.*\nsublayers: 6\n"))
  }

  @Test("what is recorded goes into a file, with a head at zero too")
  func records() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "states.safetensors").path
    let run = try Command(
      "probe", Self.model, "--tokens", Self.tokens, "--record", "layers.*.output", "--record",
      "layers.1.attn.attend.weights",
      "--zero", "layers.0.attn.head.2", "--output", path)
    #expect(run.status == 0 && run.output.isEmpty && run.notes == "wrote \(path)\n")
    let header = try Data(contentsOf: URL(fileURLWithPath: path))
    let text = String(decoding: header.prefix(2000), as: UTF8.self)
    #expect(text.contains("layers.2.output") && text.contains("\"shape\":[4,8,8]"))
  }

  @Test("heads one by one over a text, with intervals; the largest change first")
  func heads() throws {
    let data = Command.package.path + "/README.md"
    let arguments = [
      "probe", "story-llama", "--data", data, "--max-tokens", "300", "--context", "64", "--all", "heads",
    ]
    let document = try JSONValue(parsing: Command(arguments + ["--by", "mean", "--json"]).output)
    let effects = try #require(document["effects"]?.array)
    #expect(effects.allSatisfy { $0["half_width_95"]?.number ?? 0 > 0 && $0["kind"]?.string == "head" })
    #expect(document["measure"]?.string == "loss" && document["windows"]?.integer == 5)
    let table = try Command(arguments).output.split(separator: "\n")
    #expect(table.count == effects.count + 2 && table[2].contains("±"))
  }

  @Test("an encoder's masked tokens are what its changes are measured by")
  func encoders() throws {
    let encoders = Command.package.path + "/Tests/Encoders"
    let run = try Command(
      "probe", encoders + "/bert", "--tokenizer", encoders + "/sentences", "the cat sat", "--all", "sublayers", "--json"
    )
    let document = try JSONValue(parsing: run.output)
    #expect(document["measure"]?.string == "masked loss" && document["effects"]?.array?.count == 4)
    let states = try Command("probe", encoders + "/sentences", "the cat", "--zero", "layers.1", "--json")
    #expect(try JSONValue(parsing: states.output)["measure"]?.string == "distance")
  }

  /// Arguments after the model, `|` between them, the exit status, and a part of the sentence.
  private static let refused: [(String, Int32, String)] = [
    ("--tokens|1,2|--zero|layers.0.atn", 3, "did you mean 'layers.0.attn'?"),
    ("--tokens|1,2|--record|layers.9.output", 3, "nothing in the model is named 'layers.9.output'"),
    ("--tokens|1,2|--all|hed", 3, "there are "),
    ("--tokens|1,2|--zero|layers.0.attn.head.4", 3, "layers.*.attn.head.*"),
    ("--tokens|1,2|--zero|layers.0|--at|2", 2, "no position 2 in a text of 2 tokens"),
    ("--tokens|1,2|--patch|layers.0|--from|1,2,3", 2, "2 and 3 tokens"), ("--tokens|1,2|--patch|layers.0", 2, "--from"),
    ("--tokens|1,2|--resample|layers.0", 2, "no other text"), ("--tokens|1|--zero|layers.0", 2, "too few tokens"),
    ("--tokens|1,99", 2, "outside the vocabulary of 61"), ("--zero|layers.0", 2, "give one, or --data"),
    ("a text", 1, "no tokenizer"), ("--lens|--tokens|1,2|--all|heads", 2, "goes without --record and --lens"),
    ("--tokens|1,2|--all|heads|--by|half", 2, "half"), ("--tokens|1,2|--zero|layers.0|--answer|77", 2, "token id"),
    ("--data|nowhere.txt|--all|heads", 4, "nowhere.txt"),
  ]

  @Test("what cannot be is refused in a sentence that says what can")
  func refusals() throws {
    for (line, status, words) in Self.refused {
      let run = try Command(["probe", Self.model] + line.split(separator: "|").map(String.init))
      #expect(
        run.status == status && run.output.isEmpty && run.notes.contains(words), "\(line): \(run.status) \(run.notes)")
    }
    let lens = try Command("probe", Command.package.path + "/Tests/Encoders/sentences", "the cat", "--lens")
    #expect(lens.status == 3 && lens.notes.contains("no logit lens"))
  }
}
