import Components

/// Which keys a token sees besides the rule that none comes after it.
///
/// The first key seen is ⌊q / step⌋·step + step − window: with a step of 1 the window slides, with a step of the whole
/// window it is a chunk, and between them a band of whole blocks (Child et al., 2019, https://arxiv.org/abs/1904.10509).
struct AttentionWindow {
  /// How many keys a token sees at most, its own included; nil for all.
  let window: Int?
  /// By how many tokens the edge of the window moves at once.
  let step: Int

  /// All keys.
  static let all = AttentionWindow()

  private init() { (window, step) = (nil, 1) }

  init(_ options: Options, isCausal: Bool) {
    window = options.optionalInteger(
      "window",
      "sliding window: how many keys a token attends to, its own included; under a full mask, how many on either side")
    guard isCausal else {
      step = 1
      return
    }
    step = options.integer(
      "window_step", default: 1,
      "by how many tokens the window moves at once: 1 slides, the window's own size gives chunks")
    guard step > 1 else { return }
    if let window {
      if window % step != 0 { options.fail("window_step", "a window of \(window) is not whole steps of \(step)") }
    } else {
      options.fail("window_step", "there is no 'window' whose edge could move")
    }
  }

  /// What is added to scores: `bias`, and the edge where it is not where a sliding window's is.
  func bias(with bias: (any ScoreBias)?, order: PermuteHeads?) -> (any ScoreBias)? {
    var bias = bias
    if let inner = bias, let order { bias = Reordered(bias: inner, order: order) }
    if let window, step > 1 { bias = SteppedWindow(window: window, step: step, bias: bias) }
    return bias
  }

  /// Hides the keys before the edge.
  struct SteppedWindow: ScoreBias {
    let window: Int
    let step: Int
    let bias: (any ScoreBias)?

    let name = "stepped window"
    var attributes: [Attribute] {
      [
        Attribute("window", window), Attribute("step", step),
        Attribute("bias", bias.map { Attribute.Value.group($0.name, $0.attributes) }),
      ]
    }

    func add(to scores: UnsafeMutablePointer<Float>, count: Int, head: Int, query: Int, firstKey: Int) {
      bias?.add(to: scores, count: count, head: head, query: query, firstKey: firstKey)
      let first = query / step * step + step - window
      // Not −∞: a block of keys may be hidden as a whole, and its weights are relative to its own greatest score.
      for i in 0..<max(0, min(count, first - firstKey)) { scores[i] = -1e30 }
    }
  }

  /// A bias of heads that stand in another order.
  struct Reordered: ScoreBias {
    let bias: any ScoreBias
    let order: PermuteHeads

    var name: String { bias.name }
    var keys: ScoreBiasKeys { bias.keys }
    var attributes: [Attribute] { bias.attributes + [Attribute("head_groups", order.groups)] }

    func add(to scores: UnsafeMutablePointer<Float>, count: Int, head: Int, query: Int, firstKey: Int) {
      bias.add(to: scores, count: count, head: order.source(of: head), query: query, firstKey: firstKey)
    }
  }
}

/// Heads in another order: those that are `groups` apart come together.
///
///     y[head a·size + b] = x[head b·groups + a]        size = heads / groups
struct PermuteHeads: Kernel {
  let name = "permute heads"
  let heads: Int
  let groups: Int

  /// The order that takes this one back.
  var inverse: PermuteHeads { PermuteHeads(heads: heads, groups: heads / groups) }

  /// Which head of the input becomes `head`.
  func source(of head: Int) -> Int {
    let size = heads / groups
    return head % size * groups + head / size
  }

  var attributes: [Attribute] { [Attribute("heads", heads), Attribute("groups", groups)] }
  var traits: OperatorTraits { OperatorTraits(isRowwise: true, backwardReadsInputs: .none) }

  func forward(_ context: ForwardContext) {
    let x = context.input()
    let y = context.output()
    let width = x.width / heads
    context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
      for row in rows {
        for head in 0..<heads { (y[row] + head * width).update(from: x[row] + source(of: head) * width, count: width) }
      }
    }
  }

  /// `dx[source(h)] += dy[h]`.
  func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let dy = context.outputGradient()
    let width = dy.width / heads
    for row in 0..<dy.count {
      for head in 0..<heads {
        for i in 0..<width { dx[row][source(of: head) * width + i] += dy[row][head * width + i] }
      }
    }
  }

  func flops(step: Step, context: Int) -> Int { 0 }
}
