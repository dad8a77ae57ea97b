extension FormulaGraph {
  /// The derivative of node `root` by `variable`: the variable or a scalar.
  ///
  /// The rules of the calculus, node by node: each node's derivative is written once, so the result grows with the
  /// formula and not with the paths through it. At a kink (|x|, max, if) it is the one from the right or of the second operand, as the
  /// built-in activations have it: the derivative of max(x, 0) at 0 is 0.
  mutating func derivative(of root: Int, by variable: Node) -> Int {
    var derivatives: [Int] = []
    for index in 0...root { derivatives.append(slope(of: index, by: variable, derivatives)) }
    return derivatives[root]
  }

  private mutating func slope(of index: Int, by variable: Node, _ derivatives: [Int]) -> Int {
    guard case .operation(let operation, let operands) = nodes[index] else {
      return number(nodes[index] == variable ? 1 : 0)
    }
    let (a, da) = (operands[0], derivatives[operands[0]])
    let (b, db) = operands.count > 1 ? (operands[1], derivatives[operands[1]]) : (a, da)
    let one = number(1)
    switch operation {
    case .add: return apply(.add, da, db)
    case .subtract: return apply(.subtract, da, db)
    case .multiply: return apply(.add, apply(.multiply, da, b), apply(.multiply, a, db))
    case .divide:
      // (da − y·db) / b, with y = a / b at hand.
      return apply(.divide, apply(.subtract, da, apply(.multiply, index, db)), b)
    case .larger: return apply(.choose, apply(.subtract, a, b), da, db)
    case .smaller: return apply(.choose, apply(.subtract, b, a), da, db)
    case .choose:
      return apply(.choose, a, db, derivatives[operands[2]])
    case .absolute: return apply(.choose, a, da, apply(.subtract, number(0), da))
    case .root: return apply(.divide, da, apply(.multiply, number(2), index))
    case .exponential: return apply(.multiply, index, da)
    case .logarithm: return apply(.divide, da, a)
    case .sine: return apply(.multiply, apply(.cosine, a), da)
    case .cosine: return apply(.multiply, apply(.subtract, number(0), apply(.sine, a)), da)
    case .sigmoid: return apply(.multiply, apply(.multiply, index, apply(.subtract, one, index)), da)
    case .hyperbolicTangent: return apply(.multiply, apply(.subtract, one, apply(.multiply, index, index)), da)
    case .errorFunction:
      // 2/√π·exp(−a²)
      let power = apply(.exponential, apply(.subtract, number(0), apply(.multiply, a, a)))
      return apply(.multiply, apply(.multiply, number(1.1283791670955126), power), da)
    }
  }
}
