import Components
import Essentials
import Kernels

extension Mamba {
  /// A recurrence of every channel, whose fading, writing and reading each token chooses.
  ///
  ///     h_t = exp(−exp(a)·Δ_t) ⊙ h_{t−1} + Δ_t·x_t·B_t;   y_t = C_t·h_t + d·x_t,   Δ = softplus(dt)
  ///
  /// Inputs are dt and x, [channels], and B and C, [state]; a: [channels, state], d: [channels]. What is cached of a sequence is
  /// h, [channels, state], in f32.
  struct SelectiveScan: Kernel {
    let name = "selective scan"
    let stateSize: Int

    var attributes: [Attribute] { [Attribute("state", stateSize)] }
    var traits: OperatorTraits { OperatorTraits(assignsGradients: true) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] { [inputs[1]] }

    func forward(_ context: ForwardContext) {
      let (dt, x, b, c) = (context.input(0), context.input(1), context.input(2), context.input(3))
      let (y, d, n) = (context.output(), context.parameter(1).vector, stateSize)
      // [channels, state]: what fades a state, times a step.
      let rates = context.sharedScratch
      exponentials(of: context.parameter(0).vector, into: rates, count: x.width * n)
      for (index, sequence) in context.sequences.enumerated() where !sequence.rows.isEmpty {
        let cached = context.state(0, of: index)
        context.parallel(x.width, grain: elementwiseGrain(8 * n * sequence.rows.count)) { own, worker in
          let (first, count) = (own.lowerBound, own.count)
          let (kept, steps) = (worker.scratch, worker.scratch + x.width * n)
          let state = cached.map { $0 + first * n } ?? steps + x.width
          if cached == nil { state.update(repeating: 0, count: count * n) }
          for row in sequence.rows {
            for i in 0..<count {
              steps[i] = Softplus.value(dt[row][first + i])
              multiply(rates + (first + i) * n, by: -steps[i], into: kept + i * n, count: n, accumulate: false)
            }
            exponentials(of: kept, into: kept, count: count * n)
            multiply(kept, with: state, into: state, count: count * n, accumulate: false)
            for i in 0..<count {
              let value = x[row][first + i]
              add(b[row], scaledBy: steps[i] * value, to: state + i * n, count: n)
              y[row][first + i] = dot(c[row], state + i * n, count: n) + d[first + i] * value
            }
          }
        }
      }
    }

    /// With e = exp(−exp(a)·Δ), u = Δ·x and dh the gradient of h, from the last token back:
    ///
    ///     dh += dy·C;   dC += dy·h,   dB += u·dh,   dx += Δ·(dh·B) + dy·d,   dd += dy·x
    ///     dΔ = x·(dh·B) − exp(a)·(dh ⊙ e ⊙ h_{t−1}),   da −= Δ·exp(a) ⊙ dh ⊙ e ⊙ h_{t−1},   dh ← e ⊙ dh
    ///
    /// States are computed again, a channel at a time. B and C are shared by all channels: each of a fixed number of blocks of
    /// channels adds up its own, so that the order of a sum does not depend on workers.
    func backward(_ context: BackwardContext) {
      let (x, b) = (context.input(1), context.input(2))
      let (width, n) = (x.width, stateSize)
      let rates = context.sharedScratch
      exponentials(of: context.parameter(0).vector, into: rates, count: width * n)
      let blocks = Self.blocks(width)
      if let da = context.parameterGradient(0), !context.addsToParameterGradient(0) {
        da.update(repeating: 0, count: width * n)
      }
      if let dd = context.parameterGradient(1), !context.addsToParameterGradient(1) {
        dd.update(repeating: 0, count: width)
      }
      for sequence in context.sequences where !sequence.rows.isEmpty {
        let rows = sequence.rows
        let sums = rates + width * n  // [blocks, rows, 2, state]: dB and dC
        context.parallel(blocks) { own, worker in
          for block in own {
            let shared = sums + block * rows.count * 2 * n
            shared.update(repeating: 0, count: rows.count * 2 * n)
            for channel in block * width / blocks..<(block + 1) * width / blocks {
              addGradients(of: channel, rows, rates + channel * n, shared, context, worker.scratch)
            }
          }
        }
        context.parallel(rows.count, grain: elementwiseGrain(2 * n * blocks)) { own, _ in
          for offset in own {
            for (part, index) in [2, 3].enumerated() {
              guard let gradient = context.inputGradient(index) else { continue }
              let to = gradient[rows.lowerBound + offset]
              if !context.addsToInputGradient(index) { to.update(repeating: 0, count: b.width) }
              for block in 0..<blocks {
                add(sums + ((block * rows.count + offset) * 2 + part) * n, scaledBy: 1, to: to, count: n)
              }
            }
          }
        }
      }
    }

