import Formats
import Checkpoints
import Components
import Files
import Kernels
import Specification

extension ModelLoader {
  /// Saves a model as a Hugging Face folder at `path`, whole or not at all: `config.json`, safetensors under the family's
  /// own names and layouts, and the tokenizer; numbers in `format`, or as they are.
  ///
  /// Returns what a user should know of what could not be carried over. Throws `Problems` when the family's map or
  /// configuration cannot say what the model is: `saveNative` can.
  @discardableResult
  public func save(_ described: ModelDescription, to path: String, as format: StorageFormat? = nil) throws -> [String] {
    let (architecture, restorations) = try asFolder(described)
    guard let map = architecture.checkpoint else {
      throw Problems([
        Problem(
          "'\(architecture.name)' has no key 'checkpoint', which says how its tensors are named", at: nil,
          hint: Self.nativeHint)
      ])
    }
    guard let section = architecture.config else {
      throw Problems([
        Problem(
          "'\(architecture.name)' has no key 'config', which says how its config.json is written", at: nil,
          hint: Self.nativeHint)
      ])
    }
    let binding = try ConfigBinding(ConfigBinding.parts(of: section).binding)
    let effective = try composer.assemble(architecture).choices
    let rows = try folderRows(architecture, restorations)
    let canonical = try tensors(of: described, as: format, holdingBlocks: false) { try rows.moved($0, .toFolder) }
    let stored = try CheckpointMap(map).save(canonical, count: architecture.count)
    let shapes = Dictionary(stored.map { ($0.name, $0.shape) }) { first, _ in first }
    let original = try originalConfiguration(of: described)
    let candidates = try binding.configurations(
      for: architecture.resolved, tensors: shapes, original: original, effective: effective.option)
    let config = try first(of: candidates, readBackAs: architecture, shapes)
    let complete = completed(config, for: described, stored, as: format, isOriginal: original != nil)
    // Others may ask for what no plan has: constants, tables of frequencies.
    var others = try unplannedTensors(of: described)
    let names = Set((stored + others).map(\.name))
    others += try CheckpointMap(map).constantTensors(layers: architecture.layers.count).filter {
      !names.contains($0.name)
    }
    var notes: [String] = []
    try writeFolderAtomically(to: path) { folder in
      try CheckpointFolder.write(stored + others, config: complete, to: folder)
      notes = try writeTokenizer(of: described, to: folder, native: false)
    }
    return notes
  }

  /// Saves any model as a folder of the project's own at `path`, whole or not at all: its spec, the numbers under
  /// canonical names, and the tokenizer.
  ///
  /// The numbers are in safetensors, as training writes them, and in a GGUF file where safetensors cannot hold them.
  @discardableResult
  public func saveNative(
    _ described: ModelDescription, to path: String, as format: StorageFormat? = nil
  ) throws -> [String] {
    let tensors = try tensors(of: described, as: format, holdingBlocks: true) { $0 }
    var notes: [String] = []
    try writeFolderAtomically(to: path) { folder in
      if tensors.allSatisfy({ $0.format.elementsPerBlock == 1 }) {
        try CheckpointFolder.write(tensors, config: nil, to: folder, shardBytes: .max)
      } else {
        try GGUFFile.write(
          tensors,
          metadata: [
            ("general.architecture", .string("chimera")), ("general.name", .string(described.architecture.name)),
          ], to: folder + "/" + ModelSource.blocks)
      }
      notes = try writeTokenizer(of: described, to: folder, native: true)
      try writeAtomically(described.specification(withFormats: true), to: folder + "/" + ModelSource.spec)
    }
    return notes
  }

  static let nativeHint = "--native saves a folder that can say any model"

  /// The model's tensors under canonical names, changed by `change` and then stored as `format`.
  private func tensors(
    of described: ModelDescription, as format: StorageFormat?, holdingBlocks: Bool,
    _ change: (StoredTensor) throws -> StoredTensor
  ) throws -> [StoredTensor] {
    let weights = try weights(of: described, keepsFormats: format == nil)
    let tensors = described.plan.parameters.flatMap(\.members).compactMap { weights[$0.name.text] }
    if format == nil, !holdingBlocks, let blocks = tensors.first(where: { $0.format.elementsPerBlock != 1 }) {
      throw Problems([
        Problem(
          "'\(blocks.name)' is stored as \(blocks.format.rawValue), which safetensors cannot hold; add --dtype bf16",
          at: nil, hint: "or f16 or f32; or --native, which keeps it as it is")
      ])
    }
    return try tensors.map { tensor in
      do {
        let changed = try change(tensor)
        return try changed.stored(as: format ?? tensor.format)
      } catch let problem as Problem {
        throw Problems([problem])
      }
    }
  }

