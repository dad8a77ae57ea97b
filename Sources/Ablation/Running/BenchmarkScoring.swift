import Components
import Essentials
import Execution
import Kernels
import Tokenization

/// Asks a model the questions of a benchmark, by the likelihood of each answer behind its context, as lm-evaluation-harness
/// does: context and answer are tokenized together, a space between them; what is too long loses its beginning.
struct BenchmarkScoring {
  /// Why a benchmark cannot be asked.
  struct Unanswerable: Error, CustomStringConvertible { let description: String }

  private let executor: PlanExecutor
  private let tokenizer: Tokenizer
  private let limit: Int

  /// What is asked of `plan` with `parameters`; texts of more than `context` tokens are cut unless the model takes them.
  init(_ plan: Plan, _ parameters: Parameters, tokenizer: Tokenizer, context: Int, pool: ThreadPool) throws {
    limit = max(1, min(plan.longestSequence ?? Int.max, max(context, plan.shape.contextLength)))
    executor = try PlanExecutor(
      plan, parameters, pool: pool, maximumRows: min(limit, 512), states: .f32, fusing: true, computeType: .stored)
    self.tokenizer = tokenizer
  }

  /// The score over all questions; `keepsItems` for those of each.
  func score(_ benchmark: Benchmark, keepsItems: Bool) throws -> BenchmarkScore {
    let sequence = try executor.openSequence(length: limit)
    var (right, normalized) = (0, 0)
    var bits: [Double] = []
    for item in benchmark.items {
      let answers = try item.choices.map { try ask($0, behind: item, benchmark.name, sequence) }
      // Whichever is likelier; the first of equals.
      func best(_ value: (Int) -> Double) -> Int {
        answers.indices.reduce(0) { value($1) > value($0) ? $1 : $0 }
      }
      let lengths = item.choices.map { Double($0.utf8.count) }
      if item.isCloze {
        right += answers[0].isGreedy ? 1 : 0
      } else {
        if best({ answers[$0].logProbability }) == item.right { right += 1 }
        if best({ answers[$0].logProbability / lengths[$0] }) == item.right { normalized += 1 }
      }
      bits.append(-answers[item.right].logProbability / log(2) / lengths[item.right])
    }
    let choosable = benchmark.items.count { !$0.isCloze }
    return BenchmarkScore(
      name: benchmark.name, accuracy: Double(right) / Double(benchmark.items.count),
      normalized: choosable > 0 ? Double(normalized) / Double(choosable) : nil,
      bitsPerByte: bits.reduce(0, +) / Double(bits.count), items: keepsItems ? bits : [])
  }

  /// ln p of `answer`, and whether each of its tokens is the likeliest one where it stands.
  private func ask(
    _ answer: String, behind item: Benchmark.Item, _ name: String, _ sequence: SequenceState
  ) throws -> (logProbability: Double, isGreedy: Bool) {
    // Spaces at the end of a context belong to the first token of what follows.
    let context = String(item.context.reversed().drop(while: \.isWhitespace).reversed())
    let gap = context.count < item.context.count ? String(item.context.dropFirst(context.count)) : " "
    let before = tokenizer.encode(context)
    let whole = tokenizer.encode(context + gap + answer)
    let count = whole.count - before.count
    guard count > 0, !before.isEmpty else {
      throw Unanswerable(
        description: "the question in line \(item.line) of '\(name)' has an answer or a context without tokens")
    }
    guard count < limit else {
      throw Unanswerable(
        description: "the answer in line \(item.line) of '\(name)' has \(count) tokens, and the model takes \(limit)")
    }
    let tokens = Array(whole.suffix(limit + 1))
    let first = tokens.count - count
    sequence.reset()
    var (sum, isGreedy) = (0.0, true)
    try executor.forward([(sequence, Array(tokens.dropLast()))], logits: .all) { _, position, logits in
      guard position + 1 >= first else { return }
      let wanted = tokens[position + 1]
      var best = 0
      for id in logits.indices where logits[id] > logits[best] { best = id }
      if best != wanted { isGreedy = false }
      let most = Double(logits[best])
      sum += Double(logits[wanted]) - most - log(logits.reduce(0.0) { $0 + exp(Double($1) - most) })
    }
    return (sum, isGreedy)
  }
}
