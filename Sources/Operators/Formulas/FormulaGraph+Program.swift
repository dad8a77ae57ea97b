import Kernels

extension FormulaGraph {
  /// A program for one node, and the numbers it reads: those of the formula, with the scalars among them.
  struct Compiled: Sendable {
    /// The steps.
    let program: ElementwiseProgram
    /// What its numbers are: nodes that are numbers or scalars.
    let numbers: [Node]
  }

  /// The program that computes node `root`; throws when it needs more registers or numbers than a program has.
  ///
  /// A register is free again after the last step that reads it.
  func program(for root: Int) throws(FormulaProblem) -> Compiled {
    let needed = nodesNeeded(for: root)
    var lastUse: [Int: Int] = [root: Int.max]
    for index in needed {
      if case .operation(_, let operands) = nodes[index] {
        for operand in operands { lastUse[operand] = max(lastUse[operand] ?? index, index) }
      }
    }
    var operands: [Int: ElementwiseProgram.Operand] = [:]
    var numbers: [Node] = []
    var steps: [(operation: Operation, operands: [ElementwiseProgram.Operand], register: Int)] = []
    var free = Array((1..<ElementwiseProgram.registerLimit).reversed())
    for index in needed {
      switch nodes[index] {
      case .number, .scalar:
        operands[index] = .number(numbers.count)
        numbers.append(nodes[index])
      case .variable: operands[index] = .register(0)
      case .operation(let operation, let inputs):
        let read = inputs.compactMap { operands[$0] }
        for input in Set(inputs) where lastUse[input] == index {
          if case .register(let register) = operands[input] { free.append(register) }
        }
        guard let register = free.popLast() else { throw .tooLong }
        operands[index] = .register(register)
        steps.append((operation, read, register))
      }
    }
    guard numbers.count <= ElementwiseProgram.numberLimit, let result = operands[root] else { throw .tooLong }
    return Compiled(program: ElementwiseProgram(steps: steps, result: result), numbers: numbers)
  }

  /// The nodes that node `root` is made of, itself last, operands first.
  private func nodesNeeded(for root: Int) -> [Int] {
    var needed: Set<Int> = [root]
    for index in (0...root).reversed() where needed.contains(index) {
      if case .operation(_, let operands) = nodes[index] { needed.formUnion(operands) }
    }
    return needed.sorted()
  }
}

extension FormulaProblem {
  static var tooLong: FormulaProblem {
    FormulaProblem(
      "is too long",
      hint: "a formula has at most \(ElementwiseProgram.numberLimit) different numbers and a few dozen steps at once")
  }
}
