/// What a model is written for.
public enum PyTorchForm: Sendable, Hashable {
  /// One file that needs nothing but torch: what is kept of a text is a dictionary of tensors for each layer.
  case plain
  /// Classes of the library transformers: texts come with padding, positions are `[batch, tokens]`, what is kept is the
  /// library's `Cache`, and attention goes through its functions where these can say what a model's attention does.
  case transformers
}
