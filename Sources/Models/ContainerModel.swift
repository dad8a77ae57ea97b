import Checkpoints
import Components
import Composition
import Essentials
import Files
import Specification

/// A model as a GGUF file of its family has it: the facts that are the container's, the names and shapes of its tensors, and
/// what its metadata says.
struct ContainerModel {
  /// The model with the container's facts.
  let architecture: Architecture
  /// How tensors get there.
  let rows: FolderRows
  /// The tensors, in the plan's order.
  let tensors: [TensorToSave]
  /// Tensors of numbers that are no parameters, by name: factors of rotary frequencies.
  let numbers: [String: [Double]]
  /// The metadata that says the architecture, but for its name.
  let metadata: [(key: String, value: GGUFValue)]
  /// `general.architecture`.
  let kind: String
}

extension ModelLoader {
  /// `described` as a GGUF file has it; throws `Problems` when its family's file does not say how, or cannot say what the
  /// model is.
  func container(of described: ModelDescription) throws -> ContainerModel {
    let own = described.architecture
    guard let section = own.gguf else {
      throw Problems([
        Problem(
          "'\(own.name)' has no key 'gguf', which says how its family is written as GGUF", at: nil,
          hint: "without --to gguf a folder is written")
      ])
    }
    let parts = ConfigBinding.parts(of: section)
    let binding = try ConfigBinding(parts.binding)
    guard let name = binding.kind else {
      throw Problems([Problem("'gguf' does not say one general.architecture under 'match'", at: section.place)])
    }
    let isContainer = if case .gguf = described.source { true } else { false }
    var resolved = own.resolved
    resolved["expected_params"] = nil
    var restorations: [TensorRestoration] = []
    for entry in binding.set where !isContainer {
      let before = resolved[path: entry.key].map { JSONValue($0) }
      guard before != JSONValue(entry.value), !(before == nil && entry.value.isNull) else { continue }
      // A fact of a group that the model has not would make one.
      let group = entry.key.split(separator: ".").dropLast().joined(separator: ".")
      if !group.isEmpty, resolved[path: group] == nil { continue }
      resolved[path: entry.key] = entry.value.isNull ? nil : entry.value
      if !entry.value.isNull { restorations += binding.restorations.filter { $0.fact == entry.key } }
    }
    if !isContainer { try restate(binding.restatements, in: &resolved) }
    let architecture = isContainer ? own : try specifications.load(resolved, named: own.name)
    let assembly = try composer.assemble(architecture)
    let plan = try assembly.plan()
    let map = try CheckpointMap(parts.map)
    let tensors = try map.files(of: plan.parameters, count: architecture.count)
    let numbers = binding.numbers(of: architecture.resolved)
    var shapes = Dictionary(tensors.map { ($0.name, $0.shape) }) { first, _ in first }
    for (name, values) in numbers { shapes[name] = [values.count] }
    let choices = assembly.choices
    let config = try binding.configuration(
      for: architecture.resolved, tensors: shapes, numbers: numbers, effective: choices.option)
    try requireSame(plan, readingBack: config, shapes, numbers, architecture)
    // Of several names the one with which it could be said.
    let kind = config["general"]?["architecture"]?.string ?? name
    // A family may require a key by its own name that others have under '*'.
    var seen: Set<String> = []
    let metadata = GGUFFile.metadata(of: config).map { key, value in
      (key: key.hasPrefix("*.") ? kind + key.dropFirst() : key, value: value)
    }.filter { $0.key != "general.architecture" && seen.insert($0.key).inserted }
    return ContainerModel(
      architecture: architecture, rows: try folderRows(own, restorations), tensors: tensors, numbers: numbers,
      metadata: metadata, kind: kind)
  }

  /// Says the groups of options of `spec` that a container has no word for in words that it has.
  private func restate(_ restatements: [(path: String, types: [String: String])], in spec: inout Setting) throws {
    for restatement in restatements {
      let words = restatement.path.split(separator: ".", maxSplits: 1).map(String.init)
      guard words.count == 2, let slot = Slot(rawValue: words[0]),
        let own = spec[path: restatement.path]?["type"]?.text,
        let type = restatement.types[own], let setting = spec[words[0]], let hidden = spec["hidden_size"]?.integer,
        let heads = spec[path: "attention.num_heads"]?.integer, heads > 0
      else { continue }
      let component = try composer.registry.make(slot, setting, as: (any PositionEncoding).self)
      let width = spec[path: "attention.head_dim"]?.integer ?? hidden / heads
      if let other = component.restated(words[1], as: type, headWidth: width) { spec[path: restatement.path] = other }
    }
  }

  /// Throws when a GGUF file of `config` would be read back as another model than `plan`.
  private func requireSame(
    _ plan: Plan, readingBack config: JSONValue, _ shapes: [String: [Int]], _ numbers: [String: [Double]],
    _ architecture: Architecture
  ) throws {
    let source = ConfigSource(name: "the GGUF file", config: config, shapes: shapes, numbers: numbers)
    guard let (family, binding) = try family(matching: source, in: "gguf") else {
      throw Problems([
        Problem("no family of the zoo would read the GGUF file of '\(architecture.name)'", at: architecture.gguf?.place)
      ])
    }
    let name = Setting(.group([Setting.Entry("name", Setting(.scalar(architecture.name, quoted: true)))]))
    let reader = try specifications.load(
      "\(family)/\(Catalog.familyFile)", patches: [try binding.bind(source).patch, name])
    if let lost = plan.difference(from: try composer.compose(reader)) {
      throw Problems([
        Problem(
          "a GGUF file of the family '\(family)' cannot say what '\(architecture.name)' is", at: nil,
          hint: "'\(lost.own)' would be read back as '\(lost.other)'")
      ])
    }
  }
}
