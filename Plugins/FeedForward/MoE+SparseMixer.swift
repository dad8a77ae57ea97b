import Components
import Essentials
import Kernels

extension MoE.Route {
  /// Experts one after the other, each weighed against those that are nearly as good: SparseMixer.
  ///
  ///     i_j = argmax l over those left;   w_j = exp(l_{i_j}) / Σ exp(l_i) over those left with (l_{i_j} − l_i) / max(|l_i|, l_{i_j}) ≤ 2·jitter
  ///
  /// Liu, Gao and Chen, 2023, https://arxiv.org/abs/2310.00811; as Phi-3.5-MoE evaluates it, without the sampling of its
  /// training. The weights of one token do not add up to one.
  struct SparseMixer {
    let experts: Int
    let jitter: Float

    /// The best of the experts left, and in `shares` what each of those near it has of their softmax; zero elsewhere.
    func next(
      _ logits: UnsafePointer<Float>, _ isLeft: (Int) -> Bool, into shares: UnsafeMutablePointer<Float>
    ) -> Int {
      var best = -1
      for i in 0..<experts where isLeft(i) && (best < 0 || logits[i] > logits[best]) { best = i }
      let most = logits[best]
      var total: Float = 0
      for i in 0..<experts {
        let isNear = isLeft(i) && !((most - logits[i]) / max(abs(logits[i]), most) > 2 * jitter)
        shares[i] = isNear ? exp(logits[i] - most) : 0
        total += shares[i]
      }
      for i in 0..<experts { shares[i] /= total }
      return best
    }
  }

  var mixer: SparseMixer { SparseMixer(experts: router.experts, jitter: Float(router.jitter)) }

  /// The experts of a row in turn: each one's number among the chosen, its own number, and the shares that weigh it.
  func mix(
    _ logits: UnsafePointer<Float>, _ shares: UnsafeMutablePointer<Float>, _ chosen: UnsafeMutablePointer<Float>,
    _ body: (_ index: Int, _ expert: Int) -> Void
  ) {
    for j in 0..<router.chosen {
      let expert = mixer.next(logits, { i in !(0..<j).contains { Int(chosen[$0]) == i } }, into: shares)
      chosen[j] = Float(expert)
      body(j, expert)
    }
  }

  /// The function in Python.
  var sparseMixerFunction: String {
    """
    def route(logits, top_k):
        \"""Experts one after the other, each weighed against those that are nearly as good.\"""
        left = scores = logits.float()
        weights, choice = [], []
        for _ in range(top_k):
            best = left.max(-1, keepdim=True)
            behind = (best.values - left) / torch.maximum(scores.abs(), best.values)
            near = left.masked_fill(behind > \(PyTorchExpression(2 * router.jitter).text), float("-inf"))
            weights.append(near.softmax(-1).gather(-1, best.indices))
            choice.append(best.indices)
            left = left.scatter(-1, best.indices, float("-inf"))
        weights = torch.cat(weights, -1)
        return \(router.scale == 1 ? "" : "\(PyTorchExpression(router.scale).text) * ")weights.to(logits.dtype), torch.cat(choice, -1)
    """
  }
}
