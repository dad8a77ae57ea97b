import Components
import Synchronization

/// Gradient descent, each of whose ways to be wrong is a type of its own.
///
///     p ← p − rate·g
///
/// Source: made for a test.
protocol BrokenDescent: Optimizer {}

extension BrokenDescent {
  static var defaultLearningRate: Double { 0.1 }
  func moments(of tensor: PlannedTensor) -> [String] { [] }
  /// `rate·gradientScale·g` of every number, times `factor`.
  func descend(_ tensor: TensorUpdate, factor: (Int) -> Float = { _ in 1 }) {
    let step = Float(tensor.rate * tensor.gradientScale)
    for i in 0..<tensor.count { tensor.parameters[i] -= factor(i) * step * tensor.gradients[i] }
  }
}

/// The sign is wrong.
struct Uphill: BrokenDescent {
  static let name = "uphill"
  init(_ options: Options) {}
  func update(_ tensor: TensorUpdate) { descend(tensor) { _ in -1 } }
}

/// Nothing moves.
struct Standing: BrokenDescent {
  static let name = "standing"
  init(_ options: Options) {}
  func update(_ tensor: TensorUpdate) {}
}

/// Gradients that are to be cut are not.
struct Uncut: BrokenDescent {
  static let name = "uncut"
  init(_ options: Options) {}
  func update(_ tensor: TensorUpdate) {
    for i in 0..<tensor.count { tensor.parameters[i] -= Float(tensor.rate) * tensor.gradients[i] }
  }
}

/// It decays by a part that does not follow from the rate.
struct Restless: BrokenDescent {
  static let name = "restless"
  init(_ options: Options) {}
  func update(_ tensor: TensorUpdate) {
    for i in 0..<tensor.count { tensor.parameters[i] *= 0.999 }
    descend(tensor)
  }
}

/// Gradients are divided by their length, which may be none.
struct Unguarded: BrokenDescent {
  static let name = "unguarded"
  init(_ options: Options) {}
  func update(_ tensor: TensorUpdate) {
    let squares = (0..<tensor.count).reduce(Float(0)) { $0 + tensor.gradients[$1] * tensor.gradients[$1] }
    for i in 0..<tensor.count {
      tensor.parameters[i] -= Float(tensor.rate) * tensor.gradients[i] / squares.squareRoot()
    }
  }
}

/// The first number of each thread's piece moves half as far.
struct Divided: BrokenDescent {
  static let name = "divided"
  init(_ options: Options) {}
  func update(_ tensor: TensorUpdate) {
    let step = Float(tensor.rate * tensor.gradientScale)
    tensor.forEachPiece { start, count in
      for i in start..<start + count { tensor.parameters[i] -= (i == start ? 0.5 : 1) * step * tensor.gradients[i] }
    }
  }
}

/// An exact form that its own steps do not follow.
struct Rough: BrokenDescent, ExactOptimizer {
  static let name = "rough"
  init(_ options: Options) {}
  func update(_ tensor: TensorUpdate) { descend(tensor) }
  func exact(
    _ p: Double, gradient g: Double, moments: inout [Double], of tensor: PlannedTensor, step: Int, rate: Double
  ) -> Double { p - 1.001 * rate * g }
}

/// It counts its steps itself, and a checkpoint does not know.
final class Counting: BrokenDescent {
  static let name = "counting"
  private let steps = Atomic<Int>(0)
  init(_ options: Options) {}
  func update(_ tensor: TensorUpdate) {
    let step = steps.add(1, ordering: .relaxed).newValue
    descend(tensor) { _ in 1 / Float(step) }
  }
}

/// It declares twice what it keeps.
struct Hoarding: BrokenDescent {
  static let name = "hoarding"
  init(_ options: Options) {}
  func moments(of tensor: PlannedTensor) -> [String] { ["m", "v"] }
  func update(_ tensor: TensorUpdate) {
    for i in 0..<tensor.count {
      let gradient = Float(tensor.gradientScale) * tensor.gradients[i]
      tensor.moments[0][i] += 0.5 * (gradient - tensor.moments[0][i])
      tensor.parameters[i] -= Float(tensor.rate) * tensor.moments[0][i]
    }
  }
}

/// It takes tensors for one number longer than they are.
struct Overlong: BrokenDescent {
  static let name = "overlong"
  init(_ options: Options) {}
  func update(_ tensor: TensorUpdate) {
    descend(tensor)
    tensor.parameters[tensor.count] = 0
  }
}

/// 1 − 2t: below zero in the second half.
struct Negative: Schedule {
  static let name = "negative"
  let final = -1.0
  init(_ options: Options) {}
  func factor(at progress: Double) -> Double { 1 - 2 * progress }
}

/// 1 + t·(1 − t): above the peak.
struct Overshooting: Schedule {
  static let name = "overshooting"
  let final = 1.0
  init(_ options: Options) {}
  func factor(at progress: Double) -> Double { 1 + progress * (1 - progress) }
}

/// t: it rises to a peak that warm-up should have reached.
struct Upwards: Schedule {
  static let name = "upwards"
  let final = 1.0
  init(_ options: Options) {}
  func factor(at progress: Double) -> Double { progress }
}

/// It ends elsewhere than it says.
struct Elsewhere: Schedule {
  static let name = "elsewhere"
  let final = 0.1
  init(_ options: Options) {}
  func factor(at progress: Double) -> Double { 1 - progress }
}

/// It falls, and rises again, which it says that it does not.
struct Returning: Schedule {
  static let name = "returning"
  let final = 1.0
  let neverRises = true
  init(_ options: Options) {}
  func factor(at progress: Double) -> Double { abs(1 - 2 * progress) }
}

/// Nothing finite at the end.
struct Endless: Schedule {
  static let name = "endless"
  let final = 0.0
  init(_ options: Options) {}
  func factor(at progress: Double) -> Double { 1 / (1 - progress) }
}

/// A residual whose learned factor has a gradient of the wrong sign.
struct WrongFactor: Residual {
  static let name = "wrong_factor"
  init(_ options: Options) {}

  func join(
    _ stream: Value, _ result: Value, alpha: Double, beta: Double, named name: String, into plan: inout PlanBuilder
  ) -> Value {
    let factor = plan.parameter("\(name).scale", shape: [1], starts: .zeros)
    let scaled = plan.apply(Factor(), to: result, parameters: [factor])
    return plan.add(stream, scaled, alpha: alpha, beta: beta)
  }

  struct Factor: Kernel {
    let name = "wrong factor"
    func forward(_ context: ForwardContext) {
      let (x, y, s) = (context.input(), context.output(), context.parameter().vector[0])
      for row in 0..<x.count { for i in 0..<x.width { y[row][i] = s * x[row][i] } }
    }
    func backward(_ context: BackwardContext) {
      let (x, dy, s) = (context.input(), context.outputGradient(), context.parameter().vector[0])
      for row in 0..<dy.count {
        for i in 0..<dy.width {
          context.inputGradient()?[row][i] += s * dy[row][i]
          context.parameterGradient()?[0] -= dy[row][i] * x[row][i]
        }
      }
    }
    func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
  }
}

/// A residual that adds the next token's result too.
struct PeekingResidual: Residual {
  static let name = "peeking_residual"
  init(_ options: Options) {}

  func join(
    _ stream: Value, _ result: Value, alpha: Double, beta: Double, named name: String, into plan: inout PlanBuilder
  ) -> Value {
    let both = plan.apply(Peeking.Peek(), to: result)
    return plan.add(stream, both, alpha: alpha, beta: beta)
  }
}
