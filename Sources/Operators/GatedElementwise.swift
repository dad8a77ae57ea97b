import Kernels
import Plans

/// An activation of one value times another value, element by element: a gated feed-forward's inner step.
///
///     y = f(a) ⊙ b
struct GatedElementwise<Function: ElementwiseFunction>: Kernel {
  let function: Function
  let name: String

  var attributes: [Attribute] { function.attributes }
  var traits: OperatorTraits {
    OperatorTraits(
      isRowwise: true, isCheap: true, overwritableInput: 0, assignsGradients: true)
  }

  func forward(_ context: ForwardContext) {
    let (a, b, y) = (context.input(0), context.input(1), context.output())
    context.parallel(y.count * y.width, grain: 4096) { numbers, _ in
      for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: Elementwise<Function>.run) {
        let count = min(Elementwise<Function>.run, numbers.upperBound - start)
        function.apply(a.base + start, into: y.base + start, count: count)
        let (b, y) = (b.base + start, y.base + start)
        for i in 0..<count { y[i] *= b[i] }
      }
    }
  }

  /// `da += dy ⊙ b ⊙ f′(a)`, `db += dy ⊙ f(a)`.
  func backward(_ context: BackwardContext) {
    let (a, b, dy) = (context.input(0), context.input(1), context.outputGradient())
    let (da, db) = (context.inputGradient(0), context.inputGradient(1))
    let (addingA, addingB) = (context.addsToInputGradient(0), context.addsToInputGradient(1))
    context.parallel(dy.count * dy.width, grain: 4096) { numbers, worker in
      for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: Elementwise<Function>.run) {
        let count = min(Elementwise<Function>.run, numbers.upperBound - start)
        let (a, b, dy) = (a.base + start, b.base + start, dy.base + start)
        if let da {
          function.derivative(a, into: worker.scratch, count: count)
          multiply(worker.scratch, with: b, into: worker.scratch, count: count, accumulate: false)
          multiply(dy, with: worker.scratch, into: da.base + start, count: count, accumulate: addingA)
        }
        if let db {
          function.apply(a, into: worker.scratch, count: count)
          multiply(dy, with: worker.scratch, into: db.base + start, count: count, accumulate: addingB)
        }
      }
    }
  }

  func flops(step: Step, context: Int) -> Int { (function.flopsPerNumber + 1) * step.outputs[0].width }

  func scratch(step: Step, rows: Int, context: Int) -> Int { Elementwise<Function>.run }
}
