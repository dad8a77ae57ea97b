import Components
import Essentials
import Kernels

extension GatedDelta {
  /// A state that fades, and that each token corrects where its key reads it.
  ///
  ///     Ŝ = exp(g_t) ⊙ S_{t−1};   u = β·(v_t − Ŝᵀ·k_t);   S_t = Ŝ + k_t·uᵀ;   y_t = S_tᵀ·q_t,   β = betaScale·σ(b_t)
  ///
  /// S: [key width, value width] for each of `heads`, in f32, zero before the sequence. Inputs are q and k of `keyHeads`, v of
  /// `heads`, g of a head or (`byKey`) of each number of a key, and b of a head.
  struct DeltaRule: Kernel {
    let name = "delta rule"
    let heads: Int
    let keyHeads: Int
    let betaScale: Float
    let byKey: Bool

    var attributes: [Attribute] {
      [
        Attribute("heads", heads), Attribute("key_heads", keyHeads, plain: heads),
        Attribute("beta_scale", betaScale, plain: Float(1)), Attribute("decay", byKey ? "by key" : nil),
      ]
    }
    var traits: OperatorTraits { OperatorTraits(assignsGradients: true) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] { [inputs[2]] }

    /// Rows of one head: where they stand, and how wide they are.
    private struct Head {
      let (q, k, v, g, b): (Rows, Rows, Rows, Rows, Rows)
      let (keys, values): (Int, Int)
      let (index, key): (Int, Int)
      let byKey: Bool

      init(_ rule: DeltaRule, _ index: Int, _ inputs: (Int) -> Rows) {
        (q, k, v, g, b) = (inputs(0), inputs(1), inputs(2), inputs(3), inputs(4))
        (keys, values) = (q.width / rule.keyHeads, v.width / rule.heads)
        self.index = index
        key = index / (rule.heads / rule.keyHeads) * keys
        byKey = rule.byKey
      }

      /// What is kept of row `i` of the state at the token of `row`.
      func kept(_ row: Int, _ i: Int) -> Float { exp(byKey ? g[row][index * keys + i] : g[row][index]) }
      func strength(_ row: Int, _ scale: Float) -> Float { scale / (1 + exp(-b[row][index])) }

      /// Moves `state` over the token of `row`; `u`, [values], is left with the correction.
      func take(
        _ row: Int, _ scale: Float, _ state: UnsafeMutablePointer<Float>, _ u: UnsafeMutablePointer<Float>
      ) {
        u.update(repeating: 0, count: values)
        let shared = byKey ? 1 : kept(row, 0)
        for i in 0..<keys {
          let line = state + i * values
          multiply(line, by: byKey ? kept(row, i) : shared, into: line, count: values, accumulate: false)
          add(line, scaledBy: -k[row][key + i], to: u, count: values)
        }
        add(v[row] + index * values, scaledBy: 1, to: u, count: values)
        multiply(u, by: strength(row, scale), into: u, count: values, accumulate: false)
        for i in 0..<keys { add(u, scaledBy: k[row][key + i], to: state + i * values, count: values) }
      }
    }

    func forward(_ context: ForwardContext) {
      let y = context.output()
      let (keys, values) = (context.input(0).width / keyHeads, y.width / heads)
      let pieces = context.sequences.count * heads
      context.parallel(pieces, grain: elementwiseGrain(6 * keys * values)) { own, worker in
        for piece in own {
          let (index, number) = (piece / heads, piece % heads)
          let sequence = context.sequences[index]
          let head = Head(self, number) { context.input($0) }
          let cached = context.state(0, of: index).map { $0 + number * keys * values }
          let state = cached ?? worker.scratch + values
          if cached == nil { state.update(repeating: 0, count: keys * values) }
          for row in sequence.rows {
            head.take(row, betaScale, state, worker.scratch)
            let to = y[row] + number * values
            to.update(repeating: 0, count: values)
            for i in 0..<keys { add(state + i * values, scaledBy: head.q[row][head.key + i], to: to, count: values) }
          }
        }
      }
    }

