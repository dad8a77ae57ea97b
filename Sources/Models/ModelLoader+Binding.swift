import Checkpoints
import Components
import Files
import Specification

extension ModelLoader {
  /// What a folder or file says of its own architecture.
  private struct Configuration {
    let config: ConfigSource
    /// The key of a family's file that says how it is read.
    let section: String
    /// The key of the configuration that says what kind of model it is.
    let kindKey: String
    /// The file, when it is GGUF.
    var container: GGUFFile?
    /// Keys that were read besides.
    var keys: [String] = []
  }

  /// The model of a folder or GGUF file, wired by the family that its configuration matches.
  /// It is called `name`, or as its folder or file is.
  func bound(
    _ source: ModelSource, _ patches: [Setting], named name: String? = nil, opened: (GGUFFile) -> Void
  ) throws -> Found {
    let configuration = try configuration(of: source)
    configuration.container.map(opened)
    let config = configuration.config
    guard let (family, binding) = try family(matching: config, in: configuration.section) else {
      throw ModelProblem.unknownKind(
        config.value(at: configuration.kindKey)?.string, key: configuration.kindKey, path: config.name, nearest: nil)
    }
    let result = try binding.bind(config)
    try checkUnread(result.unused, of: config, by: family, besides: configuration.keys)
    let name = Setting(.group([Setting.Entry("name", Setting(.scalar(name ?? source.name, quoted: true)))]))
    let architecture: Architecture
    do {
      architecture = try specifications.load(
        "\(family)/\(Catalog.familyFile)", patches: [result.patch, name] + patches)
    } catch {
      throw error.naming(config.name)
    }
    return Found(
      architecture: architecture, source: source, container: configuration.container, configuration: config.name,
      notes: notes(on: family, of: kinds(of: config)))
  }

  /// What a folder's configuration says, for a spec that says no sizes: a family's own file, or one that changes a family.
  ///
  /// What such a file says itself counts before its folder's configuration; nothing where the spec has sizes, or the
  /// weights no configuration.
  func sizes(for reference: String, from source: ModelSource) throws -> [Setting] {
    guard case .folder = source, let configuration = try? configuration(of: source) else { return [] }
    let tree = try specifications.tree(reference)
    guard tree["vocab_size"] == nil, tree["hidden_size"] == nil, let section = tree[configuration.section] else {
      return []
    }
    let result = try ConfigBinding(ConfigBinding.parts(of: section).binding).bind(configuration.config)
    let path = try specifications.locate(reference)
    try checkUnread(result.unused, of: configuration.config, by: reference, besides: configuration.keys)
    var name = Setting(.group([]))
    if tree["name"] == nil { name["name"] = Setting(.scalar(source.name, quoted: true)) }
    // A family's own file says what its configurations may change.
    let own = catalog.path(of: reference) == path ? nil : tree.written(in: path)
    return [result.patch, name] + (own.map { [$0] } ?? [])
  }

  /// Refuses keys that nobody knows: any of them may decide numbers.
  private func checkUnread(
    _ keys: [String], of config: ConfigSource, by family: String, besides read: [String]
  ) throws(Problems) {
    var problems = Problems()
    let unknown = keys.filter { key in !(ignoredKeys + read).contains { key == $0 || key.hasPrefix($0 + ".") } }
    let groups = Dictionary(grouping: unknown) { $0.prefix { $0 != "." } }
    var told: Set<Substring> = []
    for key in unknown {
      // A group of which nothing is known is one key.
      let group = key.prefix { $0 != "." }
      let isWhole = groups[group]?.count == config.value(at: String(group))?.object?.count
      let shown = isWhole ? group : key[...]
      guard told.insert(shown).inserted else { continue }
      // A key may be as long as the file allows.
      let word = String(shown.prefix(60))
      problems.add(
        Problem(
          "\(config.name): the family '\(family)' does not know the key '\(word)', which may decide numbers", at: nil,
          hint: "if it does not, '--ignore-key \(word)' lets it pass"))
    }
    try problems.check()
  }

