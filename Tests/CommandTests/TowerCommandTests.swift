import Components
import Files
import Foundation
import Models
import Specification
import TestSupport
import Testing
import Tokenization

/// Models of two towers, trained from the command line on drawn pictures with captions.
@Suite("chimera train, eval, embed, ablate and verify with captions") struct TowerCommandTests {
  private static let tokenizer = Here.package + "/Tokenizers/shapes-384"

  /// Drawn pictures and a small CLIP in `folder`.
  private struct Scene {
    let folder: String

    init(in folder: URL) throws {
      self.folder = folder.path
      let drawn = try Command("data", "shapes", self.folder + "/shapes", "--count", "10")
      #expect(drawn.status == 0, "\(drawn.notes)")
      try """
      extends: clip/family
      vocab_size: 384
      context_length: 48
      hidden_size: 12
      layers: {count: 1}
      attention: {num_heads: 2}
      mlp: {intermediate_size: 16}
      head: {dim: 8}
      stacks:
        image:
          context_length: 65
          hidden_size: 12
          embedding: {size: 8}
          layers: {count: 1}
          attention: {num_heads: 2}
          mlp: {intermediate_size: 16}
      images:
        processor: {layout: resize, do_convert_rgb: true, do_resize: true, default_to_square: true,
          size: {height: 64, width: 64}, resample: bilinear, do_rescale: true, rescale_factor: 0.00392156862745098,
          do_normalize: true, image_mean: 0.9, image_std: 0.25}
      """.write(toFile: self.folder + "/tiny-clip.yaml", atomically: true, encoding: .utf8)
    }

    var captions: String { folder + "/shapes/captions.jsonl" }

    func train(_ out: String, _ more: String...) throws -> Command {
      try Command(
        [
          "train", folder + "/tiny-clip.yaml", "--data", captions, "--tokenizer", tokenizer, "--out",
          "\(folder)/\(out)", "--steps", "6", "--batch", "4", "--save-every", "2", "--keep", "9", "--eval-every", "3",
          "--validation-data", captions, "--eval-batches", "0", "--threads", "1", "--quiet",
        ] + more)
    }

    func hash(_ out: String, step: Int) throws -> [String] {
      try ["model.safetensors", "optimizer.safetensors"].map {
        try SHA256.hexadecimal(ofFile: "\(folder)/\(out)/checkpoints/step-0000000\(step)/\($0)")
      }
    }
  }

  @Test("a run goes on to the same bits, is evaluated as it was validated, and gives vectors of texts and pictures")
  func trains() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let scene = try Scene(in: folder)
    let run = try scene.train("run", "--objective", "contrastive", "--json")
    #expect(run.status == 0, "\(run.notes)")
    let end = try scene.hash("run", step: 6)
    for step in [4, 6] {
      try FileManager.default.removeItem(atPath: "\(folder.path)/run/checkpoints/step-0000000\(step)")
    }
    let resumed = try Command("train", "--resume", "--out", folder.path + "/run", "--quiet")
    #expect(resumed.status == 0, "\(resumed.notes)")
    #expect(try scene.hash("run", step: 6) == end)
    let evaluated = try Command("eval", folder.path + "/run", "--data", scene.captions, "--batch", "4", "--json")
    #expect(evaluated.status == 0, "\(evaluated.notes)")
    let losses = try [
      JSONValue(parsing: run.output)["validation_loss"]?.number, JSONValue(parsing: evaluated.output)["loss"]?.number,
    ].map { try #require($0) }
    // The same losses on other threads.
    #expect(abs(losses[0] - losses[1]) < 1e-6)
    let pictures = ["000000", "000001"].map { "\(folder.path)/shapes/pictures/\($0).png" }
    let embedded = try Command(
      ["embed", folder.path + "/run"] + pictures + ["a red circle", "the number 7", "--json"])
    #expect(embedded.status == 0, "\(embedded.notes)")
    let entries = try #require(JSONValue(parsing: embedded.output)["texts"]?.array)
    #expect(entries.map { $0["file"]?.string ?? $0["text"]?.string } == pictures + ["a red circle", "the number 7"])
    for entry in entries {
      let vector = try #require(entry["embedding"]?.array).compactMap(\.number)
      #expect(vector.count == 8 && abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
    }
    #expect(entries[0]["embedding"] != entries[1]["embedding"] && entries[2]["embedding"] != entries[3]["embedding"])
  }

