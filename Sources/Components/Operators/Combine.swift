import Kernels

/// The sum of two values, each times a constant: how a sublayer joins the residual line.
///
///     y = α·a + β·b
public struct Combine: Operator {
  public let name = "add"
  public let overwritableInput: Int? = 0
  public let isRowwise = true
  public let backwardReadsInputs = false
  /// The factor of the first value.
  public let alpha: Float
  /// The factor of the second value.
  public let beta: Float

  /// The sum with these factors.
  public init(alpha: Float = 1, beta: Float = 1) {
    self.alpha = alpha
    self.beta = beta
  }

  public var detail: String { alpha == 1 && beta == 1 ? "" : "\(alpha)·a + \(beta)·b" }

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

  /// `da += α·dy`, `db += β·dy`.
  public func backward(_ context: BackwardContext) {
    let dy = context.outputGradient()
    if let da = context.inputGradient(0) {
      add(dy.base, scaledBy: alpha, to: da.base, count: dy.count * dy.width)
    }
    if let db = context.inputGradient(1) {
      add(dy.base, scaledBy: beta, to: db.base, count: dy.count * dy.width)
    }
  }

  public func flops(step: Step, context: Int) -> Int {
    step.outputs[0].width * (1 + (alpha == 1 ? 0 : 1) + (beta == 1 ? 0 : 1))
  }
}

/// How many rows of `width` numbers are worth waking a worker for.
public func elementwiseGrain(_ width: Int) -> Int { max(1, 32768 / max(1, width)) }

extension PlanBuilder {
  /// Writes `alpha·a + beta·b`.
  public mutating func add(_ a: Value, _ b: Value, alpha: Double = 1, beta: Double = 1) -> Value {
    apply(Combine(alpha: Float(alpha), beta: Float(beta)), to: a, b, width: a.width)
  }
}
