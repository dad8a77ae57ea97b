import Kernels
import Plans

/// The sum of two values, each times a constant: how a sublayer joins the residual stream.
///
///     y = α·a + β·b
public struct Add: Kernel {
  public let name = "add"
  /// The factor of the first value.
  public let alpha: Float
  /// The factor of the second value.
  public let beta: Float

  /// The sum with these factors.
  public init(alpha: Float = 1, beta: Float = 1) {
    self.alpha = alpha
    self.beta = beta
  }

  public var attributes: [Attribute] {
    [
      Attribute("alpha", alpha, plain: Float(1)),
      Attribute("beta", beta, plain: Float(1)),
    ]
  }
  public var traits: OperatorTraits { .linearInPlace }

  public func forward(_ context: ForwardContext) {
    let a = context.input(0)
    let b = context.input(1)
    let y = context.output()
    let (alpha, beta) = (alpha, beta)
    context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
      let start = rows.lowerBound * y.width
      let (a, b, y) = (a.base + start, b.base + start, y.base + start)
      for i in 0..<rows.count * context.output().width { y[i] = alpha * a[i] + beta * b[i] }
    }
  }

  /// `da += α·dy`, `db += β·dy`; b first, for da may lie where dy does.
  public func backward(_ context: BackwardContext) {
    for (index, factor) in [(1, beta), (0, alpha)] { context.passGradient(to: index, times: factor) }
  }

  public func flops(step: Step, context: Int) -> Int {
    step.outputs[0].width * (1 + (alpha == 1 ? 0 : 1) + (beta == 1 ? 0 : 1))
  }
}

/// How many rows of `width` numbers are worth waking a worker for.
public func elementwiseGrain(_ width: Int) -> Int { max(1, 32768 / max(1, width)) }

extension OperatorTraits {
  /// Those of an operator that is linear in each element by itself, and whose backward reads no value.
  static let linearInPlace = OperatorTraits(
    isRowwise: true, overwritableInput: 0, backwardReadsInputs: .none, assignsGradients: true, overwritableGradient: 0)
}

extension ForwardContext {
  /// Calls `body` with runs of elements of the first input and where those of the first output go, divided over the workers.
  func forEachRun(_ body: (_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int) -> Void) {
    let (x, y) = (input(), output())
    parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
      let start = rows.lowerBound * y.width
      body(x.base + start, y.base + start, rows.count * y.width)
    }
  }
}

extension BackwardContext {
  /// `dx += factor·dy` for the input `index` and the first output, whose shapes are the same; nothing to do where the two
  /// gradients share their memory and the factor is 1.
  public func passGradient(to index: Int, times factor: Float = 1) {
    guard let dx = inputGradient(index) else { return }
    let dy = outputGradient()
    let adding = addsToInputGradient(index)
    if dx.base == dy.base, factor == 1, !adding { return }
    parallel(dy.count, grain: elementwiseGrain(dy.width)) { rows, _ in
      let start = rows.lowerBound * dy.width
      multiply(dy.base + start, by: factor, into: dx.base + start, count: rows.count * dy.width, accumulate: adding)
    }
  }
}

extension PlanBuilder {
  /// Writes `alpha·a + beta·b`.
  public mutating func add(_ a: Value, _ b: Value, alpha: Double = 1, beta: Double = 1) -> Value {
    apply(Add(alpha: Float(alpha), beta: Float(beta)), to: a, b, role: .sum)
  }
}
