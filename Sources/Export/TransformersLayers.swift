import Operators
import Plans

/// What transformers is told of a model's layers: which attend, in which window, and which keep states.
struct TransformersLayers {
  /// What each layer is, in the library's words.
  let types: [String]
  /// The only window of all layers that have one, where the library's cache can keep just its keys; else nil.
  let window: Int?
  /// All windows; nil stands for attention without one.
  let windows: [Int?]
  /// Whether attention goes through the library's functions.
  let usesLibrary: Bool
  /// The attention steps.
  let attention: [Attend]
  /// Whether a layer keeps states that are no keys and values.
  let keepsStates: Bool
  /// Whether the library's attention functions are all that can compute it: of scores with a limit or sinks some cannot.
  let isPlain: Bool
  /// Whether a head's values are as wide as its keys.
  let isEven: Bool

  /// What is said of the layers of `plan`. Throws where two attentions of one layer would share a place in the cache.
  init(_ plan: Plan) throws(ExportProblem) {
    var windows: [Int?] = []
    var attention: [Attend] = []
    var byLayer: [Int: [Int?]] = [:]
    var isEven = true
    for step in plan.steps {
      guard let attend = step.operation as? Attend, let layer = step.scope.layer else { continue }
      attention.append(attend)
      byLayer[layer, default: []].append(attend.window)
      if !windows.contains(attend.window) { windows.append(attend.window) }
      let width = step.inputs[0].width / attend.heads
      isEven = isEven && attend.valuesInKeys == nil && step.inputs[2].width / attend.keyHeads == width
      guard byLayer[layer]?.count == 1 else {
        throw .noPlace(
          scope: step.scope.text, what: "two attentions of one layer have one place in the cache of transformers")
      }
    }
    // What is kept besides keys and values. A layer that attends to nothing keeps how long the text is, as one with states
    // does.
    let layers = 0..<plan.shape.layerCount
    let recurrent = Set(
      plan.steps.filter { !$0.states.isEmpty && !($0.operation is Attend) }.compactMap(\.scope.layer)
    )
    .union(plan.states.isEmpty ? [] : layers.filter { byLayer[$0] == nil })
    usesLibrary = Attend.isLibrarys(attention)
    let own = windows.compactMap { $0 }
    let slides = usesLibrary && own.count == 1 && !byLayer.contains { $0.value[0] != nil && recurrent.contains($0.key) }
    types = layers.map { layer in
      guard let own = byLayer[layer] else { return LayerWords.withStates }
      if recurrent.contains(layer) { return LayerWords.withBoth }
      return slides && own[0] != nil ? "sliding_attention" : "full_attention"
    }
    window = slides ? own[0] : nil
    self.windows = windows
    self.attention = attention
    keepsStates = !recurrent.isEmpty
    isPlain = attention.allSatisfy { $0.softcap == nil && !$0.sinks }
    self.isEven = isEven
  }

  /// The statements that make the masks which attention reads; it picks that of its window where there are several.
  var masks: [String] {
    guard usesLibrary, !windows.isEmpty else { return [] }
    func mask(_ own: Int?) -> String {
      guard let own else { return "create_causal_mask(*about)" }
      if own == window { return "create_sliding_window_causal_mask(*about)" }
      return "create_causal_mask(*about, and_mask_function=sliding_window_overlay(\(own)))"
    }
    let about = "about = self.config, x, attention_mask, cache, position_ids"
    func name(_ own: Int?) -> String { "\"\(Attend.layerType(own, of: windows))\"" }
    guard windows.count > 1 else {
      return [
        about,
        """
        if isinstance(attention_mask, dict):
            attention_mask = attention_mask[\(name(windows[0]))]
        else:
            attention_mask = \(mask(windows[0]))
        """,
      ]
    }
    var lines = "if not isinstance(attention_mask, dict):\n    attention_mask = {"
    for own in windows { lines += "\n        \(name(own)): \(mask(own))," }
    return [about, lines + "\n    }"]
  }
}
