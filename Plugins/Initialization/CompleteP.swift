import Components
import Essentials

/// A parametrization in which the best learning rate stays where it is as a model grows wider and deeper.
///
///     m = hidden_size / base_width,  l = layers / base_layers
///     what sublayers give · l^−alpha;  logits / m
///     hidden matrices:  σ = std / √m,  rate · l^(alpha − 1) / m,  weight decay · m
///     biases and norms of layers:  rate · l^(alpha − 1);  embedding, head, final norm:  as they are
///     Adam's ε:  · l^−alpha / m in layers, / m elsewhere
///
/// Dey et al., 2025 (CompleteP, table 1), https://arxiv.org/abs/2505.01618; ε corrected as in
/// https://github.com/EleutherAI/nanoGPT-mup. With `alpha` of 1 every layer learns features. The authors show it for `pre`
/// placement; a norm on the result of a sublayer would undo a smaller matrix, which is why the result itself is multiplied.
/// Heads keep their width, as with `mup`.
///
/// Examples: `{base_width: 8, base_layers: 1}` `{base_width: 8, base_layers: 1, alpha: 0.5, std: 0.1}`
///
/// Known as: depth_mup `init: {type: completep, base_width: 256, base_layers: 2}`
public struct CompleteP: Initialization {
  public static let name = "completep"

  let std: Double
  let embeddingStd: Double
  let ratio: Double
  let depth: Double
  let alpha: Double

  public init(_ options: Options) {
    let width = options.requiredInteger(
      "base_width", in: 1...1 << 24, "the hidden_size at which rates were tuned")
    let layers = options.requiredInteger(
      "base_layers", in: 1...1 << 16, "the number of layers at which rates were tuned")
    alpha = options.number("alpha", default: 1, in: 0.5...1, "by what power of the depth results are divided")
    std = options.number("std", default: 0.02, in: 0...1e3, "the standard deviation of matrices at the base's width")
    embeddingStd = options.number(
      "embedding_std", default: std, in: 0...1e3, "the standard deviation of embeddings")
    ratio = Double(options.shape.hiddenSize) / Double(max(1, width))
    depth = Double(options.shape.layerCount) / Double(max(1, layers))
  }

  public var logitFactor: Double { 1 / ratio }
  public var residualFactor: Double { pow(depth, -alpha) }

  public func start(of tensor: PlannedTensor, as part: TensorPart) -> PlannedTensor.Initialization {
    switch part.kind {
    case .embedding: .normal(embeddingStd)
    case .hidden: .normal(std / ratio.squareRoot())
    case .head, .vector: .normal(std)
    }
  }

  public func update(of tensor: PlannedTensor, as part: TensorPart) -> UpdateScale {
    let isHidden = part.kind == .hidden
    return UpdateScale(
      rate: (part.isInLayer ? pow(depth, alpha - 1) : 1) / (isHidden ? ratio : 1), decay: isHidden ? ratio : 1,
      epsilon: (part.isInLayer ? pow(depth, -alpha) : 1) / ratio)
  }
}
