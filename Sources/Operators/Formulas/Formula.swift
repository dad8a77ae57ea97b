import Kernels

/// A function of one number that a user wrote, with its derivatives, each as a program of one pass.
///
///     y = f(x; s₁ … sₙ)        f′ = ∂f/∂x,  ∂f/∂sᵢ        x: a number, s: scalars that may be trained
///
/// Derivatives are symbolic. Where the formula has a kink (`abs`, `max`, `if`), the derivative there is that of one side.
public struct Formula: Sendable {
  /// The formula as it was written.
  public let text: String
  /// The names of its scalars, in order.
  public let scalars: [String]
  private let value: FormulaGraph.Compiled
  private let slope: FormulaGraph.Compiled
  private let scalarSlopes: [FormulaGraph.Compiled]
  let graph: FormulaGraph
  let root: Int
  private let slopeRoot: Int

  /// The formula in `text`, of `x` and the names of `scalars`; throws where it cannot be read, and when it is too long.
  public init(_ text: String, scalars: [String] = []) throws(FormulaProblem) {
    self.text = text
    self.scalars = scalars
    var reader = try FormulaReader(text, scalars: scalars)
    root = try reader.read()
    var graph = reader.graph
    slopeRoot = graph.derivative(of: root, by: .variable)
    var scalarRoots: [Int] = []
    for index in scalars.indices { scalarRoots.append(graph.derivative(of: root, by: .scalar(index))) }
    value = try graph.program(for: root)
    slope = try graph.program(for: slopeRoot)
    var scalarSlopes: [FormulaGraph.Compiled] = []
    for root in scalarRoots { scalarSlopes.append(try graph.program(for: root)) }
    self.scalarSlopes = scalarSlopes
    self.graph = graph
  }

  /// f(x) = x.
  public static let identity = Formula()

  private init() {
    text = "x"
    scalars = []
    var graph = FormulaGraph()
    root = graph.variable()
    slopeRoot = graph.number(1)
    value = FormulaGraph.Compiled(program: ElementwiseProgram(steps: [], result: .register(0)), numbers: [])
    slope = FormulaGraph.Compiled(program: ElementwiseProgram(steps: [], result: .number(0)), numbers: [.number(1)])
    scalarSlopes = []
    self.graph = graph
  }

  /// Steps for each number, for counting operations.
  public var stepCount: Int { value.program.count }

  /// The formula's value and slope at `x` in double precision, to check the programs and the formula's sense.
  public func exact(_ x: Double, scalars: [Double] = []) -> (value: Double, slope: Double) {
    let values = graph.values(at: x, scalars: scalars)
    return (values[root], values[slopeRoot])
  }

  /// `y = f(x)` for `count` numbers; `x` and `y` may be the same.
  public func apply(
    _ x: UnsafePointer<Float>, scalars: UnsafePointer<Float>? = nil, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    value.run(x, scalars: scalars, into: y, count: count)
  }

  /// `slope = f′(x)` for `count` numbers.
  public func derivative(
    _ x: UnsafePointer<Float>, scalars: UnsafePointer<Float>? = nil, into slope: UnsafeMutablePointer<Float>, count: Int
  ) {
    self.slope.run(x, scalars: scalars, into: slope, count: count)
  }

  /// `slope = ∂f/∂s` by scalar `index`, for `count` numbers.
  public func derivative(
    by index: Int, _ x: UnsafePointer<Float>, scalars: UnsafePointer<Float>?, into slope: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    scalarSlopes[index].run(x, scalars: scalars, into: slope, count: count)
  }
}

extension FormulaGraph.Compiled {
  fileprivate func run(
    _ x: UnsafePointer<Float>, scalars: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: numbers.count) { buffer in
      for (index, node) in numbers.enumerated() {
        switch node {
        case .number(let value): buffer.initializeElement(at: index, to: Float(value))
        case .scalar(let scalar): buffer.initializeElement(at: index, to: scalars?[scalar] ?? .nan)
        case .variable, .operation: break  // never among the numbers
        }
      }
      program.run(x, numbers: UnsafeBufferPointer(buffer), into: y, count: count)
    }
  }
}
