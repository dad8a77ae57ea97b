import Components

/// Matrices drawn from a normal distribution, those that write to the residual stream from a narrower one.
///
///     σ = std;  σ = std / √(2·layers) for what writes to the residual stream;  for the embedding, σ = embedding_std
///
/// Radford et al., 2019 (GPT-2), https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf.
/// What writes to the residual stream are the matrices whose outputs are what sublayers give, whatever they are called;
/// there are two such writes a layer, and a layer of one sublayer is counted as if it had two.
///
/// Examples: `{std: 0.1}`
public struct DepthScaled: Initialization {
  public static let name = "depth_scaled"

  let std: Double
  let embeddingStd: Double
  let writerStd: Double

  public init(_ options: Options) {
    std = options.number("std", default: 0.02, in: 0...1e3, "the standard deviation of matrices")
    embeddingStd = options.number(
      "embedding_std", default: std, in: 0...1e3, "the standard deviation of embeddings")
    writerStd = std / Double(2 * max(1, options.shape.layerCount)).squareRoot()
  }

  public func start(of tensor: PlannedTensor, as part: TensorPart) -> PlannedTensor.Initialization {
    if part.kind == .embedding { return .normal(embeddingStd) }
    return .normal(part.writesStream ? writerStd : std)
  }
}