  /// The family that weights say they are of; nil when they say nothing that a family reads.
  func family(of source: ModelSource) -> String? {
    guard let configuration = try? configuration(of: source) else { return nil }
    return (try? family(matching: configuration.config, in: configuration.section))?.family
  }

  private func configuration(of source: ModelSource) throws -> Configuration {
    switch source {
    case .gguf(let path):
      let file = try GGUFFile(path: path)
      return Configuration(
        config: ConfigSource(file), section: "gguf", kindKey: "general.architecture", container: file)
    case .folder(let path):
      guard let json = try CheckpointFolder.config(in: path) else {
        throw ModelProblem.notAModel(
          path: path, why: "it has no config.json; give the wiring as the model and this folder with --weights")
      }
      let tensors = try CheckpointFolder(path: path).tensors
      let keys = try QuantizedWeights.keys(readOf: json, tensors, path: path)
      return Configuration(
        config: ConfigSource(name: path + "/config.json", config: json, tensors: tensors), section: "config",
        kindKey: "model_type", keys: keys)
    case .safetensors(let path), .specification(let path), .trained(let path):
      throw ModelProblem.notAModel(
        path: path, why: "it has no wiring; give that as the model and this with --weights")
    }
  }

  /// The family that reads `config`, and how it does, by the key `section` of its file.
  public func family(matching config: ConfigSource, in section: String) throws -> (
    family: String, binding: ConfigBinding
  )? {
    let kinds = kinds(of: config)
    let files = catalog.familyFiles()
    // Whoever writes a family beside the zoo means it. Then a kind and its family mostly have one name; no two families of
    // the zoo match one configuration, so which of them is asked first changes nothing but the time.
    let families =
      files.filter { isAdded($0.path) } + files.filter { !isAdded($0.path) && kinds.contains($0.family) }
      + files.filter { !isAdded($0.path) && !kinds.contains($0.family) }
    var broken: (any Error)?
    for family in families {
      let reference = "\(family.family)/\(Catalog.familyFile)"
      var isMeant = kinds.contains(family.family)
      do {
        // A family that builds on another one has its match too; the one that wrote it reads the configuration.
        guard let setting = try specifications.tree(reference)[section],
          let writtenIn = setting["match"]?.place?.source, writtenIn.hasSuffix("\(reference).yaml")
        else { continue }
        let named = (setting["match"]?.entries ?? []).flatMap { $0.value.list ?? [$0.value] }
        isMeant = isMeant || named.contains { $0.text.map(kinds.contains) ?? false }
        let binding = try ConfigBinding(ConfigBinding.parts(of: setting).binding)
        if binding.matches(config) { return (family.family, binding) }
      } catch {
        // What is wrong in its file is nobody's business whose model another family reads.
        if isMeant { throw error }
        broken = broken ?? error
      }
    }
    if let broken { throw broken }
    return nil
  }

  /// What a configuration says that its model is.
  private func kinds(of config: ConfigSource) -> [String] {
    ["model_type", "general.architecture"].compactMap { config.value(at: $0)?.string }
  }

  /// Whether a family's file stands in a folder that was added to the zoo.
  private func isAdded(_ path: String) -> Bool {
    catalog.folders.count > 1 && !path.hasPrefix((catalog.folders.last ?? "") + "/")
  }

  /// What a user should know where a family that was added reads what one of the zoo would have read.
  private func notes(on family: String, of kinds: [String]) -> [String] {
    guard let own = catalog.familyFiles().first(where: { $0.family == family }), isAdded(own.path),
      let zoo = catalog.folders.last,
      let kind = kinds.first(where: { Files.kind(ofPath: "\(zoo)/\($0)/\(Catalog.familyFile).yaml") == .file })
    else { return [] }
    return ["\(own.path) reads this model, in place of the zoo's family '\(kind)'"]
  }
}

extension Setting {
  /// What of this tree stands in the file `path`; nil where nothing does.
  fileprivate func written(in path: String) -> Setting? {
    guard let entries else { return place?.source == path ? self : nil }
    let own = entries.compactMap { entry in entry.value.written(in: path).map { Setting.Entry(entry.key, $0) } }
    return own.isEmpty ? nil : Setting(.group(own), at: place)
  }
}
