/// What transformers calls kinds of layers, some of which are components' names here too.
enum LayerWords {
  /// A layer that attends to nothing: what it keeps of a text is of one size, whatever the length.
  static let withStates = "linear_attention"
  /// A layer that attends and keeps states.
  static let withBoth = "hybrid"
  /// The word in a class's name by which `generate` takes it for a state-space model of the library's own.
  static let ofStateSpaces = "mamba"
}
