import Files
import Foundation
import TestSupport
import Testing

/// Encoders trained from the command line.
@Suite("chimera train and eval with objectives") struct ObjectiveCommandTests {
  private static let tokenizer = Here.package + "/Tests/Encoders/sentences"

  /// A small BERT and a text in `folder`, and options of a run on it that takes seconds.
  private struct Scene {
    let folder: String

    init(in folder: URL) throws {
      self.folder = folder.path
      try """
      extends: bert/family
      vocab_size: 63
      context_length: 32
      hidden_size: 16
      layers: {count: 1}
      attention: {num_heads: 2}
      mlp: {intermediate_size: 24}
      """.write(toFile: self.folder + "/tiny-bert.yaml", atomically: true, encoding: .utf8)
      try String(repeating: "the cat sat, the cat sat, the cat sat. ", count: 60)
        .write(toFile: self.folder + "/text.txt", atomically: true, encoding: .utf8)
    }

    func train(_ out: String, _ more: String...) throws -> Command {
      try Command(
        [
          "train", folder + "/tiny-bert.yaml", "--data", folder + "/text.txt", "--tokenizer", tokenizer, "--out",
          "\(folder)/\(out)", "--context", "16", "--steps", "30", "--batch", "4", "--lr", "0.02", "--save-every", "10",
          "--keep", "9", "--eval-every", "15", "--eval-batches", "0", "--threads", "1", "--quiet",
        ] + more)
    }

    func hash(_ out: String, step: Int) throws -> [String] {
      try ["model.safetensors", "optimizer.safetensors"].map {
        try SHA256.hexadecimal(ofFile: "\(folder)/\(out)/checkpoints/step-000000\(step)/\($0)")
      }
    }
  }

  @Test("an encoder learns from scratch, goes on to the same bits, is evaluated on the same tokens, and fills them in")
  func trains() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let scene = try Scene(in: folder)
    let run = try scene.train("run", "--objective", "masked_tokens", "--json")
    #expect(run.status == 0, "\(run.notes)")
    let loss = try #require(try JSONValue(parsing: run.output)["validation_loss"]?.number)
    #expect(loss < 2.5)  // ln 63 is 4.1
    let settings = try JSONValue(contentsOf: folder.path + "/run/training.json")["settings"]
    #expect(settings?["objective"]?.string == "masked_tokens")
    let end = try scene.hash("run", step: 30)
    for step in [20, 30] {
      try FileManager.default.removeItem(atPath: "\(folder.path)/run/checkpoints/step-000000\(step)")
    }
    let resumed = try Command("train", "--resume", "--out", folder.path + "/run", "--quiet")
    #expect(resumed.status == 0, "\(resumed.notes)")
    #expect(try scene.hash("run", step: 30) == end)
    // The end of the text, of which validation had the last tenth.
    let filled = try Command("run", folder.path + "/run", "the cat [MASK], the cat sat", "--json")
    #expect(filled.status == 0, "\(filled.notes)")
    #expect(try JSONValue(parsing: filled.output)["masked"]?.array?.count == 1)
    let evaluated = try Command(
      "eval", folder.path + "/run", "--data", folder.path + "/text.txt", "--context", "16", "--json")
    let result = try JSONValue(parsing: evaluated.output)
    #expect(evaluated.status == 0 && result["objective"]?.string == "masked_tokens", "\(evaluated.notes)")
    #expect(try #require(result["loss"]?.number) < 2.5)
    let whole = try Command(
      "eval", folder.path + "/run", "--data", folder.path + "/text.txt", "--context", "16", "--json", "--objective",
      "{type: masked_tokens, rate: 0.5}")
    #expect(try #require(JSONValue(parsing: whole.output)["tokens"]?.integer) > 2 * #require(result["tokens"]?.integer))
    let other = try Command(
      "train", "--resume", "--out", folder.path + "/run", "--objective", "{type: masked_tokens, rate: 0.5}")
    #expect(other.status == 2 && other.notes.contains("--objective"), "\(other.notes)")
  }

  @Test("validation data that stands by itself is what eval gives of it") func separate() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let scene = try Scene(in: folder)
    try String(repeating: "a cat, the dog. ", count: 40)
      .write(toFile: folder.path + "/other.txt", atomically: true, encoding: .utf8)
    let run = try scene.train(
      "run", "--objective", "{type: masked_tokens, rate: 0.3}", "--validation-data", folder.path + "/other.txt",
      "--json")
    #expect(run.status == 0, "\(run.notes)")
    let evaluated = try Command(
      "eval", folder.path + "/run", "--data", folder.path + "/other.txt", "--context", "16", "--json", "--objective",
      "{type: masked_tokens, rate: 0.3}")
    let losses = try [
      JSONValue(parsing: run.output)["validation_loss"]?.number, JSONValue(parsing: evaluated.output)["loss"]?.number,
    ].map { try #require($0) }
    // The same losses in other batches, on other threads.
    #expect(abs(losses[0] - losses[1]) < 1e-6, "\(evaluated.notes)")
  }

  @Test(
    "what cannot be is refused in a sentence",
    arguments: [
      ("train|BERT|--data|TEXT|--tokenizer|TOKENS|--out|OUT", Int32(3), "try --objective masked_tokens"),
      (
        "train|gpt2-nano|--data|TEXT|--tokenizer|TOKENS|--out|OUT|--objective|masked_tokens", 3,
        "its tokens see none after them"
      ),
      (
        "train|BERT|--data|TEXT|--tokenizer|char|--out|OUT|--objective|masked_tokens", 3,
        "no mark for a masked token, such as [MASK]"
      ),
      (
        "train|BERT|--data|TEXT|--tokenizer|TOKENS|--out|OUT|--objective|masked_words", 3,
        "no objective is named 'masked_words'"
      ),
      (
        "train|BERT|--data|TEXT|--tokenizer|TOKENS|--out|OUT|--objective|{type: masked_tokens, part: 0.2}", 3, "'part'"
      ),
      (
        "train|BERT|--data|TEXT|--tokenizer|TOKENS|--out|OUT|--objective|masked_tokens|--context|2", 2,
        "has no room for text"
      ),
      (
        "train|BERT|--data|TEXT|--tokenizer|TOKENS|--out|OUT|--objective|masked_tokens|--sample-every|2", 3,
        "no text can be continued"
      ),
    ])
  func refuses(_ words: String, _ status: Int32, _ sentence: String) throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    _ = try Scene(in: folder)
    let places = [
      "BERT": folder.path + "/tiny-bert.yaml", "TEXT": folder.path + "/text.txt", "TOKENS": Self.tokenizer,
      "OUT": folder.path + "/out",
    ]
    let run = try Command(words.split(separator: "|").map { places[String($0)] ?? String($0) })
    #expect(run.status == status && run.notes.contains(sentence), "\(words): \(run.status), \(run.notes)")
  }
}
