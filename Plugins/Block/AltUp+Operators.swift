import Components
import Kernels

/// Every stream and a sum of all of them, by weights of the row.
///
///     y_i = x_i + Σ_j w_ij·x_j        w: [streams, streams], the first input's row
struct BlendStreams: Kernel {
  let name = "blend streams"
  let streams: Int

  var attributes: [Attribute] { [Attribute("streams", streams)] }
  var traits: OperatorTraits { OperatorTraits(isRowwise: true) }
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] { Array(inputs.dropFirst()) }

  func forward(_ context: ForwardContext) {
    let (w, width) = (context.input(), context.output().width)
    context.parallel(w.count, grain: elementwiseGrain(streams * streams * width)) { rows, _ in
      for i in 0..<streams {
        let (x, y) = (context.input(i + 1), context.output(i))
        for row in rows { y[row].update(from: x[row], count: width) }
        for j in 0..<streams {
          let other = context.input(j + 1)
          for row in rows { add(other[row], scaledBy: w[row][i * streams + j], to: y[row], count: width) }
        }
      }
    }
  }

  /// `dx_j += dy_j + Σ_i w_ij·dy_i`, `dw_ij += dy_i·x_j`.
  func backward(_ context: BackwardContext) {
    let (w, dw, width) = (context.input(), context.inputGradient(), context.outputGradient().width)
    context.parallel(w.count, grain: elementwiseGrain(2 * streams * streams * width)) { rows, _ in
      for j in 0..<streams {
        let (x, dx) = (context.input(j + 1), context.inputGradient(j + 1))
        for i in 0..<streams {
          let (dy, place) = (context.outputGradient(i), i * streams + j)
          for row in rows {
            if let dx { add(dy[row], scaledBy: w[row][place] + (i == j ? 1 : 0), to: dx[row], count: width) }
            dw?[row][place] += dot(dy[row], x[row], count: width)
          }
        }
      }
    }
  }

  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.define(
      "blended",
      """
      def blended(weights, *streams):
          \"""y_i = x_i + Σ_j w_ij·x_j of streams x. weights: [batch, tokens, streams²].\"""
          x = torch.stack(streams, dim=-2)
          y = x + weights.unflatten(-1, (len(streams), -1)) @ x
          return y.unbind(-2)
      """)
    return .call("blended", (0...streams).map { call.input($0) })
  }

  func flops(step: Step, context: Int) -> Int { 2 * streams * streams * step.outputs[0].width }
}

/// Every stream and a change that all have in common, by gains of the row.
///
///     y_i = x_i + (1 + g_i)·c        g: [streams], c: the second input
struct CorrectStreams: Kernel {
  let name = "correct streams"
  let streams: Int

  var attributes: [Attribute] { [Attribute("streams", streams)] }
  var traits: OperatorTraits { OperatorTraits(isRowwise: true, backwardReadsInputs: .only([0, 1])) }
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] { Array(inputs.dropFirst(2)) }

  func forward(_ context: ForwardContext) {
    let (g, change) = (context.input(0), context.input(1))
    context.parallel(g.count, grain: elementwiseGrain(streams * change.width)) { rows, _ in
      for i in 0..<streams {
        let (x, y) = (context.input(i + 2), context.output(i))
        for row in rows {
          y[row].update(from: x[row], count: x.width)
          add(change[row], scaledBy: 1 + g[row][i], to: y[row], count: change.width)
        }
      }
    }
  }

  /// `dx_i += dy_i`, `dc += Σ_i (1 + g_i)·dy_i`, `dg_i += dy_i·c`.
  func backward(_ context: BackwardContext) {
    let (g, change) = (context.input(0), context.input(1))
    let (dg, dchange) = (context.inputGradient(0), context.inputGradient(1))
    context.parallel(g.count, grain: elementwiseGrain(3 * streams * change.width)) { rows, _ in
      for i in 0..<streams {
        let (dx, dy) = (context.inputGradient(i + 2), context.outputGradient(i))
        for row in rows {
          if let dx { add(dy[row], scaledBy: 1, to: dx[row], count: dx.width) }
          if let dchange { add(dy[row], scaledBy: 1 + g[row][i], to: dchange[row], count: change.width) }
          dg?[row][i] += dot(dy[row], change[row], count: change.width)
        }
      }
    }
  }

  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.define(
      "corrected",
      """
      def corrected(gains, change, *streams):
          \"""y_i = x_i + (1 + g_i)·change of streams x. gains: [batch, tokens, streams].\"""
          return tuple(x + (1 + gains[..., i : i + 1]) * change for i, x in enumerate(streams))
      """)
    return .call("corrected", (0..<streams + 2).map { call.input($0) })
  }

  func flops(step: Step, context: Int) -> Int { 2 * streams * step.outputs[0].width }
}

/// A vector made as long as another is.
///
///     y = a·t / r,   t = √mean(b²),   r = √max(mean(a²), least)
struct MatchMagnitude: Kernel {
  let name = "match magnitude"
  /// No vector counts as shorter than one of this mean square: Gemma 3n's.
  let least: Float = 1e-5

  var attributes: [Attribute] { [Attribute("least", least)] }
  var traits: OperatorTraits { OperatorTraits(isRowwise: true) }

  private func magnitudes(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> (
    t: Float, r: Float, isFree: Bool
  ) {
    let square = sumOfSquares(a, count: count) / Float(count)
    return (
      (sumOfSquares(b, count: count) / Float(count)).squareRoot(), max(square, least).squareRoot(), square >= least
    )
  }

  func forward(_ context: ForwardContext) {
    let (a, b, y) = (context.input(0), context.input(1), context.output())
    context.parallel(y.count, grain: elementwiseGrain(3 * y.width)) { rows, _ in
      for row in rows {
        let size = magnitudes(a[row], b[row], y.width)
        multiply(a[row], by: size.t / size.r, into: y[row], count: y.width, accumulate: false)
      }
    }
  }

  /// With s = dy·a and n the width: `da += dy·t/r − a·s·t/(n·r³)`, the latter where r is not the least; `db += b·s/(n·r·t)`.
  func backward(_ context: BackwardContext) {
    let (a, b, dy) = (context.input(0), context.input(1), context.outputGradient())
    let (da, db) = (context.inputGradient(0), context.inputGradient(1))
    let (n, count) = (Float(dy.width), dy.width)
    context.parallel(dy.count, grain: elementwiseGrain(6 * count)) { rows, _ in
      for row in rows {
        let (t, r, isFree) = magnitudes(a[row], b[row], count)
        let s = dot(dy[row], a[row], count: count)
        if let da {
          add(dy[row], scaledBy: t / r, to: da[row], count: count)
          if isFree { add(a[row], scaledBy: -s * t / (n * r * r * r), to: da[row], count: count) }
        }
        if let db, t > 0 { add(b[row], scaledBy: s / (n * r * t), to: db[row], count: count) }
      }
    }
  }

  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.define(
      "as_long_as",
      """
      def as_long_as(a, b):
          \"""a, as long as b is.\"""
          length = a.square().mean(-1, keepdim=True).clamp(min=\(PyTorchExpression(least).text)).sqrt()
          return a * b.square().mean(-1, keepdim=True).sqrt() / length
      """)
    return .call("as_long_as", [call.input(0), call.input(1)])
  }

  func flops(step: Step, context: Int) -> Int { 5 * step.outputs[0].width }
}
