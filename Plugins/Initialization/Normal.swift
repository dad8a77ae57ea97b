import Components

/// Matrices drawn from a normal distribution around zero.
///
///     σ = std;  for the embedding, σ = embedding_std
///
/// Radford et al., 2018 (GPT), https://cdn.openai.com/research-covers/language-unsupervised/language_understanding_paper.pdf.
/// Biases start as zeros and norms as ones, as their components say.
///
/// Examples: `{std: 0.1, embedding_std: 0.5}`
public struct Normal: Initialization {
  public static let name = "normal"
  public static let isDefault = true

  let std: Double
  let embeddingStd: Double

  public init(_ options: Options) {
    std = options.number("std", default: 0.02, in: 0...1e3, "the standard deviation of matrices")
    embeddingStd = options.number(
      "embedding_std", default: std, in: 0...1e3, "the standard deviation of embeddings")
  }

  public func start(of tensor: PlannedTensor, as part: TensorPart) -> PlannedTensor.Initialization {
    .normal(part.kind == .embedding ? embeddingStd : std)
  }
}
