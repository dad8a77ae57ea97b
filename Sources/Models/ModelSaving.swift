import Formats
import Checkpoints
import Components
import Composition
import Execution
import Files
import Kernels
import Specification

extension ModelLoader {
  /// Saves a model as a Hugging Face folder at `path`: `config.json` and safetensors under the family's own names and
  /// layouts, and the tokenizer's files where it came with any; numbers in `format`, or as they are.
  ///
  /// Throws `Problems` when the family's map or configuration cannot say what the model is: `saveNative` can.
  public func save(_ described: ModelDescription, to path: String, as format: StorageFormat? = nil) throws {
    let architecture = described.architecture
    guard let map = architecture.checkpoint else {
      throw Problems([
        Problem("'\(architecture.name)' has no key 'checkpoint', which says how its tensors are named", at: nil)
      ])
    }
    guard let section = architecture.config else {
      throw Problems([
        Problem("'\(architecture.name)' has no key 'config', which says how its config.json is written", at: nil)
      ])
    }
    let stored = try CheckpointMap(map).save(tensors(of: described, as: format), count: architecture.count)
    let shapes = Dictionary(stored.map { ($0.name, $0.shape) }) { first, _ in first }
    let binding = try ConfigBinding(ConfigBinding.parts(of: section).binding)
    let config = try binding.configuration(for: architecture.resolved, tensors: shapes)
    try requireSame(architecture, readingBack: config, binding, shapes)
    try CheckpointFolder.write(stored, config: config, to: path)
    try copyCompanions(of: described, to: path)
  }

  /// Saves any model as a folder of the project's own at `path`: its spec, and safetensors under canonical names, as
  /// training does; the tokenizer's files where it came with any.
  public func saveNative(_ described: ModelDescription, to path: String, as format: StorageFormat? = nil) throws {
    try CheckpointFolder.write(tensors(of: described, as: format), config: nil, to: path)
    try copyCompanions(of: described, to: path)
    var resolved = described.architecture.resolved
    resolved["expected_params"] = nil
    // Last: a folder that has it is complete.
    try writeAtomically(YAMLWriter().write(resolved), to: path + "/" + ModelSource.spec)
  }

  /// The model's tensors under canonical names.
  private func tensors(of described: ModelDescription, as format: StorageFormat?) throws -> [StoredTensor] {
    let weights = try weights(of: described)
    let tensors = described.plan.parameters.flatMap(\.members).compactMap { weights[$0.name.text] }
    guard let format else { return tensors }
    return try tensors.map { try $0.stored(as: format) }
  }

  private func copyCompanions(of described: ModelDescription, to path: String) throws {
    let source: String? =
      switch described.source {
      case .folder(let path), .trained(let path): path
      case .specification, .safetensors, .gguf: nil
      }
    if let source {
      for name in Self.companionFiles
      where kind(ofPath: source + "/" + name) == .file {
        let file = try MappedFile(path: source + "/" + name)
        try withExtendedLifetime(file) { try writeAtomically(to: path + "/" + name) { try $0.write(file.bytes) } }
      }
    }
  }

  /// The files of a model's folder that say how text is turned into tokens and back.
  public static let companionFiles = [
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json",
    "generation_config.json", "chat_template.jinja",
  ]

  /// Throws when `config` would be read back as another model than `architecture`: its words reach less far.
  private func requireSame(
    _ architecture: Architecture, readingBack config: JSONValue, _ binding: ConfigBinding, _ shapes: [String: [Int]]
  ) throws {
    let source = ConfigSource(name: "config.json", config: config, shapes: shapes)
    guard let family = try family(matching: source, in: "config")?.family else {
      throw Problems([
        Problem(
          "no family of the zoo would read the config.json of '\(architecture.name)'", at: architecture.config?.place)
      ])
    }
    let patch = try binding.bind(source).patch
    let name = Setting(.group([Setting.Entry("name", Setting(.scalar(architecture.name, quoted: true)))]))
    let back = try composer.compose(specifications.load("\(family)/\(Catalog.familyFile)", patches: [patch, name]))
    if let lost = try composer.compose(architecture).difference(from: back) {
      throw Problems([
        Problem(
          "a config.json of the family '\(family)' cannot say what '\(architecture.name)' is", at: nil,
          hint: "'\(lost.own)' would be read back as '\(lost.other)'")
      ])
    }
  }
}
