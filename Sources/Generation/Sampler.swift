import Essentials

/// Chooses the next token from logits.
///
/// The order is: biases and penalties, temperature, top-k, top-p, min-p, typical-p, then a draw. At temperature 0 the largest
/// logit wins (after biases and penalties), and of equal ones the smallest id. The same seed gives the same tokens.
public struct Sampler: Sendable {
  /// What is set.
  public struct Settings: Sendable, Hashable {
    /// Sampling temperature; 0, and what is below 1e-10, is greedy.
    public var temperature: Double = 0.8
    /// How many of the most likely tokens remain; 0 for all.
    public var topK = 0
    /// The smallest set of most likely tokens with this probability remains; 1 for all (Holtzman et al., 2019,
    /// https://arxiv.org/abs/1904.09751).
    public var topP: Double = 1
    /// Tokens less likely than this part of the most likely go; 0 for none (Nguyen et al., 2024,
    /// https://arxiv.org/abs/2407.01082).
    public var minP: Double = 0
    /// The tokens whose surprise is nearest to the expected one remain, as many as have this probability together; 1 for
    /// all (Meister et al., 2022, https://arxiv.org/abs/2202.00666).
    public var typicalP: Double = 1
    /// What a token's logit loses for each time that it was generated; 0 for nothing.
    public var frequencyPenalty: Double = 0
    /// What a token's logit loses when it was generated at all; 0 for nothing.
    public var presencePenalty: Double = 0
    /// What is added to the logits of these tokens; −∞ forbids one.
    public var bias: [Int: Double] = [:]
    /// What the logits of recent tokens are divided by when positive, and multiplied by when negative; 1 for nothing
    /// (Keskar et al., 2019, https://arxiv.org/abs/1909.05858).
    public var repeatPenalty: Double = 1
    /// How many recent tokens the penalty is for.
    public var repeatWindow = 64
    /// The random seed.
    public var seed: UInt64 = 0

    /// A draw at temperature 0.8 from all tokens.
    public init() {}

    /// Whether the largest logit wins and nothing is drawn. Below this, logits that differ at all in f32 differ by more than
    /// a draw ever sees; and their quotients stay numbers.
    public var isGreedy: Bool { temperature < 1e-10 }
  }

  private let settings: Settings
  private var state: UInt64
  private var candidates: [(id: Int, logit: Double)] = []
  /// The probabilities of a proposal by id; all zero between calls.
  private var proposed: [Double] = []

  /// A sampler with `settings`.
  public init(_ settings: Settings) {
    self.settings = settings
    state = settings.seed &* 0x9e37_79b9_7f4a_7c15 &+ 0x1234_5678_9abc_def1
  }

  /// The next token after `history`, of which the first `prompt` tokens were given and the others generated; nil when no
  /// logit is a number above −∞, so that there is nothing to choose from.
  public mutating func next(_ logits: UnsafeBufferPointer<Float>, after history: [Int], prompt: Int = 0) -> Int? {
    let penalties = Penalties(settings, history, prompt: prompt)
    if settings.isGreedy {
      var best: Int?
      var largest = -Double.infinity
      for (id, logit) in logits.enumerated() {
        let value = penalties.isPlain ? Double(logit) : penalties.value(id, logit, settings.repeatPenalty)
        if value > largest { (best, largest) = (id, value) }
      }
      return best
    }
    guard let weights = weights(logits, penalties) else { return nil }
    return candidates[place(in: weights)].id
  }

  /// The next token after `history`, where `proposal` was drawn by someone else: p(x) as `next` has it, with as much of it as
  /// can be from the proposal's q(x). With u drawn evenly from [0, 1),
  ///
  ///     u·q(x) < p(x):  x, the proposed token        else:  a draw from max(0, p − q) / Σ max(0, p − q)
  ///
  /// (Leviathan, Kalman, Matias, 2023, https://arxiv.org/abs/2211.17192, appendix A.1). A proposal that was not drawn changes
  /// nothing of what `next` gives.
  public mutating func next(
    _ logits: UnsafeBufferPointer<Float>, after history: [Int], prompt: Int, proposed proposal: TokenProposal
  ) -> Int? {
    guard proposal.isDrawn, !settings.isGreedy else { return next(logits, after: history, prompt: prompt) }
    guard let weights = weights(logits, Penalties(settings, history, prompt: prompt)) else { return nil }
    let total = weights.reduce(0, +)
    if proposed.count < logits.count { proposed = Array(repeating: 0, count: logits.count) }
    for (id, probability) in zip(proposal.ids, proposal.probabilities) where id < proposed.count {
      proposed[id] = probability
    }
    defer { for id in proposal.ids where id < proposed.count { proposed[id] = 0 } }
    if let own = weights.indices.first(where: { candidates[$0].id == proposal.token }),
      uniform() * proposed[proposal.token] < weights[own] / total
    {
      return proposal.token
    }
    let rest = weights.indices.map { max(0, weights[$0] / total - proposed[candidates[$0].id]) }
    // Nothing is left where both are the same but for rounding.
    return candidates[place(in: rest.contains { $0 > 0 } ? rest : weights)].id
  }

