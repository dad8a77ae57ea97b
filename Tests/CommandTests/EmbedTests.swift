import Files
import Foundation
import Testing

/// Encoders on the command line: vectors, masked tokens, and what is refused.
@Suite("chimera embed, and encoders elsewhere")
struct EmbedTests {
  private static let encoders = Command.package.path + "/Tests/Encoders"
  private static let sentences = encoders + "/sentences"

  @Test("one text is its vector, several are a table of cosines, a file has a text on each line")
  func texts() throws {
    let one = try Command("embed", Self.sentences, "the cat sleeps.")
    #expect(one.status == 0 && one.output.split(separator: " ").count == 16)
    let several = try Command("embed", Self.sentences, "the cat", "the cat", "x")
    #expect(several.status == 0)
    let rows = several.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(rows.count == 4 && rows[1][1...2] == ["1.000", "1.000"] && rows[3].last == "x")
    let file = FileManager.default.temporaryDirectory.appending(path: "texts-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try "the cat\nthe cat\nx\n".write(to: file, atomically: true, encoding: .utf8)
    #expect(try Command("embed", Self.sentences, file.path).output == several.output)
  }

  @Test("--json has what was read and the vectors, --output the tensor")
  func documents() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "vectors.safetensors").path
    let run = try Command(
      "embed", Self.sentences, "the cat", "cat", "--json", "--output", path, "--no-normalize", "--pool", "max")
    let document = try JSONValue(parsing: run.output)
    #expect(document["pooling"]?.string == "max" && document["normalized"]?.bool == false)
    #expect(document["width"]?.integer == 16 && document["cosines"]?.array?.count == 2)
    let texts = try #require(document["texts"]?.array)
    #expect(texts[1]["tokens"]?.array?.count == 3 && texts[0]["embedding"]?.array?.count == 16)
    #expect(FileManager.default.fileExists(atPath: path))
    let tokens = try Command("embed", Self.sentences, "the cat", "--pool", "tokens")
    #expect(tokens.output.split(separator: "\n").map { $0.prefix { $0 != "\t" } } == ["[CLS]", "the", "cat", "[SEP]"])
  }

  @Test("any model gives vectors, of its last token where none sees later ones")
  func causal() throws {
    let run = try Command("embed", "story-llama", "Once", "upon a time", "--json")
    #expect(run.status == 0)
    #expect(try JSONValue(parsing: run.output)["pooling"]?.string == "last")
  }

  @Test("run fills in masked tokens, and --json has the likeliest of each")
  func fills() throws {
    let arguments = ["run", Self.encoders + "/bert", "--tokenizer", Self.sentences, "the [MASK] sat, a [MASK]"]
    let plain = try Command(arguments)
    #expect(plain.status == 0 && plain.output.hasPrefix("the") && !plain.output.contains("[MASK]"))
    #expect(plain.notes.split(separator: "\n").count == 10)
    let document = try JSONValue(parsing: Command(arguments + ["--json", "--logprobs", "3"]).output)
    #expect(document["text"]?.string.map { $0 + "\n" } == plain.output)
    let masked = try #require(document["masked"]?.array)
    #expect(masked.count == 2 && masked.allSatisfy { $0["choices"]?.array?.count == 3 })
    let ids = try #require(document["prompt_tokens"]?.array).compactMap(\.integer)
    #expect(masked[0]["position"]?.integer == ids.firstIndex(of: 4))
  }

  /// Commands, `|` between their arguments, and their exit status.
  private static let refused: [(String, Int32)] = [
    ("run|bert|--tokenizer|sentences|the cat", 3), ("run|sentences|the [MASK]", 3),
    ("run|bert|--tokenizer|sentences|the [MASK]|--beams|2", 2),
    ("run|bert|--tokenizer|sentences|the [MASK]|--count|2", 2),
    ("eval|sentences|--data|sentences/texts.json", 3),
    ("eval|bert|--tokenizer|sentences|--data|sentences/texts.json|--objective|next_token", 3),
    ("eval|bert|--tokenizer|sentences|--data|sentences/texts.json|--stride|3", 2),
    ("train|bert|--data|sentences/texts.json|--out|out", 3), ("export|bert|--output|out|--to|hf|--own-classes", 3),
    ("chat|bert|--tokenizer|sentences", 3), ("logits|sentences|--tokens|1", 3),
    ("classify|bert|--tokenizer|sentences|x", 3), ("run|bert-classes|--tokenizer|sentences|the [MASK]", 3),
    ("classify|bert-classes|--tokenizer|sentences|x|--pairs", 2), ("classify|bert-classes|x", 1),
    ("embed|sentences|the cat|-", 2), ("embed|sentences|cat|--max-tokens|0", 2), ("embed|bert|cat", 1),
  ]

  @Test("what makes no sense for an encoder is refused in a sentence: 3, and where an option is at fault: 2")
  func refusals() throws {
    for (line, status) in Self.refused {
      let arguments = line.split(separator: "|").map(String.init)
      let run = try Command(arguments, in: URL(fileURLWithPath: Self.encoders))
      #expect(run.status == status, "\(line): \(run.notes)")
      #expect(run.output.isEmpty && run.notes.contains("error: "), "\(run.notes)")
    }
    #expect(!FileManager.default.fileExists(atPath: Self.encoders + "/out"))
  }

  /// As `AutoModelForSequenceClassification` of transformers 5.23 gives the softmax of its scores for
  /// `tokenizer("the cat", "a dog.")`, and for "the cat" alone.
  @Test("classify tells the classes of texts and of pairs, by the names of the configuration")
  func classes() throws {
    let model = ["classify", Self.encoders + "/bert-classes", "--tokenizer", Self.sentences]
    func probabilities(_ run: Command) throws -> [String: Double] {
      let classes = try #require(JSONValue(parsing: run.output).array?.first?["classes"]?.array)
      let pairs = classes.compactMap { one in
        one["class"]?.string.flatMap { name in one["probability"]?.number.map { (name, $0) } }
      }
      return Dictionary(uniqueKeysWithValues: pairs)
    }
    let one = try probabilities(Command(model + ["the cat", "--json"]))
    let pair = try probabilities(Command(model + ["the cat", "a dog.", "--pairs", "--json"]))
    let alone = [0.3190065920, 0.4555610418, 0.2254323959]
    let together = [0.3128552734, 0.4591657817, 0.2279789447]
    for label in 0..<3 {
      let (a, b) = (one["LABEL_\(label)"] ?? 0, pair["LABEL_\(label)"] ?? 0)
      #expect(abs(a - alone[label]) < 1e-5 && abs(b - together[label]) < 1e-5, "\(label): \(a), \(b)")
    }
    let table = try Command(model + ["the cat", "x", "--top", "1"])
    #expect(table.output.hasPrefix("LABEL_1  0.4556\n\nLABEL_"), "\(table.output)")
    let named = try Command(["classify", Self.encoders + "/distilbert-classes", "--tokenizer", Self.sentences, "x"])
    #expect(named.output.contains("good") && named.output.contains("bad"))
    let arguments = ["classify", Self.encoders + "/electra-classes", "--tokenizer", Self.sentences, "x", "--json"]
    let single = try JSONValue(parsing: Command(arguments).output).array?.first?["classes"]?.array?.first
    let score = try #require(single?["score"]?.number)
    let probability = try #require(single?["probability"]?.number)
    #expect(abs(probability - 1 / (1 + exp(-score))) < 1e-9)
  }

  @Test("pooling that is not read here is refused by name")
  func pooling() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let copy = folder.appending(path: "model")
    try FileManager.default.copyItem(atPath: Self.sentences, toPath: copy.path)
    for (text, word) in [
      (#"{"pooling_mode": "weightedmean"}"#, "weightedmean"), (#"{"pooling_mode": ["cls", "mean"]}"#, "cls, mean"),
      (#"{"pooling_mode_mean_tokens": true, "word_embedding_dimension": 8}"#, "states of 8 numbers"),
    ] {
      try text.write(to: copy.appending(path: "1_Pooling/config.json"), atomically: true, encoding: .utf8)
      let run = try Command("embed", copy.path, "cat")
      #expect(run.status == 3 && run.notes.contains(word), "\(run.notes)")
    }
    try #"[{"idx": 0, "name": "0", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}]"#
      .write(to: copy.appending(path: "modules.json"), atomically: true, encoding: .utf8)
    let run = try Command("embed", copy.path, "cat")
    #expect(run.status == 3 && run.notes.contains("models.Dense"), "\(run.notes)")
  }
}
