import Components

/// An activation by a formula in the file: no Swift is needed for it.
///
///     y = f(x; s₁ … sₙ)
///
/// The formula has `x`, numbers, `pi`, `+ - * / ^`, the functions exp, log, sqrt, abs, sin, cos, tanh, sigmoid, erf, relu,
/// softplus, silu, gelu, max, min, clamp(a, least, most), if(a > b, then, else), and the names under `scalars`: numbers that
/// each layer trains for itself, given with what they start at. It is differentiated symbolically, and runs as one pass.
/// Source: the chain rule; trained scalars as in xIELU, Huang and Schlag, 2024, https://arxiv.org/abs/2411.13010.
/// `-x^2` is −(x²), and at a kink (abs, max, if) the derivative is that of one side.
///
/// Examples: `{formula: "x * sigmoid(1.702 * x)"}` `{formula: "max(x, 0)^2"}`
/// `{formula: "if(x > 0, p * x^2 + x / 2, n * (exp(min(x, 0)) - 1 - x) + x / 2)", scalars: {p: 0.8, n: 0.8}}`
/// `{formula: "x + sin(a * x)^2 / a", scalars: {a: 1}}`
public struct FormulaActivation: ElementwiseActivation {
  public static let name = "formula"
  public static let choosingOption: String? = "formula"

  let formula: Formula
  let scalars: [(name: String, value: Double)]

  public init(_ options: Options) {
    let text = options.requiredText("formula", "the function of x")
    scalars = options.namedNumbers("scalars", "learned scalars of the formula, each with its initial value")
    for scalar in scalars where !Self.canName(scalar.name) {
      options.fail(
        "scalars", "'\(scalar.name)' cannot name a scalar",
        hint: "a name has letters, digits and '_', and is not x or pi")
    }
    let names = Self.names(in: text)
    for scalar in scalars where !text.isEmpty && Self.canName(scalar.name) && !names.contains(scalar.name) {
      options.fail(
        "scalars", "the formula does not have the scalar '\(scalar.name)'",
        hint: "each layer would train a number that nothing reads; 'scalars: {\(scalar.name): null}' leaves it out")
    }
    do throws(FormulaProblem) {
      formula = try Formula(options.isDescribing || text.isEmpty ? "x" : text, scalars: scalars.map(\.name))
      if let x = Self.firstUndefined(formula, scalars.map(\.value)) {
        options.fail(
          "formula", "the formula or its derivative is not finite at x = \(x)",
          hint: "it must be defined wherever activations may lie; −10…10 is checked")
      }
    } catch {
      options.fail(
        "formula", "the formula \(error.sentence)" + (error.character.map { " at character \($0)" } ?? ""),
        hint: error.hint)
      formula = .identity
    }
  }

  /// The words of a formula.
  private static func names(in text: String) -> Set<String> {
    Set(text.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init))
  }

  private static func canName(_ name: String) -> Bool {
    guard let first = name.first, first.isLetter, name != "x", name != "pi" else { return false }
    return name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
  }

  /// The first x of −10…10 at which the formula or its slope is not finite. Zero is left out: a slope may jump there.
  private static func firstUndefined(_ formula: Formula, _ scalars: [Double]) -> Double? {
    stride(from: -10, through: 10, by: 0.25).first { x in
      let (value, slope) = formula.exact(x, scalars: scalars)
      return !value.isFinite || !slope.isFinite
    }
  }

  public var attributes: [Attribute] { [Attribute("formula", formula.text)] }
  public var flopsPerNumber: Int { formula.stepCount }

  public func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    formula.apply(x, into: y, count: count)
  }

  public func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int) {
    formula.derivative(x, into: slope, count: count)
  }

  public func pytorch(_ x: PyTorchExpression, _ call: inout PyTorchCall) -> PyTorchExpression? {
    guard let text = formula.pytorch(scalars: []) else { return nil }
    call.define("activation", "def activation(x):\n    \"\"\"y = \(formula.text)\"\"\"\n    return \(text)")
    return .call("activation", [x])
  }

  public func exact(_ x: Double) -> Double? { formula.exact(x).value }

  public func write(_ x: Value, into plan: inout PlanBuilder) -> Value {
    if scalars.isEmpty { return plan.elementwise(self, of: x) }
    let tensors = plan.within("act") { plan in
      scalars.map { plan.parameter($0.name, shape: [1], starts: .constant($0.value)) }
    }
    return plan.apply(
      TrainedFormula(formula: formula, scalarCount: scalars.count), to: x, parameters: tensors)
  }
}

