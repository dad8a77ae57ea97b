import Checkpoints
import Components
import Composition
import Files
import Formats
import Kernels
import Specification

extension ModelLoader {
  /// The `config.json` that a model came with, where it came with one.
  func originalConfiguration(of described: ModelDescription) throws -> JSONObject? {
    guard case .folder(let path) = described.source else { return nil }
    return try CheckpointFolder.config(in: path)?.object
  }

  /// `config` with what belongs to the weights and to texts: the type of the numbers, and the ids that begin, end and
  /// fill a text.
  ///
  /// Readers take ids of their own where there are none, so a configuration that is made here says null of what nobody
  /// knows.
  func completed(
    _ config: JSONValue, for described: ModelDescription, _ tensors: [StoredTensor], as format: StorageFormat?,
    isOriginal: Bool
  ) -> JSONValue {
    guard var object = config.object else { return config }
    // What is written is not quantized, whatever it was read from.
    for key in QuantizedWeights.keys { object[key] = nil }
    if let name = Self.typeName(of: tensors) {
      let keys = ["dtype", "torch_dtype"].filter { object[$0] != nil }
      if keys.isEmpty { object["dtype"] = .string(name) }
      if format != nil { for key in keys { object[key] = .string(name) } }
    }
    if isOriginal, Self.textKeys.contains(where: { object[$0] != nil }) { return .object(object) }
    let ids = textIDs(of: described)
    for key in Self.textKeys {
      // What a family writes for readers that take no null is right where nobody knows better.
      if let id = ids[key] { object[key] = id } else if object[key] == nil, !isOriginal { object[key] = .null }
    }
    return .object(object)
  }

  static let textKeys = ["bos_token_id", "eos_token_id", "pad_token_id"]

  /// The ids that begin, end and fill a text, as far as the model says.
  public func textIDs(of described: ModelDescription) -> JSONObject {
    var ids = JSONObject()
    if kind(ofPath: described.source.path) == .folder {
      // `generation_config.json` counts first, as it does for readers.
      for name in ["generation_config.json", "config.json"] {
        let path = described.source.path + "/" + name
        guard let object = (try? JSONValue(contentsOf: path, limit: 16 << 20))?.object else { continue }
        for key in Self.textKeys where ids[key] == nil { ids[key] = object[key] }
      }
    }
    if let container = described.container {
      func id(_ name: String) -> Int? { container["tokenizer.ggml.\(name)_token_id"]?.integer }
      ids["bos_token_id"] = id("bos").map(JSONValue.integer)
      ids["pad_token_id"] = id("padding").map(JSONValue.integer)
      ids["eos_token_id"] = Self.oneOrList(["eos", "eot", "eom"].compactMap(id))
      return ids
    }
    if case .folder = described.source { return ids }
    guard let tokenizer = try? tokenizer(of: described) else { return ids }
    if ids["bos_token_id"] == nil { ids["bos_token_id"] = tokenizer.beginningOfText.map(JSONValue.integer) }
    if ids["eos_token_id"] == nil { ids["eos_token_id"] = Self.oneOrList(tokenizer.endOfText.sorted()) }
    return ids
  }

  private static func oneOrList(_ ids: [Int]) -> JSONValue? {
    var unique: [Int] = []
    for id in ids where !unique.contains(id) { unique.append(id) }
    return unique.count > 1 ? .array(unique.map(JSONValue.integer)) : unique.first.map(JSONValue.integer)
  }

  /// The type that most bytes are stored as, in the words of `config.json`.
  private static func typeName(of tensors: [StoredTensor]) -> String? {
    var bytes: [StorageFormat: Int] = [:]
    for tensor in tensors { bytes[tensor.format, default: 0] += tensor.bytes.count }
    return switch bytes.max(by: { $0.value < $1.value })?.key {
    case .f32: "float32"
    case .f16: "float16"
    case .bf16: "bfloat16"
    default: nil
    }
  }
}

extension ArchitectureChoices {
  /// What the option at a path of a spec is, when all layers whose component has it agree.
  ///
  /// At `layers.*.` and a path it is the list of what each layer has; null where the layer has no such option, and of a
  /// slot the component's name.
  func option(_ path: String) -> ConfigBinding.EffectiveOption {
    if path.hasPrefix("stacks.") { return ofStack(path.dropFirst("stacks.".count)) }
    if path.hasPrefix("layers.*.") { return listed(path.dropFirst("layers.*.".count)) }
    guard let dot = path.firstIndex(of: "."), let slot = Slot(rawValue: String(path[..<dot])) else { return .unknown }
    let option = String(path[path.index(after: dot)...])
    let layered = kinds.compactMap { $0[slot] }
    // A component of another kind in some layers has no such option, and nothing to say.
    let all = layered.isEmpty ? model[slot].map { [$0] } ?? [] : layered
    let choices = all.filter { $0.options.contains { $0.path == option } }
    let others = Set(all.map(\.name)).subtracting(choices.map(\.name))
    guard let first = choices.first, choices.allSatisfy({ !others.contains($0.name) }) else { return .unknown }
    let value = first.value(option).map { JSONValue($0) }
    guard choices.allSatisfy({ $0.value(option).map { JSONValue($0) } == value }) else { return .unknown }
    guard let setting = first.value(option) else { return .leftOut }
    return setting.entries == nil && setting.list == nil ? .value(setting) : .unknown
  }

  /// What the option at a path of another stack is: `source.mlp.intermediate_size`, `source.layers.count`.
  private func ofStack(_ path: Substring) -> ConfigBinding.EffectiveOption {
    let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
    guard parts.count == 2, let stack = stacks.first(where: { $0.name == parts[0] }) else { return .unknown }
    switch parts[1] {
    case "layers.count": return .value(Setting(text: String(stack.shape.layerCount)))
    case "hidden_size": return .value(Setting(text: String(stack.shape.hiddenSize)))
    case "vocab_size": return .value(Setting(text: String(stack.shape.vocabSize)))
    case "context_length": return .value(Setting(text: String(stack.shape.contextLength)))
    default: return stack.choices.option(parts[1])
    }
  }

  private func listed(_ path: Substring) -> ConfigBinding.EffectiveOption {
    let parts = path.split(separator: ".", maxSplits: 1)
    guard let slot = parts.first.flatMap({ Slot(rawValue: String($0)) }) else { return .unknown }
    let values = kindOfLayer.map { kind -> Setting in
      guard let choice = kinds[kind][slot] else { return .null }
      return parts.count == 1 ? Setting(text: choice.name) : choice.value(String(parts[1])) ?? .null
    }
    return values.allSatisfy(\.isNull) ? .leftOut : .value(Setting(.list(values)))
  }

  /// The value of the option at `path`, when it has one everywhere.
  func value(at path: String) -> Setting? {
    if case .value(let setting) = option(path) { setting } else { nil }
  }
}