  @Test("a study trains its arms on captions, of files or drawn, and its folder goes on to the same result")
  func studies() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let scene = try Scene(in: folder)
    func losses(_ data: String) throws -> [[Double]] {
      let path = folder.path + "/study.yaml"
      try """
      ablation: towers
      base: \(folder.path)/tiny-clip.yaml
      data: \(data)
      tokenizer: \(Self.tokenizer)
      seeds: 3
      vary: {head.text: [last, mean]}
      train: {steps: 4, batch: 4, context: 40, lr: 0.01, validation_fraction: 0.4, objective: contrastive}
      """.write(toFile: path, atomically: true, encoding: .utf8)
      let environment = ["CHIMERA_CACHE": folder.path + "/cache"]
      let out = folder.path + "/\(UUID().uuidString)"
      let whole = try Command(
        ["ablate", path, "--out", out, "--json", "--threads", "1", "--quiet"], environment: environment)
      #expect(whole.status == 0, "\(whole.notes)")
      let merged = try Command("ablate", "merge", out, "--json", environment: environment)
      #expect(merged.status == 0, "\(merged.notes)")
      let found = try [whole, merged].map { run in
        try #require(JSONValue(parsing: run.output)["arms"]?.array).map { arm in
          (arm["runs"]?.array ?? []).compactMap { $0["loss"]?.number }
        }
      }
      #expect(found[0] == found[1])
      return found[0]
    }
    let arms = try losses(scene.captions)
    #expect(arms.count == 2 && arms.allSatisfy { $0.count == 3 })
    // Of 4 texts and as many pictures: near log 4 where nothing is learned yet.
    #expect(arms.joined().allSatisfy { 0.1 < $0 && $0 < 5 }, "\(arms)")
    #expect(arms[0] != arms[1])
    // Ten drawn pictures of the first seed are those of the scene.
    #expect(try losses("{shapes: {count: 10, seed: 1}}") == arms)
  }

  @Test(
    "both towers of a folder are compared with what the reference says of texts and pictures",
    arguments: ["clip", "siglip"])
  func verifies(_ name: String) throws {
    let path = Here.package + "/Tests/Towers/" + name
    let run = try Command("verify", path, "--tolerance", "1e-5")
    #expect(run.status == 0, "\(run.notes)")
    #expect(
      run.output.contains("numbers of text_embeds, image_embeds, logits_per_text, logits_per_image, largest difference")
    )
    #expect(run.output.hasSuffix("agrees within 1e-05\n"))
    let document = try JSONValue(parsing: try Command("verify", path, "--json").output)
    #expect(document["compared"]?.array?.count == 4 && document["holds"]?.bool == true)
  }

  // Made with `python3 Tests/Interop/tower_texts.py Tests/Towers/siglip_texts` (transformers 5.23): capitals, punctuation and spaces.
  @Test("texts are prepared as SigLIP's are, and have the reference's ids and vectors")
  func texts() throws {
    let path = Here.package + "/Tests/Towers/siglip_texts"
    let known = try #require(try JSONValue(contentsOf: path + "/texts.json").array)
    let texts = known.map { $0["text"]?.string ?? "" }
    #expect(texts.count == 16 && texts[0] == "A photo of a cat, sitting!")
    let models = try Here.models()
    let tokenizer = try #require(try models.tokenizer(of: path))
    let embedded = try Command(["embed", path] + texts + ["--json"])
    #expect(embedded.status == 0, "\(embedded.notes)")
    let results = try #require(JSONValue(parsing: embedded.output)["texts"]?.array)
    #expect(results.count == texts.count)
    for (index, entry) in known.enumerated() {
      #expect(
        tokenizer.encode(texts[index]) == (entry["ids"]?.array ?? []).compactMap(\.integer), "\(texts[index])")
      let own = (results[index]["embedding"]?.array ?? []).compactMap(\.number)
      let wanted = (entry["vector"]?.array ?? []).compactMap(\.number)
      #expect(own.count == 12 && zip(own, wanted).allSatisfy { abs($0 - $1) < 2e-6 }, "\(texts[index])")
    }
    // The vocabulary alone reads capitals and punctuation as they are.
    let bare = try Tokenizer.load(from: path)
    #expect(bare.encode(texts[0]) != tokenizer.encode(texts[0]))
    let given = try Command(
      "embed", path, texts[0], texts[1], "--tokenizer", path + "/spiece.model", "--json")
    let vectors = try #require(JSONValue(parsing: given.output)["texts"]?.array)
    #expect(vectors[0]["embedding"] == vectors[1]["embedding"], "a tokenizer that is named is given prepared texts too")
  }

  @Test(
    "how texts are prepared is refused with its place where it is nothing that is known",
    arguments: [
      ("{normaliser: []}", "'texts' has no key 'normaliser'"),
      ("{normalizer: Lowercase}", "'normalizer' takes a list of normalizers, not"),
      ("{normalizer: [{type: Uppercase}]}", "the normalizer asks for 'Uppercase', which is not built here"),
      ("{add_eos_token: 1}", "'add_eos_token' takes true or false"),
    ])
  func unprepared(_ texts: String, _ sentence: String) throws {
    let setting = try YAMLReader(source: "spec.yaml").read("texts: " + texts)["texts"]
    do {
      _ = try Tokenizer.ofBytes().prepared(by: setting)
      Issue.record("\(texts) was taken")
    } catch let problems as Problems {
      let problem = try #require(problems.list.first)
      #expect(problem.sentence.contains(sentence) && problem.place?.source == "spec.yaml", "\(problem.sentence)")
    }
  }

  @Test(
    "what cannot be is refused in a sentence",
    arguments: [
      ("train|CLIP|--data|CAPTIONS|--tokenizer|TOKENS|--out|OUT", Int32(3), "try --objective contrastive"),
      (
        "train|CLIP|--data|QUESTIONS|--tokenizer|TOKENS|--out|OUT|--objective|contrastive", 3, "line 1 has no caption"
      ),
      ("train|CLIP|--data|CAPTIONS|--out|OUT|--objective|contrastive", 3, "has no tokenizer"),
      ("train|shapes-vl|--data|CAPTIONS|--out|OUT|--objective|contrastive", 3, "no head that compares two stacks"),
      ("run|CLIP|--random-weights|--tokenizer|TOKENS|a red", 3, "predicts no tokens"),
      ("embed|CLIP|--random-weights|--tokenizer|TOKENS|a red|--pool|mean", 2, "--pool"),
      ("eval|CLIP|--random-weights|--tokenizer|TOKENS|--data|CAPTIONS|--stride|2", 2, "--stride"),
    ])
  func refuses(_ words: String, _ status: Int32, _ sentence: String) throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let scene = try Scene(in: folder)
    let places = [
      "CLIP": folder.path + "/tiny-clip.yaml", "CAPTIONS": scene.captions, "TOKENS": Self.tokenizer,
      "QUESTIONS": folder.path + "/shapes/data.jsonl", "OUT": folder.path + "/out",
    ]
    let run = try Command(words.split(separator: "|").map { places[String($0)] ?? String($0) })
    #expect(run.status == status && run.notes.contains(sentence), "\(words): \(run.status), \(run.notes)")
  }
}
