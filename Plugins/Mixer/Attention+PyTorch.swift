import Components

extension PermuteHeads {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.output(is: .heads(heads))
    return call.heads(heads).method("unflatten", "2", "(\(heads / groups), \(groups))")
      .method("transpose", "2", "3").method("flatten", "2", "3")
  }
}

extension PositionTemperature {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    let place = offset == 0 ? "positions" : "(positions + \(offset))"
    let factor =
      switch kind {
      case .steps: "1 + \(PyTorchExpression(scale).text) * torch.log1p((\(place) // \(floor)).double())"
      case .logn: "(torch.log(\(place).double()) / math.log(\(floor))).clamp(min=1)"
      }
    if kind == .logn { call.imports("math") }
    call.define(
      "temperature",
      """
      def temperature(positions):
          \"""What queries are multiplied by, [tokens, 1]: it grows with their position.\"""
          factor = \(factor)
          return factor.float().unsqueeze(-1)
      """)
    let layout = call.layout(0)
    let x = call.elements()
    let factors = PyTorchExpression.call("temperature", [call.positions()])
    return x * (layout == .rows ? factors : factors.method("unsqueeze", "-1"))
  }
}

extension AttentionWindow.SteppedWindow {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.isPart(of: "ChunkedAttention", rank: 3)
    call.define(
      "edge",
      """
      def edge(query, key, window, step):
          \"""Hides the keys before a window whose edge moves `step` tokens at once.\"""
          first = query // step * step + step - window
          return torch.where(key < first, float("-inf"), 0.0)
      """)
    let hidden = PyTorchExpression.call(
      "edge", ["query", "key", call.setting("window", PyTorchExpression(window)), PyTorchExpression(step)])
    guard let bias else { return hidden }
    return bias.pytorch(&call).map { $0 + hidden }
  }
}

extension AttentionWindow.Reordered {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    let order = (0..<order.heads).map { String(self.order.source(of: $0)) }.joined(separator: ", ")
    return bias.pytorch(&call).map { $0.at("..., [\(order)], :, :") }
  }
}
