import Components

/// The sizes of a tiny model.
struct ModelSizes: Sendable, Hashable {
  var vocabulary = 13
  var heads = 4
  var keyHeads = 2
  var headWidth = 4
  var inner = 24
  var layers = 2

  /// The sizes that the examples of doc comments are written for.
  static let usual = ModelSizes()

  init() {}

  /// Sizes drawn from `noise`: few heads, widths that are no multiple of a vector's, and even, for pairs to turn. None is so
  /// narrow that a norm leaves nothing but signs.
  init(_ noise: inout Noise) {
    keyHeads = 1 + noise.roll(3)
    heads = max(2, keyHeads * (1 + noise.roll(2)))
    headWidth = 4 + 2 * noise.roll(3)
    inner = 1 + noise.roll(40)
    vocabulary = 13 + noise.roll(12)
    layers = 1 + noise.roll(2)
  }

  /// `tree` in these sizes, but for what the component of `slot` says of itself.
  func applied(to tree: Setting, leaving slot: Slot) -> Setting {
    var tree = tree
    func set(_ path: String, _ value: Int) { tree[path: path] = Setting(text: String(value)) }
    set("vocab_size", vocabulary)
    set("hidden_size", heads * headWidth)
    set("layers.count", layers)
    if slot != .attention {
      set("attention.num_heads", heads)
      set("attention.num_kv_heads", keyHeads)
    }
    if slot != .mlp { set("mlp.intermediate_size", inner) }
    return tree
  }

  /// In the words of a sentence.
  var words: String { "a width of \(heads * headWidth), \(heads) heads" }
}
