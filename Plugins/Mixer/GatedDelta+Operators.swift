import Components
import Essentials
import Kernels

extension GatedDelta {
  /// Heads of one length.
  ///
  ///     y = scale·x / √(Σ x² + eps), each head by itself
  ///
  /// `eps` is that of the reference, under the root.
  struct UnitHeads: Kernel {
    let name = "unit heads"
    let heads: Int
    let scale: Float
    let eps: Float = 1e-6

    var attributes: [Attribute] {
      [Attribute("heads", heads), Attribute("scale", scale, plain: Float(1)), Attribute("eps", eps)]
    }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true, isCheap: true, assignsGradients: true) }

    func forward(_ context: ForwardContext) {
      let (x, y, n) = (context.input(), context.output(), context.input().width / heads)
      context.parallel(x.count, grain: elementwiseGrain(2 * x.width)) { rows, _ in
        for row in rows {
          for head in 0..<heads {
            let own = x[row] + head * n
            let r = scale / (sumOfSquares(own, count: n) + eps).squareRoot()
            multiply(own, by: r, into: y[row] + head * n, count: n, accumulate: false)
          }
        }
      }
    }

    /// With r = 1 / √(Σ x² + eps): `dx += scale·r·(dy − r²·x·(x·dy))`.
    func backward(_ context: BackwardContext) {
      guard let dx = context.inputGradient() else { return }
      let (x, dy, adding) = (context.input(), context.outputGradient(), context.addsToInputGradient())
      let n = x.width / heads
      context.parallel(x.count, grain: elementwiseGrain(4 * x.width)) { rows, _ in
        for row in rows {
          for head in 0..<heads {
            let (own, slope, to) = (x[row] + head * n, dy[row] + head * n, dx[row] + head * n)
            let r = 1 / (sumOfSquares(own, count: n) + eps).squareRoot()
            multiply(slope, by: scale * r, into: to, count: n, accumulate: adding)
            add(own, scaledBy: -scale * r * r * r * dot(own, slope, count: n), to: to, count: n)
          }
        }
      }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      call.define(
        "unit_heads",
        """
        def unit_heads(x, scale=1.0):
            \"""Heads of one length: scale·x / √(Σ x² + eps).\"""
            return x * (scale * torch.rsqrt((x * x).sum(-1, keepdim=True) + \(PyTorchExpression(eps).text)))
        """)
      let x = call.heads(heads)
      call.output(is: .heads(heads))
      return .call("unit_heads", scale == 1 ? [x] : [x, PyTorchExpression(scale)])
    }

    func flops(step: Step, context: Int) -> Int { 3 * step.outputs[0].width }
  }

  /// The logarithms of decays, of a head or of each of its numbers.
  ///
  ///     g = −exp(a[head])·softplus(x);  with a bound, g = bound·σ(exp(a[head])·x)        a: [heads]
  struct Decay: Kernel {
    let name = "decay"
    let heads: Int
    let bound: Float?

    var attributes: [Attribute] { [Attribute("heads", heads), Attribute("bound", bound)] }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true, isCheap: true, assignsGradients: true) }

    func forward(_ context: ForwardContext) {
      let (x, g, a) = (context.input(), context.output(), context.parameter().vector)
      let n = x.width / heads
      context.parallel(x.count, grain: elementwiseGrain(16 * x.width)) { rows, _ in
        for row in rows {
          for head in 0..<heads {
            let rate = exp(a[head])
            for i in head * n..<(head + 1) * n {
              g[row][i] = bound.map { $0 / (1 + exp(-rate * x[row][i])) } ?? -rate * Softplus.value(x[row][i])
            }
          }
        }
      }
    }

    /// `dx −= exp(a)·σ(x)·dg`, `da += Σ dg·g`; with a bound and s = σ(exp(a)·x): `dx += bound·exp(a)·s·(1 − s)·dg`, `da += Σ dx·x`.
    func backward(_ context: BackwardContext) {
      let (x, dg, a) = (context.input(), context.outputGradient(), context.parameter().vector)
      let (dx, da) = (context.inputGradient(), context.parameterGradient())
      let (adding, addingParameter) = (dx != nil && context.addsToInputGradient(), context.addsToParameterGradient())
      let n = x.width / heads
      context.parallel(heads, grain: max(1, elementwiseGrain(16 * n * x.count))) { own, _ in
        for head in own {
          let rate = exp(a[head])
          var sum = 0.0
          for row in 0..<x.count {
            for i in head * n..<(head + 1) * n {
              let value = x[row][i]
              let slope: Float
              if let bound {
                let s = 1 / (1 + exp(-rate * value))
                slope = bound * rate * s * (1 - s) * dg[row][i]
                sum += Double(slope * value)
              } else {
                slope = -rate * dg[row][i] / (1 + exp(-value))
                sum -= Double(dg[row][i] * rate * Softplus.value(value))
              }
              if let dx { dx[row][i] = (adding ? dx[row][i] : 0) + slope }
            }
          }
          if let da { da[head] = (addingParameter ? da[head] : 0) + Float(sum) }
        }
      }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      let value = bound.map { "\(PyTorchExpression($0).text) * torch.sigmoid(a * x)" } ?? "-a * F.softplus(x)"
      call.define(
        "log_decay",
        """
        def log_decay(x, a_log):
            \"""The logarithms of decays, a one number for each head.\"""
            a = torch.exp(a_log).repeat_interleave(x.size(-1) // a_log.size(0))
            return \(value)
        """)
      call.names("g")
      return .call("log_decay", [call.input(), call.parameter()])
    }

    func flops(step: Step, context: Int) -> Int { 12 * step.outputs[0].width }
  }
}
