import Ablation
import Checkpoints
import Components
import Composition
import Files
import Foundation
import Grammars
import Models
import Specification
import Templates
import Tokenization

/// Everything of this package that reads bytes which somebody else may have made.
///
/// Each must end, with a value or an error, whatever the bytes are: it may not trap, loop, or read beyond them. `make test`
/// replays the inputs of `Tests/Fuzz/Corpus/NAME`, `make fuzz` looks for more.
public enum HostileParser: String, CaseIterable, Sendable {
  case yaml, json, safetensors, index, gguf, tokenizer, sentencepiece, tiktoken, specification, binding, study, outcome,
    formula, overrides, template, grammar, schema

  /// Reads `bytes`; what is wrong with them is no news.
  public func parse(_ bytes: [UInt8]) {
    _ = try? read(bytes)
  }

  private func read(_ bytes: [UInt8]) throws {
    switch self {
    case .yaml:
      let setting = try YAMLReader(source: "input.yaml").read(bytes)
      // What was read is written so that it is read back as the same.
      let text = YAMLWriter().write(setting)
      if setting.entries?.isEmpty == false { _ = try YAMLReader(source: "again.yaml").read(text) }
    case .json:
      let file = try MappedFile(copying: bytes, name: "input.json")
      _ = try withExtendedLifetime(file) {
        try JSONValue(parsing: file.bytes, name: "input.json").serialized(pretty: true)
      }
    case .safetensors: _ = try SafetensorsFile(MappedFile(copying: bytes, name: "input.safetensors")).tensors
    case .index:
      try inFolder(bytes, as: "model.safetensors.index.json") { _ = try CheckpointFolder(path: $0) }
    case .gguf:
      let file = try GGUFFile(MappedFile(copying: bytes, name: "input.gguf"))
      _ = file.tensors.map(\.bytes.count)
      try inFolder(bytes, as: "input.gguf") { folder in
        if let tokenizer = try ModelLoader.tokenizer(inGGUF: folder + "/input.gguf") { try use(tokenizer) }
      }
    case .template:
      let template = try Template(String(decoding: bytes, as: UTF8.self), name: "input.jinja")
      let variables: JSONValue = [
        "messages": [["role": "user", "content": "a"], ["role": "assistant", "content": "b"]]
      ]
      _ = try template.render(variables.object ?? JSONObject(), now: 0)
    case .grammar: try use(Grammar(gbnf: String(decoding: bytes, as: UTF8.self), name: "input.gbnf"))
    case .schema:
      try use(Grammar(jsonSchema: JSONValue(parsing: String(decoding: bytes, as: UTF8.self)), name: "input.json"))
    case .tokenizer: try inFolder(bytes, as: "tokenizer.json") { try use(Tokenizer.load(from: $0)) }
    case .sentencepiece: try inFolder(bytes, as: "tokenizer.model") { try use(Tokenizer.load(from: $0)) }
    case .tiktoken:
      try inFolder(bytes, as: "cl100k_base.tiktoken") { try use(Tokenizer.load(from: $0 + "/cl100k_base.tiktoken")) }
    case .specification:
      let tree = try YAMLReader(source: "input.yaml").read(bytes)
      _ = try SpecificationLoader(
        catalog: Catalog(folders: []), choosingOptions: [:], terms: FieldTerms(), composing: { _ in Problems() }
      ).load(tree, named: "input")
    case .binding:
      // A family's file, and the configuration that it is to read: two documents with a NUL between them.
      let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { return }
      let binding = try ConfigBinding(YAMLReader(source: "family.yaml").read(Array(parts[0])))
      let file = try MappedFile(copying: Array(parts[1]), name: "config.json")
      let json = try withExtendedLifetime(file) { try JSONValue(parsing: file.bytes, name: "config.json") }
      _ = try binding.bind(ConfigSource(name: "config.json", config: json, tensors: []))
    case .study:
      var reader = StudyReader(try YAMLReader(source: "study.yaml").read(bytes), folder: nil)
      _ = try reader.read()
    case .outcome:
      let file = try MappedFile(copying: bytes, name: "outcome.json")
      let json = try withExtendedLifetime(file) { try JSONValue(parsing: file.bytes, name: "outcome.json") }
      _ = try TaskOutcome(json, key: json["key"]?.string ?? "")
    case .formula: _ = try Formula(String(decoding: bytes, as: UTF8.self), scalars: ["a"])
    case .overrides: _ = try Overrides(String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init))
    }
  }

  /// A tokenizer that was read must also cut and join.
  private func use(_ tokenizer: Tokenizer) throws {
    let ids = tokenizer.encode("Hello  world 12 \u{1F600}\n<|endoftext|> é")
    _ = tokenizer.decode(ids)
    _ = tokenizer.decode(Array(0..<min(tokenizer.count, 300)))
  }

  /// A grammar that was read must also be followed.
  private func use(_ grammar: Grammar) throws {
    let vocabulary = TokenVocabulary(count: 256, (0..<256).map { .init(id: $0, bytes: [UInt8($0)]) })
    let matcher = try TokenGrammar(grammar, vocabulary, preparing: false).matcher()
    for _ in 0..<20 where !matcher.isFinished {
      let mask = try matcher.mask()
      guard let next = (0..<256).first(where: { mask[$0] }), try matcher.accept(next) else { return }
    }
  }

  private func inFolder(_ bytes: [UInt8], as name: String, _ body: (String) throws -> Void) throws {
    let folder = Self.folder + "/\(rawValue)"
    try makeFolder(folder)
    let path = folder + "/" + name
    guard let file = fopen(path, "w") else { return }
    bytes.withUnsafeBytes { _ = fwrite($0.baseAddress, 1, $0.count, file) }
    fclose(file)
    try body(folder)
  }

  /// A folder of this process, in memory where there is such a place: it is written a thousand times a second.
  private static let folder: String = {
    let root = kind(ofPath: "/dev/shm") == .folder ? "/dev/shm" : NSTemporaryDirectory()
    return "\(root)/chimera-fuzz-\(getpid())"
  }()

  /// Removes what parsing left.
  public static func removeFolder() { try? Files.removeFolder(folder) }
}

/// What libFuzzer calls with each input: its first byte chooses the parser, unless CHIMERA_FUZZ_PARSER names one.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ base: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = Array(UnsafeBufferPointer(start: base, count: count))
  if let chosen {
    chosen.parse(bytes)
  } else if let first = bytes.first {
    HostileParser.allCases[Int(first) % HostileParser.allCases.count].parse(Array(bytes.dropFirst()))
  }
  return 0
}

private let chosen = ProcessInfo.processInfo.environment["CHIMERA_FUZZ_PARSER"].flatMap(HostileParser.init(rawValue:))
