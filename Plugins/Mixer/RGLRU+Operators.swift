import Components
import Essentials
import Kernels

extension RGLRU {
  /// A matrix for each block of channels, which sees no other block.
  ///
  ///     y[block b] = x[block b]·W[b] + bias[b]        W: [blocks, in, out]
  struct BlockLinear: Kernel {
    let name = "block linear"
    let blocks: Int

    var attributes: [Attribute] { [Attribute("blocks", blocks)] }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true) }

    func forward(_ context: ForwardContext) {
      let (x, y, w, b) = (
        context.input(), context.output(), context.parameter(0).vector, context.parameter(1).vector
      )
      let n = x.width / blocks
      context.parallel(x.count, grain: elementwiseGrain(n * x.width)) { rows, _ in
        for row in rows {
          y[row].update(from: b, count: x.width)
          for block in 0..<blocks {
            for i in 0..<n {
              add(w + (block * n + i) * n, scaledBy: x[row][block * n + i], to: y[row] + block * n, count: n)
            }
          }
        }
      }
    }

    /// `dx_i += W_i·dy`, `dW_i += Σ x_i·dy`, `db += Σ dy`.
    func backward(_ context: BackwardContext) {
      let (x, dy, w) = (context.input(), context.outputGradient(), context.parameter(0).vector)
      let n = x.width / blocks
      if let dx = context.inputGradient() {
        context.parallel(x.count, grain: elementwiseGrain(n * x.width)) { rows, _ in
          for row in rows {
            for i in 0..<x.width { dx[row][i] += dot(w + i * n, dy[row] + i / n * n, count: n) }
          }
        }
      }
      let (dw, db) = (context.parameterGradient(0), context.parameterGradient(1))
      // A worker owns inputs, so that the order of a sum does not depend on their number.
      context.parallel(x.width, grain: max(1, elementwiseGrain(n * x.count))) { own, _ in
        for i in own {
          for row in 0..<x.count {
            if let dw { add(dy[row] + i / n * n, scaledBy: x[row][i], to: dw + i * n, count: n) }
            db?[i] += dy[row][i]
          }
        }
      }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      let width = "\(call.width()) // \(blocks)"
      guard let module = call.module("BlockLinear(\(blocks), \(width))") else { return nil }
      call.define(
        "BlockLinear",
        """
        class BlockLinear(nn.Module):
            \"""A matrix for each block of channels: y[block b] = x[block b]·W[b] + bias[b].\"""

            def __init__(self, blocks, width):
                super().__init__()
                self.weight = nn.Parameter(torch.empty(blocks, width, width))
                self.bias = nn.Parameter(torch.empty(blocks, width))

            def forward(self, x):
                x = x.unflatten(-1, self.bias.shape)
                y = torch.einsum("btni,nij->btnj", x, self.weight) + self.bias
                return y.flatten(-2)
        """)
      return .call(module.text, [call.input()])
    }

    func flops(step: Step, context: Int) -> Int { 2 * step.outputs[0].width * step.outputs[0].width / blocks }
  }

  /// A state of one number a channel.
  ///
  ///     a = exp(−8·σ(r)·softplus(rate));   h_t = a ⊙ h_{t−1} + √(1 − a²) ⊙ σ(i) ⊙ x;   at position 0, h = σ(i) ⊙ x
  struct Recurrence: Kernel {
    let name = "rg-lru"
    /// The paper's c.
    let sharpness: Float = 8

    var attributes: [Attribute] { [Attribute("sharpness", sharpness)] }
    var traits: OperatorTraits { OperatorTraits(assignsGradients: true) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] { [inputs[0]] }

    /// What is kept at one token of a channel: the logarithm of a, and the root, which the first token has none of.
    private func factors(_ r: Float, _ speed: Float, isFirst: Bool) -> (a: Float, root: Float, open: Float) {
      let open = 1 / (1 + exp(-r))
      if isFirst { return (0, 1, open) }
      let logarithm = -sharpness * open * speed
      // 1 − a² as expm1 has it, for a is near one.
      return (exp(logarithm), (-expm1(2 * logarithm)).squareRoot(), open)
    }

    func forward(_ context: ForwardContext) {
      let (x, i, r, y) = (context.input(0), context.input(1), context.input(2), context.output())
      let rate = context.parameter().vector
      for (index, sequence) in context.sequences.enumerated() where !sequence.rows.isEmpty {
        let cached = context.state(0, of: index)
        context.parallel(x.width, grain: elementwiseGrain(40 * sequence.rows.count)) { own, _ in
          for channel in own {
            let speed = Softplus.value(rate[channel])
            var h = cached?[channel] ?? 0
            for (offset, row) in sequence.rows.enumerated() {
              let kept = factors(r[row][channel], speed, isFirst: sequence.start + offset == 0)
              h = kept.a * h + kept.root * x[row][channel] / (1 + exp(-i[row][channel]))
              y[row][channel] = h
            }
            cached?[channel] = h
          }
        }
      }
    }

    /// With s = σ(i), m the root and dh the gradient of h, from the last token back:
    ///
    ///     dx += dh·m·s,   di += dh·m·x·s·(1 − s);   da = dh·h_{t−1} − dh·x·s·a / m,   dlog a = a·da
    ///     dr −= 8·softplus(rate)·dlog a·σ(r)·(1 − σ(r)),   drate −= 8·σ(r)·σ(rate)·dlog a;   dh ← a·dh
    ///
    /// h is read from what forward gave. m is no less than 1/2000 there, as in the reference.
    func backward(_ context: BackwardContext) {
      let (x, i, r, rate) = (context.input(0), context.input(1), context.input(2), context.parameter().vector)
      let (dy, drate) = (context.outputGradient(), context.parameterGradient())
      let gradients = (0..<3).map { context.inputGradient($0) }
      let adding = (0..<3).map { gradients[$0] != nil && context.addsToInputGradient($0) }
      func put(_ slope: Float, _ part: Int, _ row: Int, _ channel: Int) {
        guard let gradient = gradients[part] else { return }
        gradient[row][channel] = (adding[part] ? gradient[row][channel] : 0) + slope
      }
      let addingRate = context.addsToParameterGradient()
      context.parallel(x.width, grain: max(1, elementwiseGrain(60 * x.count))) { own, worker in
        for channel in own {
          let speed = Softplus.value(rate[channel])
          var slope = 0.0
          for sequence in context.sequences where !sequence.rows.isEmpty {
            let states = worker.scratch
            var h: Float = 0
            for (offset, row) in sequence.rows.enumerated() {
              let kept = factors(r[row][channel], speed, isFirst: sequence.start + offset == 0)
              h = kept.a * h + kept.root * x[row][channel] / (1 + exp(-i[row][channel]))
              states[offset] = h
            }
            var dh: Float = 0
            for (offset, row) in sequence.rows.enumerated().reversed() {
              dh += dy[row][channel]
              let kept = factors(r[row][channel], speed, isFirst: sequence.start + offset == 0)
              let (value, s) = (x[row][channel], 1 / (1 + exp(-i[row][channel])))
              let before = offset > 0 ? states[offset - 1] : 0
              let da = kept.a == 0 ? 0 : dh * before - dh * value * s * kept.a / max(kept.root, 0.0005)
              let through = sharpness * kept.a * da
              let taken = dh * kept.root * s
              put(taken, 0, row, channel)
              put(taken * value * (1 - s), 1, row, channel)
              put(-through * speed * kept.open * (1 - kept.open), 2, row, channel)
              slope -= Double(through * kept.open)
              dh *= kept.a
            }
          }
          if let drate {
            let old = addingRate ? drate[channel] : 0
            drate[channel] = old + Float(slope) / (1 + exp(-rate[channel]))
          }
        }
      }
    }

    func flops(step: Step, context: Int) -> Int { 40 * step.outputs[0].width }

    func scratch(step: Step, rows: Int, context: Int) -> Int { max(1, rows) }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      call.isPart(of: "RGLRU", rank: 2)
      call.define("rg_lru", Self.function)
      call.names("y")
      return .call("rg_lru", [call.input(0), call.input(1), call.input(2), call.parameter(), call.cache()])
    }

    private static let function = """
      def rg_lru(x, i, r, rate, cache=None):
          \"""h_t = a ⊙ h_{t−1} + √(1 − a²) ⊙ σ(i) ⊙ x, a = exp(−8·σ(r)·softplus(rate)); the first token is taken in whole.\"""
          log_a = -8.0 * torch.sigmoid(r) * F.softplus(rate)
          root = torch.sqrt(-torch.expm1(2 * log_a))
          a, taken = torch.exp(log_a), torch.sigmoid(i) * x
          state = (cache or {}).get("state")
          outputs = []
          for t in range(x.size(1)):
              new = taken[:, t]
              state = new if state is None else a[:, t] * state + root[:, t] * new
              outputs.append(state)
          if cache is not None:
              cache["state"] = state
          return torch.stack(outputs, dim=1)
      """
  }
}
