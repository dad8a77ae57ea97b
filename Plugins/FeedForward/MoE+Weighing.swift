import Components
import Kernels

extension MoE {
  /// The sum of what a row's experts give, each times its weight.
  ///
  ///     y[t] = Σ_j w[t, j]·z[t, j]        z: [rows, count·width], w: [rows, count]
  struct WeightedSum: Kernel {
    let count: Int
    /// Whether there are weights; else all are one.
    let weighted: Bool

    var name: String { weighted ? "weighted sum" : "sum" }

    var attributes: [Attribute] { [Attribute("top_k", count), Attribute("weighted", weighted, plain: weighted)] }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
      [inputs[0].with(width: inputs[0].width / count)]
    }

    func forward(_ context: ForwardContext) {
      let (z, y) = (context.input(0), context.output())
      let w = weighted ? context.input(1) : nil
      context.parallel(y.count, grain: elementwiseGrain(z.width)) { rows, _ in
        for row in rows {
          y[row].update(repeating: 0, count: y.width)
          for j in 0..<count {
            add(z[row] + j * y.width, scaledBy: w?[row][j] ?? 1, to: y[row], count: y.width)
          }
        }
      }
    }

    /// `dz_j += w_j·dy`, `dw_j += z_j·dy`.
    func backward(_ context: BackwardContext) {
      let (z, dy, dz) = (context.input(0), context.outputGradient(), context.inputGradient(0))
      let (w, dw) = weighted ? (context.input(1), context.inputGradient(1)) : (nil, nil)
      context.parallel(dy.count, grain: elementwiseGrain(z.width)) { rows, _ in
        for row in rows {
          for j in 0..<count {
            if let dz { add(dy[row], scaledBy: w?[row][j] ?? 1, to: dz[row] + j * dy.width, count: dy.width) }
            if let dw { dw[row][j] += dot(z[row] + j * dy.width, dy[row], count: dy.width) }
          }
        }
      }
    }

    func flops(step: Step, context: Int) -> Int { (weighted ? 2 : 1) * step.inputs[0].width }
  }

  /// What each of a row's experts reads, when weights multiply that instead of results.
  ///
  ///     y[t, j] = w[t, j]·x[t]
  struct OuterProduct: Kernel {
    let name = "outer product"

    var traits: OperatorTraits { OperatorTraits(isRowwise: true) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
      [inputs[0].with(width: inputs[0].width * inputs[1].width)]
    }

    func forward(_ context: ForwardContext) {
      let (x, w, y) = (context.input(0), context.input(1), context.output())
      context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
        for row in rows {
          for j in 0..<w.width {
            let (x, y, factor) = (x[row], y[row] + j * x.width, w[row][j])
            for i in 0..<context.input(0).width { y[i] = factor * x[i] }
          }
        }
      }
    }

    /// `dx += Σ w_j·dy_j`, `dw_j += x·dy_j`.
    func backward(_ context: BackwardContext) {
      let (x, w, dy) = (context.input(0), context.input(1), context.outputGradient())
      let (dx, dw) = (context.inputGradient(0), context.inputGradient(1))
      for row in 0..<x.count {
        for j in 0..<w.width {
          let own = dy[row] + j * x.width
          if let dx { add(own, scaledBy: w[row][j], to: dx[row], count: x.width) }
          if let dw { dw[row][j] += dot(x[row], own, count: x.width) }
        }
      }
    }

    func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
  }

  /// Rows times the sigmoid of a number of their own.
  ///
  ///     y[t] = σ(g[t])·x[t]        x: [rows, width], g: [rows, 1]
  struct SigmoidGate: Kernel {
    let name = "sigmoid gate"

    var traits: OperatorTraits { OperatorTraits(isRowwise: true, overwritableInput: 0) }

    func forward(_ context: ForwardContext) {
      let (x, g, y) = (context.input(0), context.input(1), context.output())
      context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
        for row in rows {
          let (x, y, factor) = (x[row], y[row], sigmoid(g[row][0]))
          for i in 0..<context.output().width { y[i] = factor * x[i] }
        }
      }
    }

    /// `dx += σ·dy`, `dg += σ·(1 − σ)·(x·dy)`.
    func backward(_ context: BackwardContext) {
      let (x, g, dy) = (context.input(0), context.input(1), context.outputGradient())
      let (dx, dg) = (context.inputGradient(0), context.inputGradient(1))
      for row in 0..<x.count {
        let factor = sigmoid(g[row][0])
        if let dx { add(dy[row], scaledBy: factor, to: dx[row], count: x.width) }
        if let dg { dg[row][0] += factor * (1 - factor) * dot(x[row], dy[row], count: x.width) }
      }
    }

    func flops(step: Step, context: Int) -> Int { step.outputs[0].width + 4 }

    private func sigmoid(_ x: Float) -> Float {
      var (x, y): (Float, Float) = (x, 0)
      sigmoids(of: &x, into: &y, count: 1)
      return y
    }
  }
}
