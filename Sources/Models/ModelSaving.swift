import Checkpoints
import Components
import Execution
import Files

extension ModelLoader {
  /// Saves a model as a Hugging Face folder at `path`: `config.json` and safetensors under the family's own names and
  /// layouts, and the tokenizer's files where it came with any.
  ///
  /// Throws `Problems` when the family's map or configuration cannot say what the model is: such a model is saved by
  /// its YAML file and canonical weights alone.
  public func save(_ described: ModelDescription, to path: String) throws {
    let architecture = described.architecture
    guard let map = architecture.checkpoint else {
      throw Problems([Problem("'\(architecture.name)' has no key 'checkpoint', which says how its tensors are named", at: nil)])
    }
    guard let section = architecture.config else {
      throw Problems([Problem("'\(architecture.name)' has no key 'config', which says how its config.json is written", at: nil)])
    }
    let weights = try weights(of: described)
    let tensors = described.plan.parameters.compactMap { weights[$0.name] }
    let stored = try CheckpointMap(map).save(tensors, count: architecture.count)
    let shapes = Dictionary(stored.map { ($0.name, $0.shape) }) { first, _ in first }
    let binding = try ConfigBinding(ConfigBinding.parts(of: section).binding)
    let config = try binding.configuration(for: architecture.resolved, tensors: shapes)
    try CheckpointFolder.write(stored, config: config, to: path)
    if case .folder(let source) = described.source {
      for name in ["tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json", "merges.txt",
        "special_tokens_map.json", "generation_config.json", "chat_template.jinja"]
      where kind(ofPath: source + "/" + name) == .file {
        let file = try MappedFile(path: source + "/" + name)
        try withExtendedLifetime(file) { try writeAtomically(to: path + "/" + name) { try $0.write(file.bytes) } }
      }
    }
  }
}
