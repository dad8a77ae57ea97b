import Plans

/// How a tensor is moved in PyTorch: by which optimizer, set how.
public struct PyTorchUpdate: Sendable, Hashable {
  /// The class: `torch.optim.AdamW`.
  public let optimizer: String
  /// What all its tensors have in common, as arguments: `betas=(0.9, 0.95)`.
  public let arguments: [String]
  /// What a group of tensors has of its own, as arguments: `weight_decay=0.1`.
  public let group: [String]
  /// The class's text, where torch has none such.
  public let definition: String?

  /// An update by `optimizer`, the learning rate aside.
  public init(by optimizer: String, _ arguments: [String], group: [String], definition: String? = nil) {
    (self.optimizer, self.arguments, self.group, self.definition) = (optimizer, arguments, group, definition)
  }

  /// The same at `factor` times the learning rate of others, which `train.py` sets before each step.
  public func at(_ factor: Double) -> PyTorchUpdate {
    factor == 1
      ? self : PyTorchUpdate(by: optimizer, arguments, group: group + ["factor=\(factor)"], definition: definition)
  }
}
