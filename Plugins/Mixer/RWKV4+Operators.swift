import Components
import Essentials
import Kernels

extension RWKV4 {
  /// The mean of values with weights that fall off with distance.
  ///
  ///     y_t = (a + exp(u + k_t)·v_t) / (b + exp(u + k_t));   a ← exp(−w)·a + exp(k_t)·v_t,  b ← exp(−w)·b + exp(k_t);  w = exp(decay)
  ///
  /// a and b are kept times exp(−m), where m is the greatest exponent in them. State: a, b, m and whether there are any, for each channel.
  struct WKV: Kernel {
    let name = "wkv"

    var traits: OperatorTraits { OperatorTraits(backwardReadsOutputs: true) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] { [inputs[0]] }

    /// The sums of a channel before a token.
    private struct Sums {
      var a: Float = 0
      var b: Float = 0
      var m: Float = 0
      var hasAny = false

      /// The mean at a token, and the two weights and the sum that it is made of, relative to the greatest exponent.
      func mean(_ k: Float, _ v: Float, bonus: Float) -> (y: Float, old: Float, own: Float, total: Float) {
        let exponent = k + bonus
        let greatest = hasAny ? max(m, exponent) : exponent
        let (old, own) = (hasAny ? exp(m - greatest) : 0, exp(exponent - greatest))
        let total = old * b + own
        return ((old * a + own * v) / total, old, own, total)
      }

      /// Takes a token in; what was there is multiplied by the first, the token by the second.
      mutating func take(_ k: Float, _ v: Float, rate: Float) -> (kept: Float, own: Float) {
        let greatest = hasAny ? max(m - rate, k) : k
        let (kept, own) = (hasAny ? exp(m - rate - greatest) : 0, exp(k - greatest))
        (a, b, m, hasAny) = (kept * a + own * v, kept * b + own, greatest, true)
        return (kept, own)
      }
    }

    func forward(_ context: ForwardContext) {
      let (k, v, y) = (context.input(0), context.input(1), context.output())
      let (decay, bonus) = (context.parameter(0).vector, context.parameter(1).vector)
      let n = y.width
      for (index, sequence) in context.sequences.enumerated() {
        let cached = context.state(0, of: index)
        context.parallel(n, grain: elementwiseGrain(40 * sequence.rows.count)) { own, _ in
          for channel in own {
            let rate = exp(decay[channel])
            var sums = Sums()
            if let cached, cached[3 * n + channel] != 0 {
              sums = Sums(a: cached[channel], b: cached[n + channel], m: cached[2 * n + channel], hasAny: true)
            }
            for row in sequence.rows {
              y[row][channel] = sums.mean(k[row][channel], v[row][channel], bonus: bonus[channel]).y
              _ = sums.take(k[row][channel], v[row][channel], rate: rate)
            }
            if let cached {
              (cached[channel], cached[n + channel], cached[2 * n + channel]) = (sums.a, sums.b, sums.m)
              cached[3 * n + channel] = sums.hasAny ? 1 : 0
            }
          }
        }
      }
    }

