import Components
import Essentials
import Kernels

extension Mamba2 {
  /// A head's step size Δ, and the logarithm of its decay over that step.
  ///
  ///     Δ = min(max(softplus(dt), least), most);   g = −exp(a)·Δ        a: [heads]
  struct DeltaAndDecay: Kernel {
    let name = "delta and decay"
    let limits: ClosedRange<Float>

    var attributes: [Attribute] {
      [
        Attribute("min_step", limits.lowerBound, plain: Float(0)),
        Attribute("max_step", limits.upperBound, plain: Float.infinity),
      ]
    }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true, isCheap: true, assignsGradients: true) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
      [inputs[0], inputs[0]]
    }

    func forward(_ context: ForwardContext) {
      let (dt, steps, g, a) = (context.input(), context.output(0), context.output(1), context.parameter().vector)
      context.parallel(dt.count, grain: elementwiseGrain(16 * dt.width)) { rows, _ in
        for row in rows {
          for head in 0..<dt.width {
            let step = min(max(Softplus.value(dt[row][head]), limits.lowerBound), limits.upperBound)
            steps[row][head] = step
            g[row][head] = -exp(a[head]) * step
          }
        }
      }
    }

    /// With e = dΔ − exp(a)·dg: `d(dt) += e·σ(dt)` within the limits, `da += Σ dg·g`.
    func backward(_ context: BackwardContext) {
      let (dt, a) = (context.input(), context.parameter().vector)
      let (dsteps, dg) = (context.outputGradient(0), context.outputGradient(1))
      let (ddt, da) = (context.inputGradient(), context.parameterGradient())
      let adding = ddt != nil && context.addsToInputGradient()
      if let da, !context.addsToParameterGradient() { da.update(repeating: 0, count: dt.width) }
      // A worker owns heads, so that the order of a sum does not depend on their number.
      context.parallel(dt.width, grain: max(1, elementwiseGrain(16 * dt.count))) { own, _ in
        for head in own {
          let rate = exp(a[head])
          var sum = 0.0
          for row in 0..<dt.count {
            let x = dt[row][head]
            let step = Softplus.value(x)
            let limited = min(max(step, limits.lowerBound), limits.upperBound)
            sum -= Double(dg[row][head] * rate * limited)
            guard let ddt else { continue }
            let slope = limited == step ? (dsteps[row][head] - rate * dg[row][head]) / (1 + exp(-x)) : 0
            ddt[row][head] = (adding ? ddt[row][head] : 0) + slope
          }
          da?[head] += Float(sum)
        }
      }
    }

    func flops(step: Step, context: Int) -> Int { 12 * step.inputs[0].width }
  }

  /// A head's output, and past its state the head's own input times a learned factor (the paper's D skip connection).
  ///
  ///     y[head h] = a[head h] + d[h]·x[head h]
  struct AddScaledHeads: Kernel {
    let name = "add scaled heads"
    let heads: Int

    var attributes: [Attribute] { [Attribute("heads", heads)] }
    var traits: OperatorTraits {
      OperatorTraits(
        isRowwise: true, overwritableInput: 0, backwardReadsInputs: .only([1]), assignsGradients: true,
        overwritableGradient: 0)
    }

    func forward(_ context: ForwardContext) {
      let (a, x, y, d) = (context.input(0), context.input(1), context.output(), context.parameter().vector)
      let width = x.width / heads
      context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
        for row in rows {
          if a.base != y.base { y[row].update(from: a[row], count: y.width) }
          for head in 0..<heads {
            add(x[row] + head * width, scaledBy: d[head], to: y[row] + head * width, count: width)
          }
        }
      }
    }

    /// `dx += d·dy`, `dd[h] += Σ dy ⊙ x` over head h, `da += dy`; a last, for da may lie where dy does.
    func backward(_ context: BackwardContext) {
      let (x, dy, d) = (context.input(1), context.outputGradient(), context.parameter().vector)
      let (dx, dd) = (context.inputGradient(1), context.parameterGradient())
      let adding = dx != nil && context.addsToInputGradient(1)
      if let dd, !context.addsToParameterGradient() { dd.update(repeating: 0, count: heads) }
      let width = x.width / heads
      context.parallel(heads, grain: max(1, elementwiseGrain(2 * width * x.count))) { own, _ in
        for head in own {
          let at = head * width
          var sum: Float = 0
          for row in 0..<x.count {
            sum += dot(dy[row] + at, x[row] + at, count: width)
            if let dx { multiply(dy[row] + at, by: d[head], into: dx[row] + at, count: width, accumulate: adding) }
          }
          dd?[head] += sum
        }
      }
      context.passGradient(to: 0)
    }

    func flops(step: Step, context: Int) -> Int { 2 * step.outputs[0].width }
  }

  /// Parts of a row, each times a factor of its own.
  ///
  ///     y[part i] = f_i·x[part i]
  struct ScaleParts: Kernel {
    let name = "scale parts"
    let widths: [Int]
    let factors: [Float]

    var attributes: [Attribute] { [Attribute("widths", widths), Attribute("factors", factors)] }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true, isCheap: true, backwardReadsInputs: .none) }

    func forward(_ context: ForwardContext) {
      let (x, y) = (context.input(), context.output())
      for row in 0..<x.count {
        var at = 0
        for part in widths.indices {
          multiply(x[row] + at, by: factors[part], into: y[row] + at, count: widths[part], accumulate: false)
          at += widths[part]
        }
      }
    }

    /// `dx[part i] += f_i·dy[part i]`.
    func backward(_ context: BackwardContext) {
      guard let dx = context.inputGradient() else { return }
      let dy = context.outputGradient()
      for row in 0..<dy.count {
        var at = 0
        for part in widths.indices {
          multiply(dy[row] + at, by: factors[part], into: dx[row] + at, count: widths[part], accumulate: true)
          at += widths[part]
        }
      }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      call.define(
        "scale_parts",
        """
        def scale_parts(x, widths, factors):
            \"""Parts of a row, each times a factor of its own.\"""
            return torch.cat([f * part for f, part in zip(factors, x.split(widths, dim=-1))], dim=-1)
        """)
      let list = { (items: [String]) in PyTorchExpression("[" + items.joined(separator: ", ") + "]") }
      return .call(
        "scale_parts",
        [call.input(), list(widths.map(String.init)), list(factors.map { PyTorchExpression($0).text })])
    }

    func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
  }
}
