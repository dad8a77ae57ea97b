import Plans

extension Add {
  /// `alpha * a + beta * b`
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    let layout = call.layout(0)
    let a = call.elements(0)
    let b = call.input(1, as: layout)
    let first = alpha == 1 ? a : PyTorchExpression(alpha) * a
    if beta < 0 { return first - (beta == -1 ? b : PyTorchExpression(-beta) * b) }
    return first + (beta == 1 ? b : PyTorchExpression(beta) * b)
  }
}

extension Multiply {
  /// `a * b`
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.isPart(adjective: "Gated")
    let layout = call.layout(0)
    return call.elements(0) * call.input(1, as: layout)
  }
}

extension Scale {
  /// `factor * x`
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? { PyTorchExpression(factor) * call.elements() }
}

extension Shift {
  /// `x + offset`
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    offset < 0 ? call.elements() - PyTorchExpression(-offset) : call.elements() + PyTorchExpression(offset)
  }
}

extension Clamp {
  /// `x.clamp(low, high)`
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    let x = call.elements()
    if low == -.infinity { return x.method("clamp", named: [("max", PyTorchExpression(high))]) }
    if high == .infinity { return x.method("clamp", named: [("min", PyTorchExpression(low))]) }
    return x.method("clamp", PyTorchExpression(low), PyTorchExpression(high))
  }
}

extension Softcap {
  /// `cap * torch.tanh(x / cap)`
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    let cap = PyTorchExpression(cap)
    return cap * .call("torch.tanh", [call.elements() / cap])
  }
}

extension LearnedScale {
  /// `weight * x`
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? { call.parameter() * call.input() }
}

extension ScaleHeads {
  /// `x * gate.unsqueeze(-1)`, head by head
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.output(is: .heads(heads))
    return call.heads(heads) * call.input(1).method("unsqueeze", "-1")
  }
}

extension Split {
  /// `x.split(widths, dim=-1)`
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    let x = heads == 1 ? call.input() : call.heads(heads)
    for index in widths.indices { call.output(index, is: heads == 1 ? .rows : .heads(heads)) }
    return x.method(
      "split", "(\(widths.map(String.init).joined(separator: ", ")))", named: [("dim", "-1")])
  }
}

extension Elementwise {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    let x = call.elements()
    return function.pytorch(x, &call)
  }
}
