import Components
import Composition
import Describing
import Dispatch
import Essentials
import Models
import Specification
import Synchronization

/// A model of the zoo as a list shows it.
struct ZooEntry {
  let architecture: Architecture
  let choices: ArchitectureChoices
  /// Its plan with each distinct layer once.
  let sketch: Plan
  let parameterCount: Int

  /// Every model of `zoo` that composes, by family and size, and those that do not.
  static func all(of zoo: Zoo, _ isWanted: (Catalog.Model) -> Bool) -> (entries: [ZooEntry], broken: [Catalog.Model]) {
    let loader = SpecificationLoader(catalog: zoo.catalog, for: Composer(zoo.registry))
    let composer = Composer(zoo.registry)
    let models = zoo.catalog.models().filter(isWanted)
    // In contiguous parts, one or two a core, so that a family's file is mostly read by one of them.
    let parts = min(models.count, 2 * ProcessInfo.processInfo.activeProcessorCount)
    let found = Mutex<[ZooEntry?]>(Array(repeating: nil, count: models.count))
    DispatchQueue.concurrentPerform(iterations: parts) { part in
      let range = models.count * part / parts..<models.count * (part + 1) / parts
      let made = range.map { try? ZooEntry(models[$0], loader, composer) }
      found.withLock { $0.replaceSubrange(range, with: made) }
    }
    let results = found.withLock { $0 }
    let broken = zip(models, results).filter { $0.1 == nil }.map(\.0)
    var entries = results.compactMap { $0 }
    entries.sort {
      ($0.architecture.family ?? "", $0.parameterCount, $0.architecture.name)
        < ($1.architecture.family ?? "", $1.parameterCount, $1.architecture.name)
    }
    return (entries, broken)
  }

  private init(_ model: Catalog.Model, _ loader: SpecificationLoader, _ composer: Composer) throws {
    architecture = try loader.load(model.path)
    let assembly = try composer.assemble(architecture)
    choices = assembly.choices
    sketch = try assembly.sketch()
    parameterCount = try assembly.parameterCount(sketch: sketch)
  }

  /// What a gallery shows of it.
  var inGallery: GalleryPage.Entry {
    GalleryPage.Entry(
      architecture, choices: choices, sketch: sketch, parameterCount: parameterCount, madeOf: madeOf, parts: features)
  }

  /// What it is made of, in a few words: `layernorm pre, learned, 12 heads, gelu_tanh`.
  var madeOf: [String] {
    let norms = words { layer in
      guard let norm = layer[.norm], let block = layer[.block] else { return "" }
      let isParallel = block.value("parallel")?.flag == true
      return [norm.name, block.value("placement")?.text ?? "", isParallel ? "parallel" : ""].filter { !$0.isEmpty }
        .joined(separator: " ")
    }
    var positions = words { $0[.position]?.name ?? "" }
    if choices.positionActsAtEmbedding, let own = choices.model[.position]?.name, !positions.contains(own) {
      positions.insert(own, at: 0)
    }
    let sublayers = Slot.ofSublayers.map { slot in words { $0[slot].map(Self.sublayer) ?? "" } }
    return ([norms, positions] + sublayers).map { $0.joined(separator: " / ") }.filter { !$0.isEmpty }
  }

  /// How its heads share keys and what they see, or what it is and its nonlinearity.
  private static func sublayer(_ choice: ComponentChoice) -> String {
    let words =
      choice.slot == .attention
      ? [heads(choice), choice.value("window").map { "window \($0.inWords)" } ?? ""]
      : [
        choice.name == choice.slot.rawValue ? "" : choice.name, choice.value("activation")?.text ?? "",
        choice.value("gated")?.flag == true ? "gated" : "",
      ]
    return words.filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// What it has in common with others: its components, and what they are set to that a model is known by.
  var features: [ModelFeature] {
    var features: [ModelFeature] = []
    func add(_ slot: Slot, _ name: String) {
      let feature = ModelFeature(group: slot.rawValue, name: name)
      if !features.contains(feature) { features.append(feature) }
    }
    let used = choices.used.sorted { $0.name < $1.name }
    for slot in Slot.ofModels {
      // What a slot is called after is what it usually holds.
      for component in used where component.slot == slot && ![slot.rawValue, "none"].contains(component.name) {
        add(slot, component.name)
      }
      for choice in choices.kinds.compactMap({ $0[slot] }) {
        if slot == .attention, choice.value("num_kv_heads") != nil {
          add(slot, String(Self.heads(choice).prefix { $0 != " " }))
        }
        if let placement = choice.value("placement")?.text { add(slot, "\(placement)-norm") }
        for key in Self.marks where choice.options.contains(where: { Self.sets($0, key) }) {
          add(slot, key.replacing("_", with: " "))
        }
      }
    }
    return features
  }

  /// Whether `option` is `key`, or a part of it, and sets it to something.
  private static func sets(_ option: OptionReading, _ key: String) -> Bool {
    guard option.path == key || option.path.hasPrefix(key + "."), let value = option.value else { return false }
    return !value.isNull && value.flag != false && value.text != "none"
  }

  /// Options that a model is known by where they are set.
  private static let marks = [
    "window", "qk_norm", "softcap", "sinks", "indexer", "gated", "parallel", "shared_experts", "scaling",
    "per_layer_embedding",
  ]

  /// `MHA`, `GQA 32:8`, `MQA`, or the name of another mixer.
  private static func heads(_ mixer: ComponentChoice) -> String {
    guard let heads = mixer.value("num_heads")?.integer, let keyHeads = mixer.value("num_kv_heads")?.integer else {
      return mixer.name
    }
    return keyHeads == heads ? "MHA" : keyHeads == 1 ? "MQA" : "GQA \(heads):\(keyHeads)"
  }

  /// The words for the distinct layers, each once.
  private func words(_ describe: ([Slot: ComponentChoice]) -> String) -> [String] {
    var words: [String] = []
    for kind in choices.kinds {
      let word = describe(kind)
      if !words.contains(word) { words.append(word) }
    }
    return words
  }
}
