import CKernels

/// Steps that make y from x, element by element, in one pass: each step acts on a few vectors that stay in the nearest cache.
///
/// The operands of a step are registers, of which register 0 holds x at first, or numbers that are the same for all.
public struct ElementwiseProgram: Sendable {
  /// What a step computes of its operands a, b and c.
  public enum Operation: UInt8, Sendable, CaseIterable {
    /// a + b
    case add
    /// a − b
    case subtract
    /// a·b
    case multiply
    /// a / b
    case divide
    /// The larger of a and b.
    case larger
    /// The smaller of a and b.
    case smaller
    /// b where a > 0, else c.
    case choose
    /// |a|
    case absolute
    /// √a
    case root
    /// eᵃ
    case exponential
    /// ln a
    case logarithm
    /// sin a
    case sine
    /// cos a; like the sine within 2e-7 while |a| stays below 5000.
    case cosine
    /// 1 / (1 + e⁻ᵃ)
    case sigmoid
    /// tanh a
    case hyperbolicTangent
    /// erf a
    case errorFunction

    /// How many operands it reads.
    public var operandCount: Int {
      switch self {
      case .add, .subtract, .multiply, .divide, .larger, .smaller: 2
      case .choose: 3
      case .absolute, .root, .exponential, .logarithm, .sine, .cosine, .sigmoid, .hyperbolicTangent, .errorFunction: 1
      }
    }
  }

  /// Where a number comes from.
  public enum Operand: Sendable, Hashable {
    /// A register.
    case register(Int)
    /// One of the numbers that are the same for all.
    case number(Int)

    fileprivate var place: UInt8 {
      switch self {
      case .register(let index): UInt8(truncatingIfNeeded: index)
      case .number(let index): UInt8(truncatingIfNeeded: registerLimit + index)
      }
    }
  }

  /// Registers that a program may use.
  public static let registerLimit = Int(CK_PROGRAM_REGISTERS)
  /// Numbers that a program may use.
  public static let numberLimit = Int(CK_PROGRAM_NUMBERS)

  private var steps: [ck_step] = []
  /// What the program gives.
  private let result: Operand

  /// The program of `steps` that gives `result`. Registers and numbers lie within the limits.
  public init(steps: [(operation: Operation, operands: [Operand], register: Int)], result: Operand) {
    self.result = result
    for step in steps {
      precondition(
        step.operands.count == step.operation.operandCount,
        "\(step.operation) reads \(step.operation.operandCount) operands")
      precondition(step.register < Self.registerLimit, "register \(step.register) is past the last")
      let places = step.operands.map(\.place) + [0, 0]
      self.steps.append(
        ck_step(
          operation: step.operation.rawValue, to: UInt8(truncatingIfNeeded: step.register), a: places[0], b: places[1],
          c: places[2]))
    }
  }

  /// How many steps it takes.
  public var count: Int { steps.count }

  /// Computes `count` numbers from `x` with the program's `numbers`; `x` and `y` may be the same memory.
  public func run(
    _ x: UnsafePointer<Float>, numbers: UnsafeBufferPointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    precondition(numbers.count <= Self.numberLimit, "\(numbers.count) numbers are more than a program has")
    steps.withUnsafeBufferPointer { steps in
      ck_run_program(steps.baseAddress, steps.count, numbers.baseAddress, numbers.count, x, y, result.place, count)
    }
  }
}
