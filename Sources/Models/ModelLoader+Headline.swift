import Checkpoints
import Components
import Composition
import Specification

extension ModelLoader {
  /// One sentence for weights that are of another model than the spec of `described`: what they are, and what the spec
  /// is; nil where their sizes are the spec's.
  func headline(of described: ModelDescription, _ stored: [StoredTensorEntry]) -> String? {
    let shape = described.plan.shape
    let spec = "the spec '\(described.architecture.name)' is a \(Self.kind(described.architecture))"
    func sizes(_ layers: Int, _ width: Int) -> String {
      "\(layers.grouped) \(layers == 1 ? "layer" : "layers") × \(width.grouped)"
    }
    let own = "\(spec), \(sizes(shape.layerCount, shape.hiddenSize))"
    if let found = try? bound(described.source, [], opened: { _ in }).architecture {
      let (a, b) = (found.shape, shape)
      let isSame =
        found.family == described.architecture.family && a.layerCount == b.layerCount && a.hiddenSize == b.hiddenSize
        && a.vocabSize == b.vocabSize
      if isSame { return nil }
      let vocabularies =
        a.vocabSize == b.vocabSize ? ("", "") : (", \(a.vocabSize.grouped) tokens", ", \(b.vocabSize.grouped) tokens")
      return "\(described.source.path): these weights are a \(Self.kind(found))'s, "
        + "\(sizes(a.layerCount, a.hiddenSize))\(vocabularies.0); \(own)\(vocabularies.1)"
    }
    guard let guess = StoredSizes(stored), guess.layers != shape.layerCount || guess.width != shape.hiddenSize else {
      return nil
    }
    return "\(described.source.path): these weights are of \(sizes(guess.layers, guess.width)); \(own)"
  }

  private static func kind(_ architecture: Architecture) -> String { architecture.family ?? "model of no family" }
}