    /// With r = v − Ŝᵀ·k and dS the gradient of S_t, from the last token back:
    ///
    ///     dq += S·dy, dS += q·dyᵀ;   du = dSᵀ·k, dk += dS·u;   dβ = du·r, dv += β·du
    ///     dŜ = dS − k·(β·du)ᵀ, dk −= Ŝ·(β·du);   dg += Σ dŜ ⊙ Ŝ,   dS ← exp(g) ⊙ dŜ
    ///
    /// States are kept at every `stride`th token and computed again between them.
    func backward(_ context: BackwardContext) {
      let (q, v) = (context.input(0), context.input(2))
      let (keys, values) = (q.width / keyHeads, v.width / heads)
      let group = heads / keyHeads
      for sequence in context.sequences where !sequence.rows.isEmpty {
        // A worker takes all heads that share keys, whose gradients add up.
        context.parallel(keyHeads) { own, worker in
          for keyHead in own {
            for index in 0...1 {
              guard let gradient = context.inputGradient(index), !context.addsToInputGradient(index) else { continue }
              for row in sequence.rows { (gradient[row] + keyHead * keys).update(repeating: 0, count: keys) }
            }
            for number in keyHead * group..<(keyHead + 1) * group {
              addGradients(
                Head(self, number) { context.input($0) }, sequence.rows, context, worker.scratch, keys * values)
            }
          }
        }
      }
    }

    private static let stride = 16

    private func addGradients(
      _ head: Head, _ rows: Range<Int>, _ context: BackwardContext, _ scratch: UnsafeMutablePointer<Float>, _ size: Int
    ) {
      let (keys, values, stride) = (head.keys, head.values, Self.stride)
      let count = (rows.count + stride - 1) / stride
      // The state's gradient, three rows of values, the states at every stride, and those between two.
      let ds = scratch
      let (u, r, du) = (ds + size, ds + size + values, ds + size + 2 * values)
      let (marks, states) = (du + values, du + values + count * size)
      for mark in 0..<count {
        let own = marks + mark * size
        guard mark > 0 else {
          own.update(repeating: 0, count: size)
          continue
        }
        own.update(from: own - size, count: size)
        for offset in (mark - 1) * stride..<mark * stride { head.take(rows.lowerBound + offset, betaScale, own, u) }
      }
      ds.update(repeating: 0, count: size)
      for mark in (0..<count).reversed() {
        let first = rows.lowerBound + mark * stride
        let length = min(stride, rows.upperBound - first)
        states.update(from: marks + mark * size, count: size)
        for offset in 1..<max(1, length) {
          let own = states + offset * size
          own.update(from: own - size, count: size)
          head.take(first + offset - 1, betaScale, own, u)
        }
        for offset in (0..<length).reversed() {
          addToken(
            head, first + offset, context, before: states + offset * size, ds: ds, u: u, r: r, du: du, keys, values)
        }
      }
    }