/// A formula whose scalars are learned tensors of one number.
struct TrainedFormula: Kernel {
  let name = "formula"
  let formula: Formula
  let scalarCount: Int

  /// Numbers at a time, so that a run and its slopes stay in the nearest cache.
  private static let run = 2048

  var attributes: [Attribute] { [Attribute("formula", formula.text), Attribute("scalars", formula.scalars)] }
  var traits: OperatorTraits { OperatorTraits(isRowwise: true, overwritableInput: 0) }

  func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    withScalars(context) { scalars in
      context.parallel(y.count * y.width, grain: 4096) { numbers, _ in
        formula.apply(
          x.base + numbers.lowerBound, scalars: scalars, into: y.base + numbers.lowerBound, count: numbers.count)
      }
    }
  }

  /// The scalars one after the other: each is a tensor of its own.
  private func withScalars(_ context: some StepContext, _ body: (UnsafePointer<Float>) -> Void) {
    withScratch(scalarCount) { scalars in
      for index in 0..<scalarCount { scalars[index] = context.parameter(index).vector[0] }
      body(scalars)
    }
  }

  /// `dx += dy·f′(x)`, `dsᵢ += Σ dy·∂f/∂sᵢ`.
  ///
  /// Each worker sums its own share, and the shares are added in order, so that a number of threads gives the same bits.
  func backward(_ context: BackwardContext) {
    let (x, dy) = (context.input(), context.outputGradient())
    let dx = context.inputGradient()
    withScalars(context) { scalars in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: scalarCount * context.pool.threads) { sums in
        sums.initialize(repeating: 0)
        let shares = Shares(base: sums)
        context.parallel(dy.count * dy.width, grain: 4096) { numbers, worker in
          for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: Self.run) {
            let count = min(Self.run, numbers.upperBound - start)
            if let dx {
              formula.derivative(x.base + start, scalars: scalars, into: worker.scratch, count: count)
              for i in 0..<count { dx.base[start + i] += dy.base[start + i] * worker.scratch[i] }
            }
            for index in 0..<scalarCount {
              formula.derivative(by: index, x.base + start, scalars: scalars, into: worker.scratch, count: count)
              var sum = 0.0
              for i in 0..<count { sum += Double(dy.base[start + i] * worker.scratch[i]) }
              shares.base[worker.index * scalarCount + index] += sum
            }
          }
        }
        for index in 0..<scalarCount {
          guard let gradient = context.parameterGradient(index) else { continue }
          let total = (0..<context.pool.threads).reduce(0.0) { $0 + sums[$1 * scalarCount + index] }
          gradient[0] += Float(total)
        }
      }
    }
  }

  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    guard let text = formula.pytorch(scalars: formula.scalars) else { return nil }
    let arguments = (["x"] + formula.scalars).joined(separator: ", ")
    call.define("activation", "def activation(\(arguments)):\n    \"\"\"y = \(formula.text)\"\"\"\n    return \(text)")
    return .call("activation", [call.elements()] + formula.scalars.indices.map { call.parameter($0) })
  }

  func flops(step: Step, context: Int) -> Int { formula.stepCount * step.outputs[0].width }

  func scratch(step: Step, rows: Int, context: Int) -> Int { Self.run }

  /// Sums of the workers, side by side. Sendable although it holds a pointer: each worker writes its own.
  private struct Shares: @unchecked Sendable {
    let base: UnsafeMutableBufferPointer<Double>
  }
}
