/// Which tensors lose a part of themselves in each step.
public enum DecayedTensors: String, CaseIterable, Sendable {
  /// Those of two or more axes: not norms and biases.
  case matrices
  /// All.
  case all

  /// What `decay` is for `tensor`.
  public func decay(_ decay: Double, of tensor: PlannedTensor) -> Double {
    self == .all || tensor.shape.count >= 2 ? decay : 0
  }
}

/// Weight decay as an optimizer's options say it.
public struct WeightDecay: Sendable {
  let amount: Double
  let tensors: DecayedTensors

  /// The options `weight_decay`, which is `amount` by default and means `meaning`, and `decay`.
  public init(_ options: Options, default amount: Double, _ meaning: String) {
    self.amount = options.number("weight_decay", default: amount, in: 0...1e3, meaning)
    tensors = options.choice("decay", default: DecayedTensors.matrices, "which tensors have weight decay")
  }

  /// How much `tensor` decays: nothing where it is none of those that do, and by its own share.
  public func of(_ tensor: PlannedTensor) -> Double { tensors.decay(amount, of: tensor) * tensor.update.decay }
}