    /// Adds the gradients of the token of `row`, before which the state is `before`, and moves `ds` back over it.
    private func addToken(
      _ head: Head, _ row: Int, _ context: BackwardContext, before: UnsafePointer<Float>,
      ds: UnsafeMutablePointer<Float>, u: UnsafeMutablePointer<Float>, r: UnsafeMutablePointer<Float>,
      du: UnsafeMutablePointer<Float>, _ keys: Int, _ values: Int
    ) {
      let dy = context.outputGradient()[row] + head.index * values
      let (q, k) = (head.q[row] + head.key, head.k[row] + head.key)
      let beta = head.strength(row, betaScale)
      r.update(from: head.v[row] + head.index * values, count: values)
      for i in 0..<keys { add(before + i * values, scaledBy: -k[i] * head.kept(row, i), to: r, count: values) }
      multiply(r, by: beta, into: u, count: values, accumulate: false)
      du.update(repeating: 0, count: values)
      for i in 0..<keys {
        add(dy, scaledBy: q[i], to: ds + i * values, count: values)
        add(ds + i * values, scaledBy: k[i], to: du, count: values)
      }
      let (dq, dk) = (context.inputGradient(0), context.inputGradient(1))
      let read = dot(u, dy, count: values)
      var slope: Float = 0
      let dg = context.inputGradient(3)
      let addsDecay = dg != nil && context.addsToInputGradient(3)
      for i in 0..<keys {
        let (line, own, kept) = (ds + i * values, before + i * values, head.kept(row, i))
        if let dq { dq[row][head.key + i] += kept * dot(own, dy, count: values) + k[i] * read }
        if let dk {
          dk[row][head.key + i] += dot(line, u, count: values) - beta * kept * dot(own, du, count: values)
        }
        add(du, scaledBy: -k[i] * beta, to: line, count: values)
        multiply(line, by: kept, into: line, count: values, accumulate: false)
        let through = dot(line, own, count: values)
        slope += through
        if byKey, let dg {
          let at = head.index * keys + i
          dg[row][at] = (addsDecay ? dg[row][at] : 0) + through
        }
      }
      if !byKey, let dg { dg[row][head.index] = (addsDecay ? dg[row][head.index] : 0) + slope }
      if let dv = context.inputGradient(2) {
        multiply(
          du, by: beta, into: dv[row] + head.index * values, count: values, accumulate: context.addsToInputGradient(2))
      }
      if let db = context.inputGradient(4) {
        let old = context.addsToInputGradient(4) ? db[row][head.index] : 0
        db[row][head.index] = old + dot(du, r, count: values) * beta * (1 - beta / betaScale)
      }
    }

    func flops(step: Step, context: Int) -> Int {
      // Fade, read by the key, correct and read by the query: 1 + 2 + 2 + 2 for each number of the state.
      7 * step.inputs[0].width / keyHeads * step.outputs[0].width
    }

    func scratch(step: Step, rows: Int, context: Int) -> Int {
      let (keys, values) = (step.inputs[0].width / keyHeads, step.outputs[0].width / heads)
      return ((max(1, rows) + Self.stride - 1) / Self.stride + Self.stride + 1) * keys * values + 3 * values
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      call.isPart(of: "GatedDelta", rank: 2)
      call.define("delta_rule", Self.function)
      let inputs = [call.heads(keyHeads, ofInput: 0), call.heads(keyHeads, ofInput: 1), call.heads(heads, ofInput: 2)]
      let decays = byKey ? call.heads(heads, ofInput: 3) : call.input(3).method("unsqueeze", "-1")
      var beta = PyTorchExpression.call("torch.sigmoid", [call.input(4)])
      if betaScale != 1 { beta = PyTorchExpression(betaScale) * beta }
      call.output(is: .heads(heads))
      call.names("y")
      return .call("delta_rule", inputs + [decays, beta, call.cache()])
    }

    private static let function = """
      def delta_rule(q, k, v, g, beta, cache=None):
          \"""Ŝ = exp(g_t) ⊙ S_{t−1};  S_t = Ŝ + k_t·(β_t·(v_t − Ŝᵀ·k_t))ᵀ;  y_t = S_tᵀ·q_t.

          q, k, v: [batch, tokens, heads, width]; heads of v share those of q and k. g: [batch, tokens, heads, 1 or key width].
          \"""
          H = v.size(2)
          q = q.repeat_interleave(H // q.size(2), dim=2)
          k = k.repeat_interleave(H // k.size(2), dim=2)
          none = v.new_zeros(v.size(0), H, k.size(3), v.size(3))
          state = (cache or {}).get("state", none)
          outputs = []
          for t in range(q.size(1)):
              state = state * torch.exp(g[:, t]).unsqueeze(-1)
              read = torch.einsum("bhkv,bhk->bhv", state, k[:, t])
              u = beta[:, t].unsqueeze(-1) * (v[:, t] - read)
              state = state + k[:, t].unsqueeze(-1) * u.unsqueeze(2)
              outputs.append(torch.einsum("bhkv,bhk->bhv", state, q[:, t]))
          if cache is not None:
              cache["state"] = state
          return torch.stack(outputs, dim=1)
      """
  }
}