    /// With D the denominator, e = exp(u + k_t) and A, B the gradients of a and b after t, from the last token back:
    ///
    ///     dv += dy·e/D + exp(k)·A,   dk += e·(v − y)·dy/D + exp(k)·(v·A + B),   du += e·(v − y)·dy/D
    ///     dw −= exp(−w)·(A·a + B·b);   A ← dy/D + exp(−w)·A,   B ← −dy·y/D + exp(−w)·B;   d decay = w·dw
    ///
    /// A and B are kept times exp(m), so that no exponent is above zero. The sums before each token are computed again.
    func backward(_ context: BackwardContext) {
      let (k, v, y, dy) = (context.input(0), context.input(1), context.output(), context.outputGradient())
      let (decay, bonus) = (context.parameter(0).vector, context.parameter(1).vector)
      let (dk, dv) = (context.inputGradient(0), context.inputGradient(1))
      let (ddecay, dbonus) = (context.parameterGradient(0), context.parameterGradient(1))
      context.parallel(y.width, grain: max(1, elementwiseGrain(60 * y.count))) { own, worker in
        for channel in own {
          let rate = exp(decay[channel])
          var (slopeOfRate, slopeOfBonus) = (0.0, 0.0)
          for sequence in context.sequences {
            let kept = worker.scratch  // a, b and m before each token
            var sums = Sums()
            for (offset, row) in sequence.rows.enumerated() {
              (kept[3 * offset], kept[3 * offset + 1], kept[3 * offset + 2]) = (sums.a, sums.b, sums.m)
              _ = sums.take(k[row][channel], v[row][channel], rate: rate)
            }
            var (da, db): (Float, Float) = (0, 0)
            for (offset, row) in sequence.rows.enumerated().reversed() {
              let (key, value, slope) = (k[row][channel], v[row][channel], dy[row][channel])
              let before = Sums(
                a: kept[3 * offset], b: kept[3 * offset + 1], m: kept[3 * offset + 2], hasAny: offset > 0)
              let mean = before.mean(key, value, bonus: bonus[channel])
              var after = before
              let taken = after.take(key, value, rate: rate)
              let share = slope / mean.total
              let ofBonus = mean.own * (value - y[row][channel]) * share
              if let dv { dv[row][channel] += mean.own * share + taken.own * da }
              if let dk { dk[row][channel] += ofBonus + taken.own * (value * da + db) }
              slopeOfBonus += Double(ofBonus)
              slopeOfRate -= Double(taken.kept * (da * before.a + db * before.b))
              da = mean.old * share + taken.kept * da
              db = -mean.old * share * y[row][channel] + taken.kept * db
            }
          }
          ddecay?[channel] += Float(slopeOfRate) * rate
          dbonus?[channel] += Float(slopeOfBonus)
        }
      }
    }

    func flops(step: Step, context: Int) -> Int { 40 * step.outputs[0].width }

    func scratch(step: Step, rows: Int, context: Int) -> Int { 3 * max(1, rows) }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      call.isPart(of: "RWKV", rank: 2)
      call.define("wkv", Self.function)
      call.names("y")
      return .call("wkv", [call.input(0), call.input(1), call.parameter(0), call.parameter(1), call.cache()])
    }

    private static let function = """
      def wkv(k, v, decay, bonus, cache=None):
          \"""A mean of all values so far, whose weights exp(k) fall off by exp(−exp(decay)) a token; the token's own has a bonus.\"""
          rate = torch.exp(decay)
          none = torch.zeros_like(k[:, 0])
          none = torch.stack((none, none, none - 1e38), dim=1)
          a, b, m = (cache or {}).get("state", none).unbind(1)
          outputs = []
          for t in range(k.size(1)):
              key, value = k[:, t], v[:, t]
              top = torch.maximum(m, key + bonus)
              old, own = torch.exp(m - top), torch.exp(key + bonus - top)
              outputs.append((old * a + own * value) / (old * b + own))
              top = torch.maximum(m - rate, key)
              old, own = torch.exp(m - rate - top), torch.exp(key - top)
              a, b, m = old * a + own * value, old * b + own, top
          if cache is not None:
              cache["state"] = torch.stack((a, b, m), dim=1)
          return torch.stack(outputs, dim=1)
      """
  }

  /// One value times the sigmoid of another.
  ///
  ///     y = σ(r) ⊙ x
  struct SigmoidProduct: Kernel {
    let name = "sigmoid product"

    var traits: OperatorTraits { OperatorTraits(isRowwise: true) }

    func forward(_ context: ForwardContext) {
      let (r, x, y) = (context.input(0), context.input(1), context.output())
      context.parallel(y.count, grain: elementwiseGrain(8 * y.width)) { rows, _ in
        for row in rows {
          sigmoids(of: r[row], into: y[row], count: y.width)
          for i in 0..<y.width { y[row][i] *= x[row][i] }
        }
      }
    }

    /// With s = σ(r): `dx += s ⊙ dy`, `dr += s·(1 − s) ⊙ x ⊙ dy`.
    func backward(_ context: BackwardContext) {
      let (r, x, dy) = (context.input(0), context.input(1), context.outputGradient())
      let (dr, dx) = (context.inputGradient(0), context.inputGradient(1))
      for row in 0..<dy.count {
        for i in 0..<dy.width {
          let s = 1 / (1 + exp(-r[row][i]))
          if let dx { dx[row][i] += s * dy[row][i] }
          if let dr { dr[row][i] += s * (1 - s) * x[row][i] * dy[row][i] }
        }
      }
    }

    func flops(step: Step, context: Int) -> Int { 8 * step.outputs[0].width }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      .call("torch.sigmoid", [call.input(0)]) * call.input(1)
    }
  }
}
