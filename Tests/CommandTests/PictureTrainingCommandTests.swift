import Files
import Foundation
import Images
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

    init(existing folder: String) { self.folder = folder }

    var data: String { folder + "/shapes/data.jsonl" }

    func train(_ out: String, _ more: String...) throws -> Command {
      try Command(
        [
          "train", "shapes-vl", "--data", data, "--out", "\(folder)/\(out)", "--set", "hidden_size=16", "--set",
          "layers.count=1", "--set", "stacks.image.hidden_size=16", "--set", "stacks.image.layers.count=1", "--steps",
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

  @Test(
    "pictures enter by cross-attention, or by rows that are added behind layers too",
    arguments: [
      ["--set", "embedding.replace=null", "--set", "cross_attention={num_heads: 2, pictures: {token: 1}}"],
      ["--set", "embedding.replace.layers=1", "--set", "stacks.image.output.taps={layers: [0], norm: layernorm}"],
    ])
  func enters(_ entry: [String]) throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let scene = try Scene(in: folder)
    let run = try Command(
      [
        "train", "shapes-vl", "--data", scene.data, "--out", folder.path + "/run", "--set", "hidden_size=16", "--set",
        "layers.count=1", "--set", "stacks.image.hidden_size=16", "--set", "stacks.image.layers.count=1", "--steps",
        "4", "--batch", "2", "--eval-every", "4", "--validation-fraction", "0.3", "--threads", "1", "--quiet",
      ] + entry)
    #expect(run.status == 0 && run.output.contains("4 steps, loss "), "\(run.notes)")
    let asked = try Command("eval", folder.path + "/run", "--data", scene.data, "--max-questions", "3", "--json")
    #expect(asked.status == 0, "\(asked.notes)")
    let answer = try Command(
      "run", folder.path + "/run", folder.path + "/shapes/pictures/000000.png", "How many shapes are there?", "-n", "2",
      "--quiet", "--temperature", "0")
    #expect(answer.status == 0, "\(answer.notes)")
  }

  @Test("all questions about a picture are trained on and asked as a conversation")
  func converses() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let scene = Scene(existing: folder.path)
    let drawn = try Command(
      "data", "shapes", folder.path + "/shapes", "--count", "6", "--only", "shapes", "--conversations")
    #expect(drawn.status == 0, "\(drawn.notes)")
    let run = try scene.train("run", "--context", "120")
    #expect(run.status == 0 && run.output.contains("6 steps, loss "), "\(run.notes)")
    let asked = try Command("eval", folder.path + "/run", "--data", scene.data, "--json")
    let lines = try String(contentsOfFile: scene.data, encoding: .utf8).split(separator: "\n")
    let questions = try lines.reduce(0) {
      $0 + (try JSONValue(parsing: String($1))["messages"]?.array?.count ?? 0) / 2
    }
    #expect(lines.count == 6 && questions > 20)
    #expect(try JSONValue(parsing: asked.output)["questions"]?.integer == questions, "\(asked.notes)")
    #expect(try Command("data", "shapes", folder.path + "/other", "--only", "shapes,faces").status == 2)
  }

  @Test("the model that came along answers about pictures it has not seen, asked one by one and in conversations")
  func answers() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    for form in [[], ["--conversations"]] {
      let data = folder.path + "/held-out\(form.count)"
      let drawn = try Command(["data", "shapes", data, "--count", "50", "--only", "shapes", "--seed", "2"] + form)
      #expect(drawn.status == 0, "\(drawn.notes)")
      let asked = try Command("eval", "shapes-vl", "--data", data + "/data.jsonl", "--json", "--quiet")
      let result = try JSONValue(parsing: asked.output)
      // Its card says how many of a thousand pictures.
      #expect(result["questions"]?.integer ?? 0 > 200 && result["accuracy"]?.number ?? 0 > 0.9, "\(asked.notes)")
    }
    let picture = folder.path + "/held-out0/pictures/000000.png"
    for conversation in [[], ["--chat"]] {
      let run = try Command(
        ["run", "shapes-vl", "--image", picture, "How many shapes are there?", "--temperature", "0", "--quiet"]
          + conversation)
      let shown = DrawnScene(seed: 2, index: 0, of: [.shapes]).questions[1]
      #expect(run.output.trimmingCharacters(in: .whitespacesAndNewlines) == shown.answer, "\(run.notes)")
    }
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
      ("train|PICTURES/vit|--data|DATA|--out|OUT", 3, "it predicts no token"),
      ("train|shapes-vl|--data|TEXT|--out|OUT", 3, "reads pictures, and is trained on lines of JSON"),
      ("train|shapes-vl|--data|BAD|--out|OUT", 3, "line 1 has no picture"),
      ("train|shapes-vl|--data|TURNS|--out|OUT", 3, "messages that are not a user's and an assistant's in turn"),
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
    try #"{"images": ["shapes/pictures/000000.png"], "messages": [{"role": "user", "content": "What?"}]}"#
      .write(toFile: folder.path + "/turns.jsonl", atomically: true, encoding: .utf8)
    let places = [
      "DATA": scene.data, "OUT": folder.path + "/out", "TEXT": folder.path + "/text.txt",
      "BAD": folder.path + "/bad.jsonl", "TURNS": folder.path + "/turns.jsonl",
    ]
    let arguments = words.split(separator: "|").map(String.init).map { word in
      places[word] ?? word.replacingOccurrences(of: "PICTURES", with: Here.package + "/Tests/Pictures")
    }
    let run = try Command(arguments)
    #expect(run.status == status && run.notes.contains(sentence), "\(words): \(run.status), \(run.notes)")
  }
}
