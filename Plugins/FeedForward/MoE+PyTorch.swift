import Components

extension MoE.Route {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.isPart(of: "MoE", rank: 3)
    call.names("weights", "choice")
    call.output(1, is: .own)
    call.widthOfInput(0, isCalled: "num_experts")
    call.define("route", function)
    return .call(
      "route",
      [call.input(), call.setting("top_k", PyTorchExpression(router.chosen))]
        + (router.selectionBias ? [call.parameter()] : []))
  }

  /// The function in the router's own words: nothing that it does not do is in it.
  private var function: String {
    if router.score == .sparsemixer { return sparseMixerFunction }
    var lines = ["def route(logits, top_k\(router.selectionBias ? ", selection_bias" : "")):"]
    lines.append("    \"\"\"The experts that each token is sent to, and what their results weigh.\"\"\"")
    let score = router.score == .softmax ? "softmax(-1)" : "sigmoid()"
    let scoresFirst = router.order == .scoreFirst
    lines.append("    scores = logits.float()\(scoresFirst ? ".\(score)" : "")")
    var keys = router.selectionBias ? "scores + selection_bias" : "scores"
    if router.groups > 1 {
      lines.append("    # Only the best groups of experts are open.")
      lines.append("    groups = (\(keys)).unflatten(-1, (\(router.groups), -1))")
      let isSingle = router.groupScore == .max || router.experts == router.groups
      lines.append("    best = groups.\(isSingle ? "amax(-1)" : "topk(2, -1).values.sum(-1)")")
      lines.append("    best = best.topk(\(router.topGroups), -1).indices")
      lines.append("    closed = torch.ones_like(groups[..., 0], dtype=torch.bool).scatter(-1, best, False)")
      let closed = router.closedScore.map { PyTorchExpression($0).text } ?? "float(\"-inf\")"
      lines.append("    groups = groups.masked_fill(closed.unsqueeze(-1), \(closed))")
      keys = "groups.flatten(-2)"
    }
    lines.append("    choice = \(keys.contains(" + ") ? "(\(keys))" : keys).topk(top_k, -1).indices")
    lines.append("    weights = scores.gather(-1, choice)\(scoresFirst ? "" : ".\(score)")")
    switch router.normalize {
    case .none: break
    case .sum:
      lines.append("    weights = weights / (weights.sum(-1, keepdim=True) + \(PyTorchExpression(router.eps).text))")
    case .clamped:
      lines.append(
        "    weights = weights / weights.sum(-1, keepdim=True).clamp(min=\(PyTorchExpression(router.eps).text))")
    }
    let scale = router.scale == 1 ? "" : "\(PyTorchExpression(router.scale).text) * "
    lines.append("    return \(scale)weights.to(logits.dtype), choice")
    return lines.joined(separator: "\n")
  }
}

extension MoE.ExpertLinear {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    guard biases.count == 1 else { return nil }
    let hasBias = Set(call.peers.compactMap { ($0 as? MoE.ExpertLinear)?.biases[0] })
    let argument = hasBias.count > 1 ? ", \(PyTorchExpression(biases[0]).text)" : ""
    let empty = "nn.Parameter(torch.empty(experts, outputs))"
    let made =
      hasBias == [false] ? "" : "\n        self.bias = " + (hasBias.count > 1 ? "\(empty) if bias else None" : empty)
    let product =
      hasBias == [true]
      ? "F.linear(x[rows], self.weight[expert], self.bias[expert])"
      : hasBias == [false]
        ? "F.linear(x[rows], self.weight[expert])"
        : "F.linear(x[rows], self.weight[expert], None if self.bias is None else self.bias[expert])"
    let added =
      hasBias == [false]
      ? "" : hasBias == [true] ? " + self.bias[flat[order]]" : " + (0 if self.bias is None else self.bias[flat[order]])"
    let none = call.peers.contains { ($0 as? MoE.ExpertLinear)?.mayBeNone == true }
    let skipped = none ? "\n            if expert < 0:\n                continue  # of no expert" : ""
    let grouped =
      none
      ? "# A choice of no expert gives zeros."
      : "if torch.compiler.is_compiling() and all(n % 8 == 0 for n in self.weight.shape[1:]):\n            return self.grouped(x, choice)"
    call.define(
      "ExpertLinear",
      """
      class ExpertLinear(nn.Module):
          \"""y[t, j] = W_e·x[t, j]\(hasBias == [false] ? "" : " + b_e") for e = choice[t, j]: a matrix for each expert.\"""

          def __init__(self, experts, inputs, outputs\(hasBias.count > 1 ? ", bias" : "")):
              super().__init__()
              self.weight = nn.Parameter(torch.empty(experts, outputs, inputs))\(made)

          def forward(self, x, choice):
              # x: [batch, tokens, choices or 1, inputs]; choice: [batch, tokens, choices]
              x = x.expand(*choice.shape, -1)
              \(grouped)
              y = x.new_zeros(*choice.shape, self.weight.size(1))
              for expert in choice.unique().tolist():\(skipped)
                  rows = choice == expert
                  y[rows] = \(product)
              return y

          def grouped(self, x, choice):
              \"""The same in a graph, whose shapes are fixed: all rows, in the order of their experts.\"""
              flat = choice.flatten()
              experts = torch.arange(self.weight.size(0), device=x.device)
              order = flat.argsort()
              ends = (flat == experts[:, None]).sum(1).cumsum(0, dtype=torch.int32)
              y = F.grouped_mm(x.flatten(0, -2)[order], self.weight.mT.to(x.dtype), offs=ends)\(added)
              return y[order.argsort()].unflatten(0, choice.shape)
      """)
    let x = each ? call.heads(chosen) : call.input().method("unsqueeze", "-2")
    call.output(is: .heads(chosen))
    let experts = call.constant("num_experts", PyTorchExpression(call.shapes[0][0]))
    let sizes = call.shapes[0].dropFirst().reversed().map { size($0, call) }.joined(separator: ", ")
    guard let module = call.module("ExpertLinear(\(experts), \(sizes)\(argument))") else { return nil }
    return .call(module.text, [x, call.input(1, as: .own)])
  }

  /// A matrix leads from the model's width to an expert's own, or back.
  private func size(_ width: Int, _ call: PyTorchCall) -> String {
    let isInner = width != call.step.inputs[0].width / (each ? chosen : 1) || each
    return call.constant(isInner ? "expert_size" : "hidden_size", PyTorchExpression(width))
  }
}

extension MoE.WeightedSum {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    let z = call.heads(count)
    call.names("y")
    return (weighted ? call.input(1).method("unsqueeze", "-1") * z : z).method("sum", "-2")
  }
}

extension MoE.OuterProduct {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.output(is: .heads(call.step.inputs[1].width))
    return call.input(1).method("unsqueeze", "-1") * call.input().method("unsqueeze", "-2")
  }
}

extension MoE.SigmoidGate {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    .call("torch.sigmoid", [call.input(1)]) * call.input()
  }
}
