import Components

extension Mamba2.DeltaAndDecay {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.isPart(of: "Mamba2", rank: 3)
    call.names("step", "g")
    let (least, most) = (PyTorchExpression(limits.lowerBound).text, PyTorchExpression(limits.upperBound).text)
    let isLimited = limits.lowerBound > 0 || limits.upperBound < .infinity
    call.define(
      "steps",
      """
      def steps(dt, a_log):
          \"""Each head's step, and the logarithm of what its state keeps over it.\"""
          step = F.softplus(dt)\(isLimited ? ".clamp(\(least), \(most))" : "")
          return step, -torch.exp(a_log) * step
      """)
    return .call("steps", [call.input(), call.parameter()])
  }
}

extension Mamba2.AddScaledHeads {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.output(is: .heads(heads))
    return call.heads(heads) + call.parameter().method("unsqueeze", "-1") * call.heads(heads, ofInput: 1)
  }
}
