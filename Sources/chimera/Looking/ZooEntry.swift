import Components
import Composition
import Models
import Specification

/// A model of the zoo as a list shows it.
struct ZooEntry {
  let architecture: Architecture
  let choices: ArchitectureChoices
  let parameterCount: Int

  /// Every model of `zoo` that composes, by family and size, and those that do not.
  static func all(of zoo: Zoo, _ isWanted: (Catalog.Model) -> Bool) -> (entries: [ZooEntry], broken: [Catalog.Model]) {
    let loader = SpecificationLoader(catalog: zoo.catalog, choosingOptions: zoo.registry.choosingOptions)
    let composer = Composer(zoo.registry)
    var entries: [ZooEntry] = []
    var broken: [Catalog.Model] = []
    for model in zoo.catalog.models() where isWanted(model) {
      do {
        let architecture = try loader.load(model.path)
        let choices = try composer.choices(of: architecture)
        entries.append(
          ZooEntry(
            architecture: architecture, choices: choices,
            parameterCount: try composer.parameterCount(of: architecture)))
      } catch {
        broken.append(model)
      }
    }
    entries.sort {
      ($0.architecture.family ?? "", $0.parameterCount, $0.architecture.name)
        < ($1.architecture.family ?? "", $1.parameterCount, $1.architecture.name)
    }
    return (entries, broken)
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
    if choices.positionActsAtEmbedding, !positions.contains(choices.position.name) {
      positions.insert(choices.position.name, at: 0)
    }
    let mixers = words { layer in
      guard let mixer = layer[.attention] else { return "" }
      return [Self.heads(mixer), mixer.value("window").map { "window \($0.inWords)" } ?? ""].filter { !$0.isEmpty }
        .joined(separator: " ")
    }
    let feedForwards = words { layer in
      guard let part = layer[.mlp] else { return "" }
      let words = [
        part.name == part.slot.rawValue ? "" : part.name, part.value("activation")?.text ?? "",
        part.value("gated")?.flag == true ? "gated" : "",
      ]
      return words.filter { !$0.isEmpty }.joined(separator: " ")
    }
    return [norms, positions, mixers, feedForwards].map { $0.joined(separator: " / ") }
  }

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
      let word = describe(Dictionary(kind.map { ($0.slot, $0) }) { first, _ in first })
      if !words.contains(word) { words.append(word) }
    }
    return words
  }
}
