import Foundation
import Testing

/// Files that are wrong in one place each, through the built program: it says so with the place, ends with status 3, and
/// takes no memory for what a file merely claims.
@Suite("broken input")
struct BrokenInputTests {
  /// What is wrong, the file, where the message points (line:column for a spec), and words of the message.
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let content: Data
    let place: String
    let words: [String]

    init(_ name: String, _ content: some DataProtocol, at place: String, _ words: String...) {
      self.name = name
      self.content = Data(content)
      self.place = place
      self.words = words
    }

    init(_ name: String, _ content: String, at place: String, _ words: String...) {
      self.name = name
      self.content = Data(content.utf8)
      self.place = place
      self.words = words
    }

    var testDescription: String { name }
  }

  // MARK: Specifications

  static let good = """
    vocab_size: 100
    context_length: 32
    hidden_size: 64
    layers: {count: 2}
    position: {type: rope}
    norm: {type: rmsnorm}
    attention: {num_heads: 4}
    mlp: {intermediate_size: 128}

    """

  /// The good spec with `old`, which it holds, replaced.
  static func changed(_ old: String, _ new: String) -> String { good.replacing(old, with: new) }

  static let specifications: [Case] = [
    Case(
      "unknown key", good + "hiden_size: 3\n", at: "9:1", "'hiden_size' is not a key", "did you mean 'hidden_size'?"),
    Case("unknown component", changed("rmsnorm", "rms_norm"), at: "6:14", "'rms_norm'", "did you mean 'rmsnorm'?"),
    Case("unknown option", changed("{type: rope}", "{type: rope, theeta: 3}"), at: "5:24", "'theeta'", "'theta'"),
    Case("wrong type", changed("64", "[64]"), at: "3:14", "takes an integer, not a list"),
    Case("a number in quotes", changed("64", "\"64\""), at: "3:14", "without quotes it is a number"),
    Case("duplicate key", good + "vocab_size: 3\n", at: "9:1", "a second time", "1:1"),
    Case("a file that extends itself", "extends: ./spec\n", at: "1:10", "in a circle"),
    Case("nothing to extend", "extends: gpt22\n", at: "1:10", "no model is named 'gpt22'", "did you mean 'gpt2'?"),
    Case("width not divisible by heads", changed("num_heads: 4", "num_heads: 7"), at: "7:24", "does not divide into 7"),
    Case("key heads that cannot be shared", changed("4}", "4, num_kv_heads: 3}"), at: "7:41", "4 query heads", "3 key"),
    Case(
      "a formula that is none", changed("128}", "128, activation: {formula: x * sigmod(x)}}"), at: "8:53",
      "knows no function 'sigmod' at character 5", "did you mean 'sigmoid'?"),
    Case(
      "a formula with holes", changed("128}", "128, activation: {formula: log(x)}}"), at: "8:53", "is not finite",
      "at x = -10"),
    Case("odd rotary width", changed("{type: rope}", "{type: rope, dim: 3}"), at: "5:29", "rope rotates pairs"),
    Case("heads of one number", changed("num_heads: 4", "num_heads: 64"), at: "5:18", "rope rotates pairs"),
    Case("window of nothing", changed("4}", "4, window: 0}"), at: "7:35", "'window' must lie between 1"),
    Case("window beyond 64 bits", changed("4}", "4, window: 99999999999999999999}"), at: "7:35", "must lie between 1"),
    Case("no context", changed("context_length: 32", "context_length: 0"), at: "2:17", "must be at least 1"),
    Case("negative size", changed("vocab_size: 100", "vocab_size: -5"), at: "1:13", "must be at least 1, not -5"),
    Case("more layers than there may be", changed("count: 2", "count: 1000000000"), at: "4:17", "at most 10000"),
    Case("sizes beyond counting", changed("hidden_size: 64", "hidden_size: 2147483648"), at: "3:14", "too large"),
    Case(
      "waves beyond memory", changed("64", "2147483648").replacing("{type: rope}", with: "sinusoidal"), at: "3:14",
      "too large"),
    Case(
      "a pattern of unknown variants", changed("count: 2", "count: 2, pattern: [a]"), at: "4:30",
      "no variant is named 'a'"),
    Case(
      "an override of no layer", changed("count: 2", "count: 2, overrides: [{layers: 2, mlp: {gated: true}}]"),
      at: "4:41", "there is no layer 2"),
    Case(
      "a layer's own learned position", changed("count: 2", "count: 2, overrides: [{layers: 1, position: learned}]"),
      at: "4:54", "acts once, at the embedding"),
    Case(
      "scaling factors for other widths",
      changed("rope}", "rope, scaling: {type: longrope, short_factor: [1], long_factor: [1], original_context: 8}}"),
      at: "5:18", "8 rotated pairs", "1 factors"),
    Case("a norm of queries that is no group", changed("4}", "4, qk_norm: sideways}"), at: "7:36", "a group of keys"),
    Case(
      "a checkpoint map with an unknown key", good + "checkpoint: {tensor: {}}\n", at: "9:14", "'tensor'", "'tensors'"),
    Case(
      "alias bomb",
      "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + zip("bcdefghi", "abcdefgh").map {
          "\($0): &\($0) [\(Array(repeating: "*\($1)", count: 9).joined(separator: ", "))]\n"
        }
        .joined(), at: "6:", "more than 100000 values"),
    Case(
      "5,000 lists in each other", String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000),
      at: "1:65", "64 deep"),
    Case("tab", changed("layers: {count: 2}", "layers:\n\tcount: 2"), at: "5:1", "a tab indents this line"),
    Case("bad UTF-8", Data(good.utf8) + [0x78, 0x3A, 0x20, 0xFF, 0x0A], at: "9:4", "0xFF", "not UTF-8"),
    Case("NUL", Data(good.utf8) + [0x78, 0x3A, 0x00, 0x0A], at: "9:3", "NUL byte"),
    Case("empty file", "", at: "1:1", "nothing is described here"),
    Case("a bracket that does not close", good + "facts: {year: 2019\n", at: "9:19", "',' or '}' is expected"),
  ]

  @Test("a broken spec", arguments: specifications)
  func specification(_ broken: Case) throws {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "spec.yaml")
      try broken.content.write(to: file)
      let run = try checked(file.path)
      #expect(run.notes.contains("\(file.path):\(broken.place)"), "\(run.notes)")
      for word in broken.words { #expect(run.notes.contains(word), "\(run.notes)") }
    }
  }

  @Test("the spec that is broken is good before")
  func goodSpecification() throws {
    try withTemporaryFolder { folder in
      let run = try Command("check", folder.write(Self.good, to: "spec.yaml"))
      #expect(run.status == 0 && run.output == "spec: 78,656 parameters\n" && run.notes.isEmpty, "\(run.notes)")
    }
  }

  @Test(
    "a change that makes no sense is shown with its place",
    arguments: [
      ("hidden_size=[1", "1:15", "',' or ']' is expected"), ("position=roqe", "1:10", "did you mean 'rope'?"),
      ("nonsense", "1:1", "sets nothing"), ("attention.num_heads=7", "1:21", "does not divide into 7 heads"),
    ])
  func change(_ text: String, _ place: String, _ words: String) throws {
    let run = try Command("check", "gpt2", "--set", text)
    #expect(run.status == 3 && run.output.isEmpty)
    #expect(run.notes.contains("--set:\(place): error: ") && run.notes.contains(words), "\(run.notes)")
    #expect(run.notes.contains("  1 | \(text)\n"), "the line is shown: \(run.notes)")
  }

  // MARK: Checkpoints

  static let header = TinyCheckpoint.header().text
  static let bytes = TinyCheckpoint.header().byteCount

  static let safetensorsFiles: [Case] = [
    Case("nothing", Data(), at: "byte 0", "begins with 8 bytes of header length"),
    Case(
      "a header longer than any", TinyCheckpoint.safetensors(length: 1 << 63), at: "byte 0", "9223372036854775808 bytes"
    ),
    Case(
      "a header longer than the file", TinyCheckpoint.safetensors(length: 99_999_999), at: "byte 8", "99999999 bytes"),
    Case("no JSON", TinyCheckpoint.safetensors("{'a'}"), at: "byte 9", "expected a key in quotes"),
    Case(
      "lists in each other", TinyCheckpoint.safetensors(String(repeating: "[", count: 10_000)), at: "byte 136",
      "nested more than 128"),
    Case(
      "a key that comes twice", TinyCheckpoint.safetensors(header.replacing("model.norm", with: "model.embed_tokens")),
      at: "byte ", "appears twice"),
    Case(
      "truncated data", TinyCheckpoint.safetensors(data: bytes - 1), at: "down_proj.weight'", "ends at byte \(bytes)",
      "has \(bytes - 1)"),
    Case("bytes left over", TinyCheckpoint.safetensors(data: bytes + 5), at: "5 bytes", "belong to nothing"),
    Case(
      "overlapping tensors", TinyCheckpoint.safetensors(header.replacing("[512,544]", with: "[0,32]")),
      at: "begins at byte 0", "ends at 32"),
    Case(
      "an unknown type", TinyCheckpoint.safetensors(header.replacing("\"F32\"", with: "\"Q9\"")),
      at: "embed_tokens.weight'", "unknown dtype 'Q9'"),
    Case(
      "a shape beyond counting",
      TinyCheckpoint.safetensors(header.replacing("[8, 16]", with: "[4611686018427387904, 4]")),
      at: "down_proj.weight'", "countable"),
    Case(
      "a shape for other bytes", TinyCheckpoint.safetensors(header.replacing("[8, 16]", with: "[8, 17]")),
      at: "down_proj.weight'", "needs 544 bytes", "span 512"),
    Case(
      "another shape than the model's", TinyCheckpoint.safetensors(header.replacing("[8, 16]", with: "[16, 8]")),
      at: "down_proj.weight'", "needs [8, 16]"),
    Case(
      "a tensor by another name", TinyCheckpoint.safetensors(header.replacing("up_proj", with: "zzz")),
      at: "up_proj.weight'", "does not have", "nothing uses"),
    Case(
      "tensors of nothing known", TinyCheckpoint.safetensors(header.replacing("model.", with: "other.")),
      at: "model.embed_tokens.weight", "other.embed_tokens.weight", "another family"),
  ]

  @Test("a broken safetensors file", arguments: safetensorsFiles)
  func safetensors(_ broken: Case) throws {
    try withTemporaryFolder { folder in
      try Data(TinyCheckpoint.config.utf8).write(to: folder.appending(path: "config.json"))
      try broken.content.write(to: folder.appending(path: "model.safetensors"))
      let run = try checked(folder.path)
      #expect(run.notes.contains(folder.path), "the file is named")
      for word in broken.words + [broken.place] { #expect(run.notes.contains(word), "\(run.notes)") }
    }
  }

  static let ggufFiles: [Case] = {
    func gguf(_ change: (inout TinyCheckpoint.GGUF) -> Void) -> Data {
      var file = TinyCheckpoint.GGUF()
      change(&file)
      return file.data
    }
    return [
      Case("nothing", Data(), at: "byte 0", "begins with the bytes GGUF"),
      Case("version 1", gguf { $0.version = 1 }, at: "byte 4", "version 1; only 2 and 3"),
      Case("big endian", gguf { $0.version = 0x0300_0000 }, at: "byte 4", "big endian"),
      Case("2⁶³ tensors", gguf { $0.tensorCount = 1 << 63 }, at: "byte 8", "no room to list them"),
      Case("2⁶³ keys", gguf { $0.keyCount = 1 << 63 }, at: "byte 16", "has no room for them"),
      Case(
        "a key that comes twice", gguf { $0.keys.append($0.keys[0]) }, at: "byte ",
        "'general.architecture' appears twice"),
      Case(
        "a text of 2⁶³ bytes", gguf { $0.keys.append(("x", .raw(8, [1 << 63]))) }, at: "byte ",
        "'x' claims 9223372036854775808 bytes"),
      Case(
        "an alignment of 3", gguf { $0.keys.append(("general.alignment", .integer(3))) }, at: "general.alignment is 3",
        "power of two"),
      Case(
        "overlapping tensors", gguf { $0.shift = (1, 0 &- 512) }, at: "byte ", "'output_norm.weight' is at 0",
        "512 is expected"),
      Case(
        "an axis beyond counting", gguf { $0.tensors[0].axes = [1 << 62, 4] }, at: "byte ", "'token_embd.weight'",
        "counted"),
      Case("a negative axis", gguf { $0.tensors[0].axes = [.max, 16] }, at: "byte ", "an axis of length -1"),
      Case("an unknown type", gguf { $0.tensors[0].type = 99 }, at: "byte ", "unknown type 99"),
      Case("truncated metadata", gguf { $0.end = 100 }, at: "byte ", "no room"),
      Case(
        "truncated data", gguf { $0.end = $0.data.count - 1 }, at: "byte ", "'blk.0.ffn_down.weight'", "has 511 left"),
      Case("a missing tensor", gguf { $0.tensors.removeLast() }, at: "blk.0.ffn_down.weight", "does not have"),
      Case(
        "a size that is not a number", gguf { $0.keys[2].value = .number(.nan) }, at: "hidden_size",
        "takes an integer"),
      Case("no kind", gguf { $0.keys.removeFirst() }, at: "general.architecture", "what kind of model"),
    ]
  }()

  @Test("a broken GGUF file", arguments: ggufFiles)
  func gguf(_ broken: Case) throws {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "model.gguf")
      try broken.content.write(to: file)
      let run = try checked(file.path)
      #expect(run.notes.contains(file.path), "the file is named")
      for word in broken.words + [broken.place] { #expect(run.notes.contains(word), "\(run.notes)") }
    }
  }

  @Test("the checkpoints that are broken are good before")
  func goodCheckpoints() throws {
    try withTemporaryFolder { folder in
      try Data(TinyCheckpoint.config.utf8).write(to: folder.appending(path: "config.json"))
      try TinyCheckpoint.safetensors().write(to: folder.appending(path: "model.safetensors"))
      let file = folder.appending(path: "model.gguf")
      try TinyCheckpoint.GGUF().data.write(to: file)
      for path in [folder.path, file.path] {
        let run = try Command("check", path)
        #expect(run.status == 0 && run.output.contains("all 11 tensors are there"), "\(run.notes)")
      }
    }
  }

  // MARK: Numbers of a run

  @Test(
    "numbers beyond reason are mistakes of usage",
    arguments: [
      (["--max-tokens", "9223372036854775808"], "--max-tokens"), (["--max-tokens", "-1"], "at least 1"),
      (["--threads", "100000"], "from 1 to 1024"), (["--temperature", "nan"], "from 0 to 100"),
      (["--temperature", "-1"], "from 0 to 100"), (["--tokens", "1,2048"], "outside the vocabulary of 2048"),
      (["--tokens", "1,-2"], "'-2' is not a token id"), ([String(repeating: "word ", count: 300)], "made for 256"),
    ])
  func numbers(_ arguments: [String], _ words: String) throws {
    let run = try Command(["run", "story-llama"] + arguments)
    #expect(run.status == 2 && run.output.isEmpty && run.notes.contains(words), "\(run.notes)")
  }

  @Test("a model stops where its context ends, however much is asked for")
  func context() throws {
    let run = try Command(
      "run", "story-llama", "--max-tokens", "9223372036854775807", "--temperature", "0", "--ignore-end")
    #expect(
      run.status == 0 && run.notes.contains("generated 256 tokens,")
        && run.notes.contains("stopped at the context length"), "\(run.notes)")
  }

  @Test("weights that are NaN are reported")
  func notANumber() throws {
    try withTemporaryFolder { folder in
      try Data(TinyCheckpoint.config.utf8).write(to: folder.appending(path: "config.json"))
      let header = TinyCheckpoint.header()
      let file = TinyCheckpoint.safetensors(data: 0) + Data(repeating: 0xFF, count: header.byteCount)
      try file.write(to: folder.appending(path: "model.safetensors"))
      let run = try Command("run", folder.path, "--tokens", "1")
      #expect(run.status == 1 && run.notes.contains("the logits are NaN"), "\(run.notes)")
    }
  }

  /// Checks what is at `path` with little memory to spare, and expects a refusal that comes at once.
  private func checked(_ path: String) throws -> Command {
    let run = try Command(["check", path], memory: 1 << 30)
    #expect(run.status == 3 && run.output.isEmpty, "\(run.status): \(run.notes)")
    return run
  }
}
