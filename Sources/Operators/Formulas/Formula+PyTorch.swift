import Plans

extension Formula {
  /// The formula in Python, of a tensor `x` and tensors that `scalars` name; nil when it is too long for a line of a file.
  public func pytorch(scalars names: [String]) -> String? {
    // A node that is read often is written often.
    guard graph.writtenNodes(root) < 400 else { return nil }
    let expression = graph.pytorch(root, scalars: names)
    return graph.reaches(.variable, from: root)
      ? expression.text : "torch.zeros_like(x) + \(expression.within(.product))"
  }
}

extension FormulaGraph {
  /// How many nodes are written for node `place`, at most 400.
  fileprivate func writtenNodes(_ place: Int) -> Int {
    var counts: [Int] = []
    for node in nodes[...place] {
      guard case .operation(_, let operands) = node else {
        counts.append(1)
        continue
      }
      counts.append(min(400, operands.reduce(1) { $0 + counts[$1] }))
    }
    return counts[place]
  }

  /// Whether node `place` is computed from `node`.
  fileprivate func reaches(_ node: Node, from place: Int) -> Bool {
    if nodes[place] == node { return true }
    guard case .operation(_, let operands) = nodes[place] else { return false }
    return operands.contains { reaches(node, from: $0) }
  }

  fileprivate func pytorch(_ place: Int, scalars: [String]) -> PyTorchExpression {
    switch nodes[place] {
    case .number(let value):
      return value.rounded() == value && abs(value) < 1e15 ? PyTorchExpression(Int(value)) : PyTorchExpression(value)
    case .variable: return "x"
    case .scalar(let index): return PyTorchExpression(scalars[index])
    case .operation(let operation, let operands):
      return pytorch(operation, operands, scalars: scalars)
    }
  }

  private func pytorch(_ operation: Operation, _ operands: [Int], scalars: [String]) -> PyTorchExpression {
    let values = operands.map { pytorch($0, scalars: scalars) }
    let a = values[0]
    switch operation {
    case .add: return a + values[1]
    case .subtract: return number(operands[0]) == 0 ? -values[1] : a - values[1]
    case .multiply: return operands[0] == operands[1] ? a.power("2") : a * values[1]
    case .divide: return a / values[1]
    case .larger, .smaller:
      let (limit, function) = operation == .larger ? ("min", "torch.maximum") : ("max", "torch.minimum")
      // A number is no tensor: it limits one.
      if number(operands[1]) != nil { return a.method("clamp", named: [(limit, values[1])]) }
      if number(operands[0]) != nil { return values[1].method("clamp", named: [(limit, a)]) }
      return .call(function, [a, values[1]])
    case .choose:
      var condition = "\(a.text) > 0"
      if case .operation(.subtract, let sides) = nodes[operands[0]] {
        let (left, right) = (pytorch(sides[0], scalars: scalars), pytorch(sides[1], scalars: scalars))
        condition = "\(left.within(.sum)) > \(right.within(.sum))"
        if number(sides[0]) != nil { condition = "\(right.within(.sum)) < \(left.within(.sum))" }
      }
      return .call("torch.where", [PyTorchExpression(condition, .comparison), values[1], values[2]])
    case .absolute: return .call("torch.abs", values)
    case .root: return .call("torch.sqrt", values)
    case .exponential: return .call("torch.exp", values)
    case .logarithm: return .call("torch.log", values)
    case .sine: return .call("torch.sin", values)
    case .cosine: return .call("torch.cos", values)
    case .sigmoid: return .call("torch.sigmoid", values)
    case .hyperbolicTangent: return .call("torch.tanh", values)
    case .errorFunction: return .call("torch.erf", values)
    }
  }

  private func number(_ place: Int) -> Double? {
    if case .number(let value) = nodes[place] { value } else { nil }
  }
}
