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
