import Components
import Essentials
import Kernels

/// A bias of scores that every key brings along, made of its values: what dynamic mask attention adds.
///
///     s(q, k) = scale·q·k + exp(rate_h·softplus(v·Wᵀ)_h)        W: [key heads, values], rate: [key heads]
///
/// Shi et al., 2025 (Doge), https://arxiv.org/abs/2508.02124. It is computed as one more element of each head: the key's bias, which
/// a constant of every query meets. The reference drops the keys with the least biases beyond a number of them; a context no longer
/// than that number has none to drop.
struct KeyBias {
  let bias: Bool

  init(_ options: Options) {
    bias = options.flag("bias", default: false, "whether its projection has a bias")
  }

  /// Queries and keys with one more element a head.
  func write(
    _ q: Value, _ k: Value, values: Value, heads: Int, keyHeads: Int, scale: Float, into plan: inout PlanBuilder
  ) -> (q: Value, k: Value) {
    let steps = plan.linear(values, to: keyHeads, named: "key_bias", bias: bias)
    let rate = plan.parameter("key_bias.rate", shape: [keyHeads], starts: .zeros)
    let biases = plan.apply(Grow(), to: steps, parameters: [rate])
    let keys = plan.apply(Append(heads: keyHeads, constant: nil), to: k, biases)
    let queries = plan.apply(Append(heads: heads, constant: 1 / scale), to: [q], parameters: [])[0]
    return (queries, keys)
  }

  /// One number for each head.
  ///
  ///     y = exp(rate[head]·softplus(x))
  struct Grow: Kernel {
    let name = "key bias"

    var traits: OperatorTraits { OperatorTraits(isRowwise: true, isCheap: true) }

    func forward(_ context: ForwardContext) {
      let (x, y, rate) = (context.input(), context.output(), context.parameter().vector)
      for row in 0..<x.count {
        for head in 0..<x.width { y[row][head] = exp(rate[head] * Softplus.value(x[row][head])) }
      }
    }

    /// With y computed again: `dx += dy·y·rate·σ(x)`, `drate += Σ dy·y·softplus(x)`.
    func backward(_ context: BackwardContext) {
      let (x, dy, rate) = (context.input(), context.outputGradient(), context.parameter().vector)
      let (dx, drate) = (context.inputGradient(), context.parameterGradient())
      for row in 0..<x.count {
        for head in 0..<x.width {
          let step = Softplus.value(x[row][head])
          let slope = dy[row][head] * exp(rate[head] * step)
          if let dx { dx[row][head] += slope * rate[head] / (1 + exp(-x[row][head])) }
          drate?[head] += slope * step
        }
      }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      .call("torch.exp", [call.parameter() * .call("F.softplus", [call.input()])])
    }

    func flops(step: Step, context: Int) -> Int { 12 * step.outputs[0].width }
  }

  /// One more element at the end of each head: a constant, or the second input's number for the head.
  ///
  ///     y[head h] = (x[head h], b[h])
  struct Append: Kernel {
    let name = "append to heads"
    let heads: Int
    let constant: Float?

    var attributes: [Attribute] { [Attribute("heads", heads), Attribute("constant", constant)] }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true, backwardReadsInputs: .none) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
      [inputs[0].with(width: inputs[0].width + heads)]
    }

    func forward(_ context: ForwardContext) {
      let (x, y, n) = (context.input(), context.output(), context.input().width / heads)
      let b = constant == nil ? context.input(1) : nil
      context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
        for row in rows {
          for head in 0..<heads {
            let to = y[row] + head * (n + 1)
            to.update(from: x[row] + head * n, count: n)
            to[n] = constant ?? b?[row][head] ?? 0
          }
        }
      }
    }

    /// `dx += dy` but its last elements, which are `db`.
    func backward(_ context: BackwardContext) {
      let (dy, dx) = (context.outputGradient(), context.inputGradient())
      let db = constant == nil ? context.inputGradient(1) : nil
      let n = dy.width / heads - 1
      context.parallel(dy.count, grain: elementwiseGrain(dy.width)) { rows, _ in
        for row in rows {
          for head in 0..<heads {
            let from = dy[row] + head * (n + 1)
            if let dx { add(from, scaledBy: 1, to: dx[row] + head * n, count: n) }
            if let db { db[row][head] += from[n] }
          }
        }
      }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      let x = call.heads(heads)
      call.output(is: .heads(heads))
      guard let constant else {
        call.define(
          "append_to_heads",
          """
          def append_to_heads(x, b):
              \"""One more element at the end of each head: its number of b.\"""
              return torch.cat([x, b.unsqueeze(-1)], dim=-1)
          """)
        return .call("append_to_heads", [x, call.input(1)])
      }
      return .call("F.pad", [x, "(0, 1)"], named: [("value", PyTorchExpression(constant))])
    }

    func flops(step: Step, context: Int) -> Int { 0 }
  }
}
