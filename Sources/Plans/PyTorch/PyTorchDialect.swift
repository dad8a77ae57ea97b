/// What stands around an operator in a file of PyTorch.
public enum PyTorchDialect: Sendable, Hashable {
  /// Nothing but torch: a file of its own, whose cache is a dictionary of tensors for each layer.
  case torch
  /// transformers: its cache, and attention through its registry, which is given a mask.
  case transformers
}
