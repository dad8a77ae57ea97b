/// What transformers calls kinds of layers in `layer_types`, one of which is a component's name here too.
enum LayerWords {
  /// A layer that attends to nothing: what it keeps of a text is of one size, whatever the length.
  static let withStates = "linear_attention"
  /// A layer that attends and keeps states.
  static let withBoth = "hybrid"
}
