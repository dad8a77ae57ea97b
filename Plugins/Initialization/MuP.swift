import Components

/// The maximal update parametrization: the learning rate that is best at one width is best at all.
///
///     m = hidden_size / base_width
///     hidden matrices:  σ = std / √m,  rate / m,  weight decay · m
///     embedding, head, biases, norms:  as they are;  logits / m;  Adam's ε / m for all
///
/// Yang et al., 2022 (Tensor Programs V, table 8, for Adam), https://arxiv.org/abs/2203.03466; ε as in
/// https://github.com/EleutherAI/nanoGPT-mup. Decay is multiplied by the rate in AdamW, so it is multiplied by m for the two
/// together to stay as they are, as in the authors' package. At `base_width` it is `normal`. Heads keep their width as a model grows; where they grow instead,
/// scores must be divided by head_dim and not by its root: `attention: {scale: inverse_head_dim}`. A router's matrix is taken for a hidden
/// one, although its outputs do not grow.
///
/// Examples: `{base_width: 8}` `{base_width: 8, std: 0.1, embedding_std: 0.5}`
///
/// Known as: maximal_update, maximal_update_parametrization `init: {type: mup, base_width: 256}`
public struct MuP: Initialization {
  public static let name = "mup"

  let std: Double
  let embeddingStd: Double
  let ratio: Double

  public init(_ options: Options) {
    let base = options.requiredInteger(
      "base_width", in: 1...1 << 24, "the hidden_size at which it is as if it were not there, where rates were tuned")
    std = options.number("std", default: 0.02, in: 0...1e3, "the standard deviation of matrices at the base's width")
    embeddingStd = options.number(
      "embedding_std", default: std, in: 0...1e3, "the standard deviation of embeddings")
    ratio = Double(options.shape.hiddenSize) / Double(max(1, base))
  }

  public var logitFactor: Double { 1 / ratio }

  public func start(of tensor: PlannedTensor, as part: TensorPart) -> PlannedTensor.Initialization {
    switch part.kind {
    case .embedding: .normal(embeddingStd)
    case .hidden: .normal(std / ratio.squareRoot())
    case .head, .vector: .normal(std)
    }
  }

  public func update(of tensor: PlannedTensor, as part: TensorPart) -> UpdateScale {
    part.kind == .hidden
      ? UpdateScale(rate: 1 / ratio, decay: ratio, epsilon: 1 / ratio)
      : UpdateScale(rate: 1, decay: 1, epsilon: 1 / ratio)
  }
}
