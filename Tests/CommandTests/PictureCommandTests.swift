import Files
import Foundation
import TestSupport
import Testing

/// Pictures from the command line, with the small models of `Tests/Pictures`.
@Suite("chimera run, embed and classify with pictures") struct PictureCommandTests {
  private static let folder = Here.package + "/Tests/Pictures"

  /// The ids of `llava`'s first text, and what transformers 5.23 writes of it in 8 greedy steps: `Tests/Interop/pictures.py`.
  private static let text = "5,22,3,30,30,30,30,30,30,30,30,30,30,22,12,5,3,20,25,15,28,18,4,19,4,25,23"
  private static let greedy = [34, 7, 7, 7, 7, 7, 7, 7]
  /// What it writes of 1, 5, 6 without a picture: `generate(do_sample=False, suppress_tokens=[30])`.
  private static let alone = [37, 37, 37, 37, 37, 37, 37, 37]

  @Test(
    "a picture file and a prompt with its places give the reference's greedy tokens, alone, as a beam and among several"
  )
  func runs() throws {
    let arguments = [
      "run", Self.folder + "/llava", "--image", Self.folder + "/one.png", "--tokens", Self.text, "--max-tokens", "8",
      "--ignore-end", "--json",
    ]
    let one = try JSONValue(parsing: Command(arguments + ["--temperature", "0"]).output)
    #expect(one["tokens"]?.array?.compactMap(\.integer) == Self.greedy)
    let beam = try JSONValue(parsing: Command(arguments + ["--beams", "1"]).output)
    #expect(beam["tokens"]?.array?.compactMap(\.integer) == Self.greedy)
    let several = try JSONValue(
      parsing: Command(arguments + ["--count", "3", "--top-k", "1", "--temperature", "1"]).output)
    let samples = several["samples"]?.array ?? []
    #expect(samples.count == 3)
    for sample in samples { #expect(sample["tokens"]?.array?.compactMap(\.integer) == Self.greedy) }
  }

  @Test("a text without pictures is continued as by the model's text alone")
  func textAlone() throws {
    let run = try Command(
      ["run", Self.folder + "/llava", "--tokens", "1,5,6", "--temperature", "0", "-n", "8", "--ignore-end", "--json"])
    #expect(run.status == 0, "\(run.notes)")
    #expect(try JSONValue(parsing: run.output)["tokens"]?.array?.compactMap(\.integer) == Self.alone)
  }

  @Test(
    "what cannot be is refused in a sentence",
    arguments: [
      ("run|llava|--tokens|1,30,2", Int32(3)), ("run|llava|--image|one.png|--tokens|1,30,2", 3),
      ("run|llava|--image|none.png|--tokens|1", 4), ("run|llava|--image|llava/config.json|--tokens|1", 3),
      ("run|story-llama|--image|one.png|x", 3), ("run|vit|x", 3), ("run|llava|--image|one.png|--tokens|1|--slide", 2),
      ("run|llava|--image|one.png|a question", 1), ("embed|vit|none.png", 4), ("classify|clip|one.png", 3),
      ("classify|vit|one.png|two.png|--pairs", 2), ("embed|llava|x", 1), ("eval|llava|--data|llava/config.json", 3),
      ("logits|llava|--tokens|1", 3), ("export|mllama|--output|out", 3), ("export|qwen2_5_vl|--output|out", 3),
    ])
  func refuses(_ words: String, _ status: Int32) throws {
    let arguments = words.split(separator: "|").map(String.init).map { word in
      FileManager.default.fileExists(atPath: "\(Self.folder)/\(word)") || ["none.png", "out"].contains(word)
        ? "\(Self.folder)/\(word)" : word
    }
    let run = try Command(
      arguments.map { $0 == "story-llama" ? Here.package + "/Models/story-llama" : $0 })
    #expect(run.status == status, "\(words): \(run.status), \(run.notes)")
    #expect(!run.notes.isEmpty && run.output.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: Self.folder + "/out"))
  }

  @Test("embed gives a vector for each picture and for each patch, classify the classes' names")
  func reads() throws {
    let files = ["one", "two", "three"].map { Self.folder + "/\($0).png" }
    let table = try Command(["embed", Self.folder + "/clip"] + files)
    #expect(table.status == 0 && table.output.split(separator: "\n").count == 4, "\(table.notes)")
    let patches = try JSONValue(
      parsing: Command(["embed", Self.folder + "/siglip", files[0], "--pool", "tokens", "--json"]).output)
    #expect(patches["pictures"]?.array?.first?["states"]?.array?.count == 9)
    let classes = try JSONValue(parsing: Command(["classify", Self.folder + "/vit", files[0], "--json"]).output)
    #expect(classes.array?.first?["classes"]?.array?.count == 3)
  }

  @Test("a saved image encoder has the tensors of the folder that it came from, a convolution's axes included")
  func saves() throws {
    let place = FileManager.default.temporaryDirectory.path + "/saved-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: place) }
    func tensors(_ path: String) throws -> Set<String> {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path + "/model.safetensors"))
      let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      let header = try JSONSerialization.jsonObject(with: bytes[8..<8 + length]) as? [String: Any]
      return Set(try #require(header).keys).subtracting(["__metadata__"])
    }
    let names = [
      "vit", "clip", "siglip", "dinov2", "dinov2_with_registers", "llava", "llava_next", "mistral3", "aya_vision",
      "git", "kosmos2", "llama4", "gemma4",
    ]
    for name in names {
      let saved = try Command(["save", Self.folder + "/" + name, "--output", place + name])
      defer { try? FileManager.default.removeItem(atPath: place + name) }
      #expect(saved.status == 0, "\(saved.notes)")
      #expect(try tensors(place + name) == tensors(Self.folder + "/" + name))
      try FileManager.default.copyItem(
        atPath: Self.folder + "/\(name)/expected.safetensors", toPath: place + name + "/expected.safetensors")
      let verified = try Command(["verify", place + name])
      #expect(verified.status == 0, "\(verified.output) \(verified.notes)")
    }
  }

  @Test("show and diff tell of the encoder, its output and the token whose places it fills")
  func shows() throws {
    let sheet = try Command(["show", "llava-1.5-7b"])
    #expect(sheet.status == 0 && sheet.output.contains("states of image") && sheet.output.contains("replace rows"))
    let diff = try Command(["diff", "llava-1.5-7b", "paligemma-3b-224"])
    #expect(diff.status == 0 && diff.output.contains("image: output"), "\(diff.output)")
  }
}
