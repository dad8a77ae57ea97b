import Components
import Essentials
import Kernels

extension DifferentialAttention {
  /// Each head beside the one half of the heads further on, for as many heads as there were.
  ///
  ///     y[head j] = (x[head j mod n/2], x[head j mod n/2 + n/2])
  struct PairHeads: Kernel {
    let name = "pair heads"
    let heads: Int

    var attributes: [Attribute] { [Attribute("heads", heads)] }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true, backwardReadsInputs: .none) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
      [inputs[0].with(width: 2 * inputs[0].width)]
    }

    func forward(_ context: ForwardContext) {
      let (x, y) = (context.input(), context.output())
      let (n, half) = (x.width / heads, heads / 2)
      context.parallel(x.count, grain: elementwiseGrain(y.width)) { rows, _ in
        for row in rows {
          for part in 0..<2 * heads {
            let source = part / 2 % half + part % 2 * half
            (y[row] + part * n).update(from: x[row] + source * n, count: n)
          }
        }
      }
    }

    /// `dx[source] += dy[part]`, of the two parts that each head became.
    func backward(_ context: BackwardContext) {
      guard let dx = context.inputGradient() else { return }
      let dy = context.outputGradient()
      let (n, half) = (dx.width / heads, heads / 2)
      context.parallel(dy.count, grain: elementwiseGrain(dy.width)) { rows, _ in
        for row in rows {
          for part in 0..<2 * heads {
            add(dy[row] + part * n, scaledBy: 1, to: dx[row] + (part / 2 % half + part % 2 * half) * n, count: n)
          }
        }
      }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      call.define(
        "pair_heads",
        """
        def pair_heads(x):
            \"""Each head beside the one half of the heads further on: [batch, tokens, heads, 2·width].\"""
            first, second = x.chunk(2, dim=-2)
            return torch.cat([first, second], dim=-1).repeat(1, 1, 2, 1)
        """)
      call.output(is: .heads(heads))
      return .call("pair_heads", [call.heads(heads)])
    }

    func flops(step: Step, context: Int) -> Int { 0 }
  }

  /// The first half of the heads, less a learned part of the second.
  ///
  ///     y[head h] = x[head h] − λ·x[head h + n/2];   λ = exp(q1·k1) − exp(q2·k2) + start
  struct SubtractHeads: Kernel {
    let name = "subtract heads"
    let heads: Int
    let start: Float

    var attributes: [Attribute] { [Attribute("heads", heads), Attribute("start", start)] }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
      [inputs[0].with(width: inputs[0].width / 2)]
    }

    /// The two powers, and λ.
    private func factor(_ width: Int, _ vector: (Int) -> UnsafePointer<Float>) -> (
      first: Float, second: Float, whole: Float
    ) {
      let first = exp(dot(vector(0), vector(1), count: width))
      let second = exp(dot(vector(2), vector(3), count: width))
      return (first, second, first - second + start)
    }

    func forward(_ context: ForwardContext) {
      let (x, y) = (context.input(), context.output())
      // Heads hold two values side by side.
      let lambda = factor(x.width / heads / 2) { context.parameter($0).vector }.whole
      context.parallel(y.count, grain: elementwiseGrain(2 * y.width)) { rows, _ in
        for row in rows {
          y[row].update(from: x[row], count: y.width)
          add(x[row] + y.width, scaledBy: -lambda, to: y[row], count: y.width)
        }
      }
    }

    /// `dx[h] += dy`, `dx[h + n/2] −= λ·dy`; with s = −Σ dy ⊙ x[h + n/2]: `dq1 += s·exp(q1·k1)·k1`, `dq2 −= s·exp(q2·k2)·k2`,
    /// and k1, k2 likewise.
    func backward(_ context: BackwardContext) {
      let (x, dy) = (context.input(), context.outputGradient())
      let width = x.width / heads / 2
      let (first, second, lambda) = factor(width) { context.parameter($0).vector }
      var slope = 0.0
      for row in 0..<dy.count { slope -= Double(dot(dy[row], x[row] + dy.width, count: dy.width)) }
      if let dx = context.inputGradient() {
        context.parallel(dy.count, grain: elementwiseGrain(2 * dy.width)) { rows, _ in
          for row in rows {
            add(dy[row], scaledBy: 1, to: dx[row], count: dy.width)
            add(dy[row], scaledBy: -lambda, to: dx[row] + dy.width, count: dy.width)
          }
        }
      }
      for index in 0..<4 {
        guard let gradient = context.parameterGradient(index) else { continue }
        let power = index < 2 ? first : -second
        add(context.parameter(index ^ 1).vector, scaledBy: Float(slope) * power, to: gradient, count: width)
      }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      call.define(
        "subtract_heads",
        """
        def subtract_heads(x, q1, k1, q2, k2, start):
            \"""The first half of the heads, less λ times the second; λ = exp(q1·k1) − exp(q2·k2) + start.\"""
            first, second = x.chunk(2, dim=-2)
            return first - (torch.exp(q1 @ k1) - torch.exp(q2 @ k2) + start) * second
        """)
      let x = call.heads(heads)
      call.output(is: .heads(heads / 2))
      return .call("subtract_heads", [x] + (0..<4).map { call.parameter($0) } + [PyTorchExpression(start)])
    }

    func flops(step: Step, context: Int) -> Int { 2 * step.outputs[0].width }
  }
}
