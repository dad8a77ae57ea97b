import Essentials
import Kernels
import Plans

/// Attention without a softmax: a state that decays takes in each token's key and value, and each query reads it.
///
///     S_t = exp(g_t)·S_{t−1} + k_t·v_tᵀ;   y_t = q_t·S_t        S: [key width, value width] a head, zero before the sequence
///
/// `v` holds `heads` values a row, and `q` and `k` hold `keyHeads` queries and keys: head h reads those of
/// h / (heads / keyHeads). g ≤ 0 is the logarithm of a head's decay. What is cached of a sequence does not grow with it: S, in f32.
/// Katharopoulos et al., 2020, https://arxiv.org/abs/2006.16236; with decay and in chunks: Dao and Gu, 2024,
/// https://arxiv.org/abs/2405.21060, and Yang et al., 2023, https://arxiv.org/abs/2312.06635.
///
/// A few tokens go through the state one by one. Many go in chunks, by matrix multiplications: with c the sums of g from the
/// chunk's first token on and S the state before it,
///
///     y_t = Σ_{s≤t} exp(c_t − c_s)·(q_t·k_s)·v_s + exp(c_t)·q_t·S;   S ← exp(c_n)·S + Σ_s exp(c_n − c_s)·k_s·v_sᵀ
///
/// No exponent is above zero, so nothing overflows, however strong the decay.
public struct LinearAttend: Kernel {
  public let name = "linear attend"

  /// Where the logarithms of the decays come from.
  public enum Decay: Sendable, Hashable, AttributeConvertible {
    /// One for each head, the same for every token.
    case fixed([Float])
    /// The fourth input: a number for each head of every token.
    case given

    public var attributeValue: Attribute.Value {
      switch self {
      case .fixed(let logarithms): logarithms.allSatisfy { $0 == 0 } ? .none : logarithms.attributeValue
      case .given: .text("by token")
      }
    }
  }

  /// Values a row.
  public let heads: Int
  /// Queries and keys a row.
  public let keyHeads: Int
  /// How fast the state decays.
  public let decay: Decay
  /// Tokens multiplied together.
  public let chunk: Int

  /// Attention with these settings.
  public init(heads: Int, keyHeads: Int, decay: Decay, chunk: Int = 64) {
    precondition(heads % keyHeads == 0, "\(heads) heads cannot share \(keyHeads) keys evenly")
    if case .fixed(let logarithms) = decay {
      precondition(logarithms.count == heads, "\(logarithms.count) decays of \(heads) heads")
    }
    self.heads = heads
    self.keyHeads = keyHeads
    self.decay = decay
    self.chunk = chunk
  }

  /// Up to so many tokens are taken one by one: a chunk's multiplications are not worth their packing.
  private var few: Int { min(8, chunk) }

  public var attributes: [Attribute] {
    [
      Attribute("heads", heads),
      Attribute("key_heads", keyHeads, plain: heads),
      Attribute("decay", decay),
      Attribute("chunk", chunk, plain: 64),
    ]
  }
  public var traits: OperatorTraits { OperatorTraits(assignsGradients: true) }
  public func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    [inputs[2]]
  }

  public func forward(_ context: ForwardContext) {
    takeFew(context)
    let y = context.output()
    for (index, sequence) in context.sequences.enumerated() where sequence.rows.count > few {
      let work = Chunks(
        self, sequence.rows, q: context.input(0), k: context.input(1), v: context.input(2),
        g: decay == .given ? context.input(3) : nil)
      let state = context.state(0, of: index)
      let states = context.sharedScratch
      context.parallel(heads) { own, worker in
        for head in own { work.findStates(of: head, from: state, into: states, worker.scratch) }
      }
      context.parallel(work.count * heads) { own, worker in
        var scored = -1
        for piece in own {
          let (chunk, head) = (piece / heads, piece % heads)
          // Heads that share keys share their scores.
          let isNew = piece / (heads / keyHeads) != scored
          scored = piece / (heads / keyHeads)
          work.attend(
            chunk, head, before: work.state(before: chunk, head, first: state, in: states), y, again: !isNew,
            worker.scratch)
        }
      }
      guard let state else { continue }
      context.parallel(heads) { own, worker in
        for head in own {
          let own = state + head * work.stateWidth
          let before = work.state(before: work.count - 1, head, first: state, in: states)
          work.advance(work.count - 1, head, from: before, into: own, worker.scratch)
        }
      }
    }
  }

  /// The sequences that have a few tokens in this pass: all heads of all of them side by side.
  private func takeFew(_ context: ForwardContext) {
    guard context.sequences.contains(where: { $0.rows.count <= few }) else { return }
    let (q, k, v, y) = (context.input(0), context.input(1), context.input(2), context.output())
    let g = decay == .given ? context.input(3) : nil
    let (keys, values) = (q.width / keyHeads, v.width / heads)
    context.parallel(context.sequences.count * heads, grain: elementwiseGrain(keys * values)) { own, worker in
      for piece in own {
        let (index, head) = (piece / heads, piece % heads)
        let sequence = context.sequences[index]
        if sequence.rows.count > few { continue }
        let state = context.state(0, of: index).map { $0 + head * keys * values } ?? worker.scratch
        if state == worker.scratch { state.update(repeating: 0, count: keys * values) }
        let (at, key) = (head * values, head / (heads / keyHeads) * keys)
        for row in sequence.rows {
          gatedLinearRecurrenceStep(
            exp(logarithm(g, row, head)), query: q[row] + key, key: k[row] + key, value: v[row] + at, keys: keys,
            values: values,
            state: state, into: y[row] + at)
        }
      }
    }
  }

  /// The logarithm of the decay of the state of `head` at the token of `row`.
  func logarithm(_ g: Rows?, _ row: Int, _ head: Int) -> Float {
    switch decay {
    case .fixed(let logarithms): logarithms[head]
    case .given: g.map { $0[row][head] } ?? 0
    }
  }

  public func flops(step: Step, context: Int) -> Int {
    // Fade, take in and read: 1 + 2 + 2 for each number of the state.
    5 * step.inputs[0].width / keyHeads * step.outputs[0].width
  }

  public func scratch(step: Step, rows: Int, context: Int) -> Int {
    Chunks.scratch(
      chunk: min(chunk, max(1, rows)), keys: step.inputs[0].width / keyHeads, values: step.outputs[0].width / heads)
  }

  public func sharedScratch(step: Step, rows: Int) -> Int {
    // A state, and in backward its gradient, wherever one chunk of a sequence meets the next.
    2 * (max(1, rows) - 1) / chunk * heads * (step.inputs[0].width / keyHeads) * (step.outputs[0].width / heads)
  }
}