  /// The tensors of a folder that its family's map ignores, as they are stored.
  private func unplannedTensors(of described: ModelDescription) throws -> [StoredTensor] {
    guard case .folder(let path) = described.source else { return [] }
    let ignored = try Set(match(described).ignored)
    return try CheckpointFolder(path: path).tensors.filter { ignored.contains($0.name) }.compactMap { entry in
      entry.format.map {
        StoredTensor(name: entry.name, shape: entry.shape, format: $0, bytes: entry.bytes, owner: entry.file)
      }
    }
  }

  /// The model as a folder has it, and how its tensors get there: without the facts that are a container's alone.
  func asFolder(_ described: ModelDescription) throws -> (Architecture, [TensorRestoration]) {
    let architecture = described.architecture
    guard case .gguf = described.source, let section = architecture.gguf, let file = architecture.files.first else {
      return (architecture, [])
    }
    let binding = try ConfigBinding(ConfigBinding.parts(of: section).binding)
    let own = try specifications.tree(file)
    var resolved = architecture.resolved
    var restorations: [TensorRestoration] = []
    for restoration in binding.restorations {
      let path = restoration.fact
      guard let fact = binding.set.first(where: { $0.key == path })?.value, !fact.isNull,
        let found = resolved[path: path], JSONValue(found) == JSONValue(fact),
        own[path: path].map({ JSONValue($0) }) != JSONValue(fact)
      else { continue }
      resolved[path: path] = own[path: path]
      restorations.append(restoration)
    }
    guard !restorations.isEmpty else { return (architecture, []) }
    resolved["expected_params"] = nil
    return (try specifications.load(resolved, named: architecture.name), restorations)
  }

  /// Throws why no Hugging Face folder of the model's family can say what it is, or names its tensors; no weight is read.
  public func requireFolder(_ described: ModelDescription) throws {
    let (architecture, _) = try asFolder(described)
    guard let map = architecture.checkpoint, let section = architecture.config else {
      throw Problems([
        Problem(
          "'\(architecture.name)' says nothing of a config.json or of the names of tensors in one's folder", at: nil)
      ])
    }
    let binding = try ConfigBinding(ConfigBinding.parts(of: section).binding)
    let shapes = try CheckpointMap(map).layout(of: described.plan.parameters, count: architecture.count)
    let candidates = try binding.configurations(
      for: architecture.resolved, tensors: shapes, original: originalConfiguration(of: described),
      effective: composer.assemble(architecture).choices.option)
    _ = try first(of: candidates, readBackAs: architecture, shapes)
  }

  /// The first of `candidates` that is read back as `architecture`; throws why the first of all is not.
  private func first(
    of candidates: [JSONValue], readBackAs architecture: Architecture, _ shapes: [String: [Int]]
  ) throws -> JSONValue {
    var problem: (any Error)?
    for candidate in candidates {
      do {
        try requireSame(architecture, readingBack: candidate, shapes)
        return candidate
      } catch {
        problem = problem ?? error
      }
    }
    throw problem ?? Problems([Problem("no configuration says what '\(architecture.name)' is", at: nil)])
  }

  /// Throws when `config` would be read back as another model than `architecture`, or with other tensors.
  private func requireSame(
    _ architecture: Architecture, readingBack config: JSONValue, _ shapes: [String: [Int]]
  ) throws {
    let source = ConfigSource(name: "config.json", config: config, shapes: shapes)
    guard let (family, binding) = try family(matching: source, in: "config") else {
      throw Problems([
        Problem(
          "no family of the zoo would read the config.json of '\(architecture.name)'", at: architecture.config?.place,
          hint: Self.nativeHint)
      ])
    }
    let patch = try binding.bind(source).patch
    let name = Setting(.group([Setting.Entry("name", Setting(.scalar(architecture.name, quoted: true)))]))
    let reader = try specifications.load("\(family)/\(Catalog.familyFile)", patches: [patch, name])
    let plan = try composer.compose(reader)
    if let lost = try composer.compose(architecture).difference(from: plan) {
      throw Problems([
        Problem(
          "a config.json of the family '\(family)' cannot say what '\(architecture.name)' is", at: nil,
          hint: "'\(lost.own)' would be read back as '\(lost.other)'; \(Self.nativeHint)")
      ])
    }
    let expected = try reader.checkpoint.map { try CheckpointMap($0).layout(of: plan.parameters, count: reader.count) }
    if let expected, expected != shapes {
      let other = shapes.keys.sorted().first { expected[$0] != shapes[$0] } ?? expected.keys.sorted().first ?? ""
      throw Problems([
        Problem(
          "the family '\(family)' does not read the tensors of '\(architecture.name)' as they would be written",
          at: nil,
          hint: "such as '\(other)'; \(Self.nativeHint)")
      ])
    }
  }
}
