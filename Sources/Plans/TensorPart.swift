/// What a learned tensor is in its model, as the steps that read it say: what rules of initialization and of learning rates
/// go by.
public struct TensorPart: Sendable, Hashable {
  /// The kinds of tensors whose rules differ.
  public enum Kind: Sendable, Hashable {
    /// What the residual stream begins with; a head may be tied to it.
    case embedding
    /// A matrix from one width of the model to another: its inputs and its outputs grow with the model.
    case hidden
    /// The matrix that makes the logits, tied to no embedding: its inputs alone grow with the model.
    case head
    /// Biases, norms, convolutions, matrices of a head by itself and the like: no sum over a width that grows is taken with them.
    case vector
  }

  /// Its kind.
  public let kind: Kind
  /// Whether its outputs are what a sublayer gives.
  public let writesStream: Bool
  /// Whether it is a layer's.
  public let isInLayer: Bool

  /// The part that `tensor` is of a model whose logits are `logits`, given the steps that read it.
  init(_ tensor: PlannedTensor, read steps: [Step], logits: Value) {
    // A matrix is summed over where its last axis is as long as a row that its step reads; of several, of which a token meets
    // some, also where that row has a part for each of these.
    let inputs = tensor.shape.last ?? 1
    let lengths = [inputs, inputs * (tensor.chosen ?? 1)]
    let sums =
      tensor.use == .matrix ? steps.filter { $0.inputs.contains { lengths.contains($0.width) } } : []
    writesStream = steps.contains { $0.role == .streamWriter }
    isInLayer = tensor.name.layer != nil
    if steps.contains(where: { $0.role == .embedding }) {
      kind = .embedding
    } else if sums.isEmpty {
      kind = .vector
    } else {
      kind = !isInLayer && sums.contains { $0.outputs.first?.width == logits.width } ? .head : .hidden
    }
  }
}

/// What a tensor's learning rate, its weight decay and what is added to the root of Adam are multiplied with.
public struct UpdateScale: Sendable, Hashable {
  /// Of the learning rate.
  public let rate: Double
  /// Of the weight decay, which is multiplied by the learning rate besides.
  public let decay: Double
  /// Of Adam's ε.
  public let epsilon: Double

  /// These factors.
  public init(rate: Double, decay: Double, epsilon: Double) {
    (self.rate, self.decay, self.epsilon) = (rate, decay, epsilon)
  }

  /// As the settings say, for all tensors alike.
  public static let plain = UpdateScale(rate: 1, decay: 1, epsilon: 1)
}
