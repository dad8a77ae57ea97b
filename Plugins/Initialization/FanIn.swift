import Components

/// Matrices that keep the variance of what they read.
///
///     σ = gain / √inputs;  for the embedding, σ = embedding_std
///
/// Source: LeCun et al., Efficient BackProp, 1998, http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf. Inputs are a matrix's last axis, also of a
/// convolution.
///
/// Examples: `{gain: 2}`
public struct FanIn: Initialization {
  public static let name = "fan_in"

  let gain: Double
  let embeddingStd: Double

  public init(_ options: Options) {
    gain = options.number("gain", default: 1, in: 0...1e3, "σ times the root of the number of inputs")
    embeddingStd = options.number(
      "embedding_std", default: 0.02, in: 0...1e3, "the standard deviation of embeddings")
  }

  public func start(of tensor: PlannedTensor, as part: TensorPart) -> PlannedTensor.Initialization {
    if part.kind == .embedding { return .normal(embeddingStd) }
    return .normal(gain / Double(max(1, tensor.shape.last ?? 1)).squareRoot())
  }
}
