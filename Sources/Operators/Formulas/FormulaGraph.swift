import Kernels

/// What formulas are made of: nodes, each once, whose operands stand before them.
///
/// A node is written by the functions below, which leave out what changes nothing (x + 0, 1·x) and compute what is
/// known (2·3), so that a derivative comes out about as short as one written by hand.
struct FormulaGraph {
  typealias Operation = ElementwiseProgram.Operation

  /// A node: a number, the variable, a trained scalar, or an operation on earlier nodes.
  enum Node: Hashable {
    case number(Double)
    case variable
    case scalar(Int)
    case operation(Operation, [Int])
  }

  private(set) var nodes: [Node] = []
  private var indices: [Node: Int] = [:]

  private mutating func insert(_ node: Node) -> Int {
    if let index = indices[node] { return index }
    nodes.append(node)
    indices[node] = nodes.count - 1
    return nodes.count - 1
  }

  /// The number that node `index` is, when it is one.
  private func number(_ index: Int) -> Double? {
    if case .number(let value) = nodes[index] { value } else { nil }
  }

  mutating func number(_ value: Double) -> Int { insert(.number(value)) }
  mutating func variable() -> Int { insert(.variable) }
  mutating func scalar(_ index: Int) -> Int { insert(.scalar(index)) }

  /// `operation` of `operands`, in its shortest form.
  mutating func apply(_ operation: Operation, _ operands: Int...) -> Int {
    let known = operands.map(number)
    if let a = known[0], known.allSatisfy({ $0 != nil }) {
      let value = operation.value(a, known.count > 1 ? known[1] ?? 0 : 0, known.count > 2 ? known[2] ?? 0 : 0)
      if value.isFinite { return number(value) }
    }
    let (a, b) = (operands[0], operands.count > 1 ? operands[1] : operands[0])
    switch operation {
    case .add:
      if known[0] == 0 { return b }
      if known[1] == 0 { return a }
      return insert(.operation(.add, [min(a, b), max(a, b)]))
    case .subtract:
      if known[1] == 0 { return a }
      if a == b { return number(0) }
    case .multiply:
      if known[0] == 0 || known[1] == 0 { return number(0) }
      if known[0] == 1 { return b }
      if known[1] == 1 { return a }
      return insert(.operation(.multiply, [min(a, b), max(a, b)]))
    case .divide:
      if known[0] == 0 { return a }
      if let divisor = known[1], divisor != 0 { return apply(.multiply, a, number(1 / divisor)) }
    case .choose:
      if operands[1] == operands[2] { return operands[1] }
    case .larger, .smaller:
      if a == b { return a }
    case .absolute, .root, .exponential, .logarithm, .sine, .cosine, .sigmoid, .hyperbolicTangent, .errorFunction: break
    }
    return insert(.operation(operation, operands))
  }

  /// The value of every node at x, in double precision.
  func values(at x: Double, scalars: [Double]) -> [Double] {
    var values: [Double] = []
    values.reserveCapacity(nodes.count)
    for node in nodes {
      switch node {
      case .number(let value): values.append(value)
      case .variable: values.append(x)
      case .scalar(let index): values.append(scalars[index])
      case .operation(let operation, let operands):
        let operand = { (index: Int) in index < operands.count ? values[operands[index]] : 0 }
        values.append(operation.value(operand(0), operand(1), operand(2)))
      }
    }
    return values
  }
}
