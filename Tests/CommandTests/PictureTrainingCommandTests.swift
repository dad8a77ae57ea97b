import Files
import Foundation
import TestSupport
import Testing

/// Drawn pictures, trained on and asked about from the command line.
@Suite("chimera data, train and eval with pictures") struct PictureTrainingCommandTests {
  /// A few drawn pictures in `folder`, and options of a run on them that takes seconds.
  private struct Scene {
    let folder: String

    init(in folder: URL) throws {
      self.folder = folder.path
      let drawn = try Command("data", "shapes", self.folder + "/shapes", "--count", "6")
      #expect(drawn.status == 0, "\(drawn.notes)")
    }

    var data: String { folder + "/shapes/data.jsonl" }

    func train(_ out: String, _ more: String...) throws -> Command {
      try Command(
        [
          "train", "shapes-vl", "--data", data, "--out", "\(folder)/\(out)", "--set", "hidden_size=12", "--set",
          "layers.count=1", "--set", "stacks.image.hidden_size=12", "--set", "stacks.image.layers.count=1", "--steps",
          "6", "--batch", "2", "--save-every", "2", "--keep", "9", "--eval-every", "3", "--eval-batches", "1",
          "--validation-fraction", "0.3", "--threads", "1", "--quiet",
        ] + more)
    }

    func hash(_ out: String, step: Int) throws -> [String] {
      try ["model.safetensors", "optimizer.safetensors"].map {
        try SHA256.hexadecimal(ofFile: "\(folder)/\(out)/checkpoints/step-0000000\(step)/\($0)")
      }
    }
  }

  @Test("the same seed draws the same pictures, another other ones, and a folder that holds something is left alone")
  func draws() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    _ = try Scene(in: folder)
    for (name, seed) in [("again", "1"), ("other", "2")] {
      let run = try Command("data", "shapes", "\(folder.path)/\(name)", "--count", "6", "--seed", seed)
      #expect(run.status == 0, "\(run.notes)")
    }
    func hash(_ name: String) throws -> String { try SHA256.hexadecimal(ofFile: "\(folder.path)/\(name)/data.jsonl") }
    #expect(try hash("again") == hash("shapes") && hash("other") != hash("shapes"))
    #expect(try Command("data", "shapes", folder.path + "/shapes").status != 0)
    #expect(try Command("data", "shapes", folder.path + "/tiny", "--size", "20").status == 2)
  }

  @Test("a run learns answers, is a model that is asked, and goes on from an earlier checkpoint to the same bits")
  func trains() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let scene = try Scene(in: folder)
    let run = try scene.train("run")
    #expect(run.status == 0 && run.output.contains("6 steps, loss "), "\(run.notes)")
    let end = try scene.hash("run", step: 6)
    for step in [4, 6] {
      try FileManager.default.removeItem(atPath: "\(folder.path)/run/checkpoints/step-0000000\(step)")
    }
    let resumed = try Command("train", "--resume", "--out", folder.path + "/run", "--quiet")
    #expect(resumed.status == 0, "\(resumed.notes)")
    #expect(try scene.hash("run", step: 6) == end)
    let asked = try Command("eval", folder.path + "/run", "--data", scene.data, "--max-questions", "5", "--json")
    #expect(asked.status == 0, "\(asked.notes)")
    let result = try JSONValue(parsing: asked.output)
    #expect(result["questions"]?.integer == 5 && (result["loss"]?.number ?? 0) > 0)
    // The spec that is saved says how pictures are read.
    let saved = folder.path + "/saved"
    #expect(try Command("save", folder.path + "/run", "--native", "--output", saved, "--dtype", "bf16").status == 0)
    let answer = try Command(
      "run", saved, folder.path + "/shapes/pictures/000000.png", "How many shapes are there?", "-n", "3", "--quiet",
      "--temperature", "0")
    #expect(answer.status == 0, "\(answer.notes)")
  }

  @Test("a picture changed since the run was begun is found out")
  func changed() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let scene = try Scene(in: folder)
    #expect(try scene.train("run", "--freeze", "stacks.image").status == 0)
    let pictures = folder.path + "/shapes/pictures/"
    try FileManager.default.removeItem(atPath: pictures + "000001.png")
    try FileManager.default.copyItem(atPath: pictures + "000002.png", toPath: pictures + "000001.png")
    let resumed = try Command("train", "--resume", "--out", folder.path + "/run", "--quiet")
    #expect(resumed.status == 1 && resumed.notes.contains("has changed since the run was begun"), "\(resumed.notes)")
  }

  @Test(
    "what cannot be trained or asked is refused in a sentence",
    arguments: [
      ("train|PICTURES/gemma3|--data|DATA|--out|OUT", Int32(3), "see each other"),
      ("train|PICTURES/vit|--data|DATA|--out|OUT", 3, "no text can be continued"),
      ("train|shapes-vl|--data|TEXT|--out|OUT", 3, "reads pictures, and is trained on lines of JSON"),
      ("train|shapes-vl|--data|BAD|--out|OUT", 3, "line 1 has no picture"),
      ("train|shapes-vl|--data|DATA|--out|OUT|--freeze|stacks.sound", 2, "has no part 'stacks.sound'"),
      ("train|shapes-vl|--data|DATA|--out|OUT|--context|20", 2, "--context"),
      ("train|story-llama|--data|DATA|--out|OUT", 3, "the line has no text"),
      ("eval|PICTURES/llava|--data|DATA", 3, "has no tokenizer"),
      ("train|qwen2-vl-2b-instruct|--data|DATA|--out|OUT", 3, "blocks of patches"),
    ])
  func refuses(_ words: String, _ status: Int32, _ sentence: String) throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let scene = try Scene(in: folder)
    try "a text".write(toFile: folder.path + "/text.txt", atomically: true, encoding: .utf8)
    try #"{"question": "What?", "answer": "that"}"#
      .write(toFile: folder.path + "/bad.jsonl", atomically: true, encoding: .utf8)
    let places = [
      "DATA": scene.data, "OUT": folder.path + "/out", "TEXT": folder.path + "/text.txt",
      "BAD": folder.path + "/bad.jsonl",
    ]
    let arguments = words.split(separator: "|").map(String.init).map { word in
      places[word] ?? word.replacingOccurrences(of: "PICTURES", with: Here.package + "/Tests/Pictures")
    }
    let run = try Command(arguments)
    #expect(run.status == status && run.notes.contains(sentence), "\(words): \(run.status), \(run.notes)")
  }
}
