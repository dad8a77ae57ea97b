import Checkpoints
import Components
import Composition
import Files
import Foundation
import Specification
import StandardComponents

/// The zoo of this package, and checkpoints bound to it through their family's file alone.
struct PackageZoo {
  /// The package's folder.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  static let catalog = Catalog(folders: [root + "/Architectures"])
  static let loader = SpecificationLoader(catalog: catalog)
  /// The names of all models.
  static let names = catalog.models().map(\.name)

  /// The folder of test data beside the package; nil when it is not there, and the tests that need it say so and pass.
  static let data: String? = {
    let folder = URL(fileURLWithPath: root).deletingLastPathComponent().appending(path: "shared/data").path
    if kind(ofPath: folder) == .folder { return folder }
    print("skipped: the families on real checkpoints, for \(folder) is not there")
    return nil
  }()

  /// The architecture of `name`, with changes such as `position=rope`.
  static func load(_ name: String, _ changes: [String] = []) throws -> Architecture {
    try loader.load(name, patches: try Overrides(changes).patches)
  }

  /// The plan of `architecture`.
  static func plan(_ architecture: Architecture) throws -> Plan {
    try Composer(try Registry(standardComponents)).compose(architecture)
  }

  /// How many parameters `name` has, with changes.
  static func count(_ name: String, _ changes: String...) throws -> Int {
    try plan(try load(name, changes)).parameterCount
  }
}

/// A checkpoint, and what the one family that recognizes it makes of it.
struct BoundCheckpoint {
  let family: String
  let architecture: Architecture
  let plan: Plan
  let match: CheckpointMatch
  /// What of the configuration nothing was made of.
  let unused: [String]

  struct Unrecognized: Error { let families: [String] }

  /// The folder at `path`, whose configuration `change` may spell differently.
  init(folder path: String, changing change: (inout JSONObject) -> Void = { _ in }) throws {
    let tensors = try CheckpointFolder(path: path).tensors
    var config = try CheckpointFolder.config(in: path)?.object ?? JSONObject()
    change(&config)
    let source = ConfigSource(name: "config.json", config: .object(config), tensors: tensors)
    try self.init(source, tensors: tensors) { ($0["config"], $0["checkpoint"]) }
  }

  /// The GGUF file at `path`.
  init(gguf path: String) throws {
    let file = try GGUFFile(path: path)
    try self.init(ConfigSource(file), tensors: file.tensors) { tree in
      guard let section = tree["gguf"] else { return (nil, nil) }
      let parts = ConfigBinding.parts(of: section)
      return (parts.binding, parts.map)
    }
  }

  private init(
    _ source: ConfigSource, tensors: [StoredTensorEntry], sections: (Setting) -> (binding: Setting?, map: Setting?)
  ) throws {
    var found: [(path: String, family: String, binding: ConfigBinding, map: Setting)] = []
    for (family, path) in PackageZoo.catalog.familyFiles() {
      let sections = sections(try PackageZoo.loader.tree(path))
      guard let section = sections.binding, let map = sections.map else { continue }
      let binding = try ConfigBinding(section)
      if binding.matches(source) { found.append((path, family, binding, map)) }
    }
    guard found.count == 1 else { throw Unrecognized(families: found.map(\.family)) }
    let result = try found[0].binding.bind(source)
    let architecture = try PackageZoo.loader.load(found[0].path, patches: [result.patch])
    family = found[0].family
    unused = result.unused
    plan = try PackageZoo.plan(architecture)
    match = try CheckpointMap(found[0].map).match(plan.parameters, with: tensors) { path, name in
      // A path of the spec such as 'attention.num_heads', in the layer of the canonical name.
      let words = path.split(separator: ".").map(String.init)
      let parts = name.split(separator: ".")
      guard words.count == 2, words[0] == "attention", parts.count > 1, let layer = Int(parts[1]) else { return nil }
      return architecture.layers[layer].attention.options[words[1]]?.integer
    }
    self.architecture = architecture
  }
}
