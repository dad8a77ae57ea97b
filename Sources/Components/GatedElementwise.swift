import Kernels

/// An activation of one value times another value, number by number: a gated feed-forward's inner step.
///
///     y = f(a) ⊙ b
struct GatedElementwise<Function: ElementwiseActivation>: Operator {
  let function: Function
  let name: String

  var overwritableInput: Int? { 0 }
  var isRowwise: Bool { true }

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
    context.parallel(dy.count * dy.width, grain: 4096) { numbers, worker in
      for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: Elementwise<Function>.run) {
        let count = min(Elementwise<Function>.run, numbers.upperBound - start)
        if let da {
          function.derivative(a.base + start, into: worker.scratch, count: count)
          for i in 0..<count { da.base[start + i] += dy.base[start + i] * b.base[start + i] * worker.scratch[i] }
        }
        if let db {
          function.apply(a.base + start, into: worker.scratch, count: count)
          for i in 0..<count { db.base[start + i] += dy.base[start + i] * worker.scratch[i] }
        }
      }
    }
  }

  func flops(step: Step, context: Int) -> Int { (function.flopsPerNumber + 1) * step.outputs[0].width }

  func scratch(step: Step, rows: Int, context: Int) -> Int { Elementwise<Function>.run }
}
