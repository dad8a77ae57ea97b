import Plans

extension CausalConvolution {
  /// A module of its own, which holds the weights and the last tokens of the text.
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.isPart(of: "ShortConvolution")
    let biases = Set(call.peers.compactMap { ($0 as? CausalConvolution)?.bias })
    let argument = biases.count > 1 ? ", bias=\(bias ? "True" : "False")" : ""
    let width = call.constant("conv_kernel", PyTorchExpression(kernel))
    guard let module = call.module("CausalConvolution(\(call.width()), \(width)\(argument))") else { return nil }
    let made =
      biases.count > 1
      ? "\n        self.bias = nn.Parameter(torch.empty(channels)) if bias else None"
      : bias ? "\n        self.bias = nn.Parameter(torch.empty(channels))" : ""
    call.define(
      "CausalConvolution",
      """
      class CausalConvolution(nn.Module):
          \"""Each channel a weighted sum of its last tokens: y_t = Σ_j w_j ⊙ x_{t−k+1+j}\(biases == [false] ? "" : " + b").\"""

          def __init__(self, channels, kernel\(biases.count > 1 ? ", bias" : "")):
              super().__init__()
              self.weight = nn.Parameter(torch.empty(channels, kernel))\(made)

          def forward(self, x, cache=None):
              kept = self.weight.size(1) - 1
              none = x.new_zeros(x.size(0), kept, x.size(2))
              x = torch.cat([(cache or {}).get("\(call.state(0))", none), x], dim=1)
              if cache is not None:
                  cache["\(call.state(0))"] = x[:, -kept:]
              y = F.conv1d(x.mT, self.weight.unsqueeze(1), \(biases == [false] ? "" : "self.bias, ")groups=x.size(2))
              return y.mT
      """)
    return .call(module.text, [call.withoutPadding(call.input()), call.cache()])
  }
}
