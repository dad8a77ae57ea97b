import Operators
import Plans

/// What an exported model reaches elsewhere, decided from its plan: which runtimes compute it, and why one does not.
///
/// Some drop what they cannot say without a word, a bias in a mask above all; so each is named here before anyone tries.
public struct Reach: Sendable {
  /// A runtime.
  public struct Row: Sendable {
    /// In a word.
    public let key: String
    /// As its makers call it.
    public let name: String
    /// Whether it computes the model.
    public let isReached: Bool
    /// How, or why not.
    public let why: String
  }

  /// The runtimes.
  public private(set) var rows: [Row] = []

  /// What `plan` reaches. `stock` says why transformers has no class of its own that is this model, nil where it has
  /// one; `hasGGUF` whether GGUF has a name for that.
  public init(_ plan: Plan, stock: String?, hasGGUF: Bool) {
    let facts: (layers: TransformersLayers, head: HeadWriter?, needs: WrittenClass.Needs)
    do {
      _ = try TransformersFile(plan, command: "", words: { _ in [] })
      let model = try ModelWriter(plan, for: .transformers)
      facts = (try TransformersLayers(plan), model.head, model.needs)
    } catch {
      rows = ["eager", "sdpa", "flex", "compile", "vllm", "onnx"].map {
        Row(key: $0, name: Self.names[$0] ?? $0, isReached: false, why: "\(error)")
      }
      addStock(stock, hasGGUF: hasGGUF)
      return
    }
    let reader = Reader(plan: plan, layers: facts.layers, head: facts.head, needs: facts.needs)
    add("eager", nil, "each operator in torch's own words")
    add(
      "sdpa", reader.withoutSDPA,
      facts.layers.usesLibrary ? "torch's fused attention" : "with what is added to scores in its mask")
    add("flex", reader.withoutLibrary, "masks as functions")
    add("compile", reader.withoutCompilation, "each layer without a break in its graph")
    // Its own classes, of which there are many, are another matter.
    let others = stock == nil ? "; a class of its own may know the folder that save writes" : ""
    add(
      "vllm", reader.withoutServing.map { $0 + others },
      "its backend for models of transformers, which finds projections and attention in the source")
    add("onnx", reader.withoutGraph, "transformers' exporters")
    addStock(stock, hasGGUF: hasGGUF)
  }

  private static let names = [
    "eager": "eager", "sdpa": "SDPA", "flex": "FlexAttention", "compile": "torch.compile", "vllm": "vLLM",
    "onnx": "ONNX", "gguf": "GGUF", "stock": "transformers' own class",
  ]

  private mutating func add(_ key: String, _ problem: String?, _ how: String) {
    rows.append(Row(key: key, name: Self.names[key] ?? key, isReached: problem == nil, why: problem ?? how))
  }

  private mutating func addStock(_ stock: String?, hasGGUF: Bool) {
    add("stock", stock, "the folder that save writes")
    let none = "GGUF has names for architectures, and none for this one"
    add("gguf", stock == nil && hasGGUF ? nil : none, "llama.cpp's converter, from the folder that save writes")
  }
}

/// Why a plan does not reach a runtime; nil where it does.
private struct Reader {
  let plan: Plan
  let layers: TransformersLayers
  let head: HeadWriter?
  let needs: WrittenClass.Needs

  /// The first layer with attention that is so, in words.
  private func attention(_ words: String, where isSo: (Attend) -> Bool) -> String? {
    for step in plan.steps {
      if let attend = step.operation as? Attend, isSo(attend), let layer = step.scope.layer {
        return "layer \(layer) attends \(words)"
      }
    }
    return nil
  }

  private var bias: String? {
    for step in plan.steps {
      if let bias = (step.operation as? Attend)?.bias, let layer = step.scope.layer {
        return "layer \(layer) adds '\(bias.name)' to its scores"
      }
    }
    return nil
  }

  private func state(_ words: String) -> String? {
    plan.states.first { $0.extent == .fixed }?.name.layer.map { "layer \($0) \(words)" }
  }

  private var experts: String? {
    plan.parameters.first { $0.chosen != nil }?.name.layer.map { "layer \($0) sends each token to experts of its own" }
  }

  var withoutSDPA: String? {
    attention("with capped scores, which SDPA cannot say") { $0.softcap != nil }
      ?? attention("with sinks, which SDPA cannot say") { $0.sinks }
  }

  var withoutLibrary: String? {
    bias.map { "\($0), which goes by a function of the file" }
      ?? attention("to all tokens, by a function of the file") { $0.mask != .causal }
      ?? attention("to chosen keys, by a function of the file") { $0.choice != nil }
  }

  var withoutCompilation: String? {
    // Rows in the order of their experts are one product, of widths that lie as processors want them.
    let isEven = plan.parameters.allSatisfy {
      $0.chosen == nil || $0.shape.count < 3 || $0.shape.suffix(2).allSatisfy { $0 % 8 == 0 }
    }
    return isEven
      ? nil
      : experts.map { "\($0), of widths that are no multiples of 8: a graph breaks there and goes on" }
  }

  /// vLLM makes one matrix of a class's projections where it finds all three, and then takes the norm `q_norm` for a part of
  /// the projection `q`, with whose name it begins. Where angles are read it finds the first alone, and makes none.
  private var mistaken: String? {
    for step in plan.steps where step.operation is Attend {
      guard let layer = step.scope.layer else { continue }
      let own = plan.steps.filter { $0.scope.layer == layer && $0.scope.path.starts(with: step.scope.path) }
      let made = Set(own.flatMap(\.outputs))
      let read = Set(own.flatMap(\.inputs)).subtracting(made)
      let words = Set(own.flatMap(\.parameters).compactMap { plan.parameters[$0].name.owner.path.last })
      if read.count == 1, words.contains(where: { words.contains($0 + "_norm") }) {
        return
          "layer \(layer) normalizes its queries and reads no angles, and its backend takes the norm for a projection"
      }
    }
    return nil
  }

  /// vLLM reads no mask, and of a head the matrix, one cap and one factor.
  var withoutServing: String? {
    if let bias { return "\(bias), which its attention would drop without a word" }
    if let withoutLibrary { return withoutLibrary }
    if let state = state("keeps states, and its backend takes attention alone") { return state }
    if layers.types.contains(LayerWords.withStates) {
      return "a layer attends to nothing, and its backend takes attention alone"
    }
    if let latent = attention(
      "with values inside its keys, which its interface cannot say", where: { $0.valuesInKeys != nil })
    {
      return latent
    }
    if let mistaken { return mistaken }
    if !layers.isEven { return "keys and values differ in width, which its interface cannot say" }
    if let experts { return "\(experts), in a form that it does not take" }
    if layers.windows.compactMap({ $0 }).count > 1 { return "layers have windows of several lengths, and it takes one" }
    if layers.attention.isEmpty { return "no layer attends" }
    if Set(layers.attention.map(\.softcap)).count > 1 {
      return "layers cap their scores differently, and it takes one cap"
    }
    if needs.length { return "angles go by the length of the text, which it does not tell" }
    let steps = head?.steps ?? []
    let after = steps.dropFirst()
    let isPlain =
      steps.first?.operation is Linear && after.count < 2
      && after.allSatisfy { $0.operation is Softcap || $0.operation is Scale }
    return isPlain ? nil : "the head does more than a matrix, a cap and a factor, which are all that it reads of one"
  }

  var withoutGraph: String? {
    experts.map { "\($0), and a graph has one path" }
      ?? state("goes through a text in pieces, whose number a graph fixes")
  }
}
