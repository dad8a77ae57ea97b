import Components

/// How a model's matrices start before training, as its key `init` says.
///
///     normal:        σ = std
///     depth_scaled:  σ = std, and std / √(2·layers) for what writes to the residual stream, of which there are two a layer
///     fan_in:        σ = gain / √inputs
///
/// depth_scaled is GPT-2's (Radford et al., 2019); fan_in is LeCun et al., 1998, http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf.
/// What writes to the residual stream are the matrices whose outputs are what sublayers give, whatever they are called.
/// The embedding's have σ = `embedding_std`. What starts as zeros or ones by its component's own word, biases and norms,
/// stays so.
struct Initialization {
  private let type: Kind
  private let std: Double
  private let embeddingStd: Double

  private enum Kind: String, CaseIterable {
    case normal
    case depthScaled = "depth_scaled"
    case fanIn = "fan_in"
  }

  /// The way that `setting` says: a name, or a group of `type` and numbers.
  init(_ setting: Setting) throws(Problems) {
    let (type, std, embeddingStd) = try Options.reading(setting.asComponent, path: "init") { options in
      let type = options.choice("type", default: Kind.normal, "how matrices are initialized")
      let std =
        type == .fanIn
        ? options.number("gain", default: 1, in: 0...1e3, "σ times the root of the number of inputs")
        : options.number("std", default: 0.02, in: 0...1e3, "the standard deviation of matrices")
      let usual = type == .fanIn ? 0.02 : std
      return (
        type, std, options.number("embedding_std", default: usual, in: 0...1e3, "the standard deviation of embeddings")
      )
    }
    (self.type, self.std, self.embeddingStd) = (type, std, embeddingStd)
  }

  /// How `tensor`, which steps of `roles` read, starts in a model of `layers` layers.
  func start(of tensor: PlannedTensor, read roles: Set<Step.Role>, layers: Int) -> PlannedTensor.Initialization {
    guard case .normal = tensor.initialization else { return tensor.initialization }
    if roles.contains(.embedding) { return .normal(embeddingStd) }
    switch type {
    case .normal: return .normal(std)
    case .depthScaled:
      return .normal(roles.contains(.streamWriter) ? std / Double(2 * max(1, layers)).squareRoot() : std)
    case .fanIn: return .normal(std / Double(max(1, tensor.shape.last ?? 1)).squareRoot())
    }
  }
}
