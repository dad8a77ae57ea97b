/// How the rows of a value lie in a tensor of PyTorch.
public enum PyTorchLayout: Sendable, Hashable {
  /// `[batch, tokens, width]`
  case rows
  /// `[batch, tokens, heads, width / heads]`
  case heads(Int)
  /// Whatever an operator makes of it that only the operators which read it understand: angles, the numbers of experts.
  case own
}