    /// Adds the gradients of one channel; those of B and C to `shared`, [rows, 2, state].
    private func addGradients(
      of channel: Int, _ rows: Range<Int>, _ rate: UnsafePointer<Float>, _ shared: UnsafeMutablePointer<Float>,
      _ context: BackwardContext, _ scratch: UnsafeMutablePointer<Float>
    ) {
      let (dt, x, b, c) = (context.input(0), context.input(1), context.input(2), context.input(3))
      let (dy, n, first) = (context.outputGradient(), stateSize, rows.lowerBound)
      let (ddt, dx) = (context.inputGradient(0), context.inputGradient(1))
      let (da, dd) = (context.parameterGradient(0), context.parameterGradient(1))
      let d = context.parameter(1).vector[channel]
      // e and h of every token, each [rows, state], then dh and what came through e.
      let (kept, states) = (scratch, scratch + rows.count * n)
      let (dh, faded) = (states + rows.count * n, states + rows.count * n + n)
      for (offset, row) in rows.enumerated() {
        multiply(rate, by: -Softplus.value(dt[row][channel]), into: kept + offset * n, count: n, accumulate: false)
      }
      exponentials(of: kept, into: kept, count: rows.count * n)
      for (offset, row) in rows.enumerated() {
        let state = states + offset * n
        let u = Softplus.value(dt[row][channel]) * x[row][channel]
        multiply(b[row], by: u, into: state, count: n, accumulate: false)
        if offset > 0 { multiply(kept + offset * n, with: state - n, into: state, count: n, accumulate: true) }
      }
      dh.update(repeating: 0, count: n)
      var skip: Float = 0
      for offset in (0..<rows.count).reversed() {
        let row = first + offset
        let (slope, value, step) = (dy[row][channel], x[row][channel], Softplus.value(dt[row][channel]))
        let sums = shared + offset * 2 * n
        add(c[row], scaledBy: slope, to: dh, count: n)
        add(dh, scaledBy: step * value, to: sums, count: n)
        add(states + offset * n, scaledBy: slope, to: sums + n, count: n)
        let written = dot(dh, b[row], count: n)
        skip += slope * value
        if let dx {
          let old = context.addsToInputGradient(1) ? dx[row][channel] : 0
          dx[row][channel] = old + written * step + slope * d
        }
        multiply(dh, with: kept + offset * n, into: dh, count: n, accumulate: false)
        var through: Float = 0
        if offset > 0 {
          multiply(dh, with: states + (offset - 1) * n, into: faded, count: n, accumulate: false)
          multiply(faded, with: rate, into: faded, count: n, accumulate: false)
          through = sum(faded, count: n)
          if let da { add(faded, scaledBy: -step, to: da + channel * n, count: n) }
        }
        if let ddt {
          let old = context.addsToInputGradient(0) ? ddt[row][channel] : 0
          ddt[row][channel] = old + (written * value - through) / (1 + exp(-dt[row][channel]))
        }
      }
      dd?[channel] += skip
    }

    /// How many blocks of channels add up gradients by themselves, whatever the number of workers.
    private static func blocks(_ channels: Int) -> Int { min(16, channels) }

    func flops(step: Step, context: Int) -> Int { step.outputs[0].width * (7 * stateSize + 14) }

    func scratch(step: Step, rows: Int, context: Int) -> Int {
      let width = step.outputs[0].width
      return max(2 * width * stateSize + width, 2 * rows * stateSize + 2 * stateSize)
    }

    func sharedScratch(step: Step, rows: Int) -> Int {
      let width = step.outputs[0].width
      return width * stateSize + Self.blocks(width) * rows * 2 * stateSize
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      call.isPart(of: "Mamba", rank: 2)
      call.names("y")
      call.define("selective_scan", Self.function)
      let inputs = (0..<4).map { call.input($0) }
      // Each of several heads keeps one.
      let name = call.state(0) == "state" ? [] : [PyTorchExpression("\"\(call.state(0))\"")]
      return .call("selective_scan", inputs + [call.parameter(0), call.parameter(1), call.cache()] + name)
    }

    private static let function = """
      def selective_scan(dt, x, b, c, a_log, d, cache=None, name="state"):
          \"""h_t = exp(−exp(a)·Δ_t) ⊙ h_{t−1} + Δ_t·x_t·b_t;  y_t = c_t·h_t + d·x_t,  Δ = softplus(dt).

          dt, x: [batch, tokens, channels]; b, c: [batch, tokens, state].
          \"""
          none = x.new_zeros(x.size(0), x.size(2), b.size(2))
          state = (cache or {}).get(name, none)
          rate = -torch.exp(a_log)
          step = F.softplus(dt)
          outputs = []
          for t in range(x.size(1)):
              kept = torch.exp(step[:, t].unsqueeze(-1) * rate)
              written = (step[:, t] * x[:, t]).unsqueeze(-1) * b[:, t].unsqueeze(1)
              state = kept * state + written
              outputs.append((state * c[:, t].unsqueeze(1)).sum(-1))
          if cache is not None:
              cache[name] = state
          return torch.stack(outputs, dim=1) + d * x
      """
  }
}