  /// A token after `history` drawn as `next` draws it, with the probability of each; nil where there is nothing to choose from.
  public mutating func proposal(_ logits: UnsafeBufferPointer<Float>, after history: [Int], prompt: Int)
    -> TokenProposal?
  {
    guard let weights = weights(logits, Penalties(settings, history, prompt: prompt)) else { return nil }
    let total = weights.reduce(0, +)
    let token = candidates[place(in: weights)].id
    let possible = weights.indices.filter { weights[$0] > 0 }
    return TokenProposal(
      token, drawnFrom: possible.map { candidates[$0].id }, possible.map { weights[$0] / total })
  }

  /// What is added to logits and taken from them.
  private struct Penalties {
    private let settings: Settings
    private let recent: Set<Int>
    private let counts: [Int: Int]
    let isPlain: Bool

    init(_ settings: Settings, _ history: [Int], prompt: Int) {
      self.settings = settings
      recent = settings.repeatPenalty == 1 ? [] : Set(history.suffix(settings.repeatWindow))
      var counts: [Int: Int] = [:]
      if settings.frequencyPenalty != 0 || settings.presencePenalty != 0 {
        for id in history.dropFirst(prompt) { counts[id, default: 0] += 1 }
      }
      self.counts = counts
      isPlain = recent.isEmpty && counts.isEmpty && settings.bias.isEmpty
    }

    func value(_ id: Int, _ logit: Float, _ penalty: Double) -> Double {
      var value = Double(logit)
      if isPlain { return value }
      if let more = settings.bias[id] { value += more }
      if recent.contains(id) { value = value > 0 ? value / penalty : value * penalty }
      if let count = counts[id] { value -= Double(count) * settings.frequencyPenalty + settings.presencePenalty }
      return value
    }
  }

  /// What the `candidates`, which it sets, weigh: 1 for the likeliest; nil where there are none.
  private mutating func weights(_ logits: UnsafeBufferPointer<Float>, _ penalties: Penalties) -> [Double]? {
    candidates.removeAll(keepingCapacity: true)
    for (id, logit) in logits.enumerated() where logit > -.infinity {
      let value = penalties.value(id, logit, settings.repeatPenalty) / settings.temperature
      if value > -.infinity { candidates.append((id, value)) }
    }
    if candidates.isEmpty { return nil }
    // Sorting a whole vocabulary is slow, and few are ever needed.
    let limit = settings.topK > 0 ? min(settings.topK, candidates.count) : candidates.count
    if limit < candidates.count || settings.topP < 1 {
      candidates.sort { $0.logit != $1.logit ? $0.logit > $1.logit : $0.id < $1.id }
      candidates.removeLast(candidates.count - limit)
    }
    let top = candidates.reduce(-Double.infinity) { max($0, $1.logit) }
    // Equal ones weigh 1, also where a tiny penalty has made them infinite.
    var weights = candidates.map { $0.logit == top ? 1 : exp($0.logit - top) }
    if settings.topP < 1 {
      let wanted = settings.topP * weights.reduce(0, +)
      var sum = 0.0
      let kept =
        (weights.firstIndex {
          sum += $0; return sum >= wanted
        } ?? weights.count - 1) + 1
      weights.removeLast(weights.count - kept)
    }
    if settings.minP > 0 {
      for i in weights.indices where weights[i] < settings.minP { weights[i] = 0 }
    }
    if settings.typicalP < 1 { keepTypical(&weights) }
    return weights
  }

  /// A place in `weights`, drawn by what they weigh.
  private mutating func place(in weights: [Double]) -> Int {
    var left = uniform() * weights.reduce(0, +)
    for (i, weight) in weights.enumerated() where weight > 0 {
      left -= weight
      if left < 0 { return i }
    }
    return weights.lastIndex { $0 > 0 } ?? 0
  }

  /// Leaves the weights whose −log p is nearest to the entropy, until their probability is `typicalP`; of equal distances all.
  private func keepTypical(_ weights: inout [Double]) {
    let total = weights.reduce(0, +)
    let entropy = weights.reduce(0) { $1 > 0 ? $0 - $1 / total * log($1 / total) : $0 }
    let distances = weights.map { $0 > 0 ? abs(-log($0 / total) - entropy) : .infinity }
    let order = weights.indices.sorted { distances[$0] < distances[$1] }
    var sum = 0.0
    var last = distances[order[order.count - 1]]
    for place in order {
      sum += weights[place] / total
      if sum >= settings.typicalP {
        last = distances[place]
        break
      }
    }
    for place in weights.indices where distances[place] > last { weights[place] = 0 }
  }

  /// SplitMix64; its additions and products wrap by definition.
  private mutating func uniform() -> Double {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
  }
}
