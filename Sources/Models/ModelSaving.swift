import Checkpoints
import Components
import Composition
import Execution
import Files
import Specification

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
    var config = try binding.configuration(for: architecture.resolved, tensors: shapes)
    if binding.claimsNothing, let family = try claimedFamily(of: architecture) { config = family.claiming(config) }
    try prove(described, saidBy: ConfigSource(name: "config.json", values: config.object ?? JSONObject(), tensors: shapes))
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

  /// The binding of the nearest family among those that `architecture` builds on which claims configurations: files of
  /// some families say that they are of another, whose family binds them.
  private func claimedFamily(of architecture: Architecture) throws -> ConfigBinding? {
    for file in architecture.files where file.hasSuffix("/\(Catalog.familyFile).yaml") {
      guard let section = try loader.tree(file)["config"] else { continue }
      let binding = try ConfigBinding(ConfigBinding.parts(of: section).binding)
      if !binding.claimsNothing { return binding }
    }
    return nil
  }

  /// Proves that a configuration says all of a model: read again, it composes the same plan. A family's configuration has
  /// words for that family alone, and a variant saved in them would come back as something else.
  private func prove(_ described: ModelDescription, saidBy config: ConfigSource) throws {
    var problem = Problem(
      "config.json cannot say all of '\(described.architecture.name)': ", at: nil,
      hint: "its YAML file, and these weights with --weights, say it")
    guard let (family, binding) = try family(matching: config, in: "config") else {
      problem = Problem(problem.sentence + "no family of the zoo would read it", at: nil, hint: problem.hint)
      throw Problems([problem])
    }
    let name = Setting(.group([Setting.Entry("name", Setting(.scalar(described.plan.name, quoted: true)))]))
    let patches = [try binding.bind(config).patch, name]
    let plan = try composer.compose(try loader.load("\(family)/\(Catalog.familyFile)", patches: patches))
    // An empty line stands for the end of the shorter listing.
    let lines = { (plan: Plan) in PlanListing(plan, everyLayer: true).text.split(separator: "\n") + [""] }
    guard let (wanted, found) = zip(lines(described.plan), lines(plan)).first(where: { $0 != $1 }) else { return }
    problem = Problem(
      problem.sentence + "'\(wanted.trimmed)' would come back as '\(found.trimmed)'", at: nil, hint: problem.hint)
    throw Problems([problem])
  }
}

extension Substring {
  /// Without the spaces that align columns.
  fileprivate var trimmed: String { split(separator: " ").joined(separator: " ") }
}
