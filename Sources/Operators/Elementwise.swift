import Kernels
import Plans

/// A function of every element by itself, with its derivative, over a run of elements; the step, its threads and its gradient
/// follow.
public protocol ElementwiseFunction: Sendable {
  /// The word that stands for it in listings.
  static var name: String { get }
  /// What it is set to: everything that decides its values.
  var attributes: [Attribute] { get }
  /// Floating-point operations for each element, for the count.
  var flopsPerNumber: Int { get }
  /// `y = f(x)` for `count` elements; `x` and `y` may be the same.
  func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int)
  /// `slope = f′(x)` for `count` elements; `x` and `slope` are different.
  func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int)
  /// f(x) in `Double`, which the results of `apply` are compared with; nil where it is not said.
  func exact(_ x: Double) -> Double?
  /// f(x) in PyTorch; nil where it is not said.
  func pytorch(_ x: PyTorchExpression, _ call: inout PyTorchCall) -> PyTorchExpression?
}

extension ElementwiseFunction {
  public var attributes: [Attribute] { [] }
  public func exact(_ x: Double) -> Double? { nil }
  public func pytorch(_ x: PyTorchExpression, _ call: inout PyTorchCall) -> PyTorchExpression? { nil }
}

extension PlanBuilder {
  /// Writes `function` of every element of `x`.
  public mutating func elementwise<Function: ElementwiseFunction>(_ function: Function, of x: Value) -> Value {
    apply(Elementwise(function: function, name: Function.name), to: x)
  }
}

/// An activation of every element of a value.
struct Elementwise<Function: ElementwiseFunction>: ExactKernel {
  let function: Function
  let name: String

  func followed(by next: any Operator, readingAt index: Int) -> (any Operator)? {
    next is Multiply ? GatedElementwise(function: function, name: "\(name) gate") : nil
  }

  /// Elements at a time, so that the passes of one function stay in the nearest cache, and what it lends itself on the stack.
  static var run: Int { scratchOnStack }

  var attributes: [Attribute] { function.attributes }
  var traits: OperatorTraits {
    OperatorTraits(
      isRowwise: true, isCheap: true, overwritableInput: 0, assignsGradients: true, overwritableGradient: 0)
  }

  func forward(_ context: ForwardContext) {
    let x = context.input()
    let y = context.output()
    context.parallel(y.count * y.width, grain: 4096) { numbers, _ in
      for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: Self.run) {
        function.apply(x.base + start, into: y.base + start, count: min(Self.run, numbers.upperBound - start))
      }
    }
  }

  /// `dx += dy·f′(x)`.
  func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let x = context.input()
    let dy = context.outputGradient()
    let adding = context.addsToInputGradient()
    context.parallel(dy.count * dy.width, grain: 4096) { numbers, worker in
      for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: Self.run) {
        let count = min(Self.run, numbers.upperBound - start)
        function.derivative(x.base + start, into: worker.scratch, count: count)
        multiply(dy.base + start, with: worker.scratch, into: dx.base + start, count: count, accumulate: adding)
      }
    }
  }

  func flops(step: Step, context: Int) -> Int { function.flopsPerNumber * step.outputs[0].width }

  func scratch(step: Step, rows: Int, context: Int) -> Int { Self.run }

  func exact(_ inputs: [[Double]], parameters: [[Double]]) -> [[Double]]? {
    let y = inputs[0].compactMap(function.exact)
    return y.count == inputs[0].count ? [y] : nil
  }
}

/// How many elements `withScratch` lends on the stack, which costs nothing; more are allocated.
public let scratchOnStack = 256

/// Lends `count` elements of memory, on the stack up to `scratchOnStack`, to a function of more than one pass.
public func withScratch(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
  withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { buffer in
    if let base = buffer.baseAddress, count > 0 { body(base) }
  }
}
