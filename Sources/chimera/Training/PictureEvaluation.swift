import Components
import Essentials
import Execution
import Files
import Generation
import Kernels
import Models
import Training

/// How well a model answers questions about pictures.
///
///     loss = −1/n Σ log p(token | picture, question, tokens before it)      over the n tokens of the answers and their ends
///
/// An answer is exact where what the model generates, always the likeliest token, is the answer and nothing else.
struct PictureEvaluation {
  /// What came out of questions of the same words.
  struct Score {
    var asked = 0
    var exact = 0
  }

  /// The mean loss of a token of an answer, in nats.
  private(set) var loss = 0.0
  /// How many tokens were predicted.
  private(set) var tokens = 0
  /// The answers together.
  private(set) var all = Score()
  /// The answers to each question, in the order in which they were first asked.
  private(set) var byQuestion: [(text: String, score: Score)] = []

  /// Asks `loaded` the first `count` of `data`. Throws `TrainingProblem` where a loss is NaN.
  init(
    _ loaded: LoadedModel, _ data: PictureQuestions, first count: Int, pool: ThreadPool, computeType: ComputeType,
    progress: (Double) -> Void
  ) throws {
    let plan = loaded.description.plan
    let stack = try PictureQuestions.stack(of: plan)
    let examples = data.examples
    let rows = plan.longestInput(on: stack.axis)
    let encoder = try PlanExecutor(
      plan.encoder(of: stack), loaded.parameters, pool: pool, maximumRows: rows, states: .f32, fusing: true,
      computeType: computeType)
    let executor = try loaded.executor(
      pool: pool, longest: max(rows, examples.longest), states: .f32, computeType: computeType)
    let generator = TextGenerator(executor, tokenizer: loaded.tokenizer)
    var scores: [String: Score] = [:]
    var order: [String] = []
    var encoded: (picture: String, rows: [Float])?
    let asked = examples.examples.enumerated().flatMap { index, example in
      example.answers.map { (index: index, example: example, place: $0) }
    }.prefix(count)
    for (number, (index, example, place)) in asked.enumerated() {
      // What was asked and answered before belongs to the question.
      let (prompt, expected) = (Array(example.tokens[..<place.lowerBound]), Array(example.tokens[place]))
      if encoded?.picture != example.picture {
        encoded = (example.picture, try encoder.encode(examples.given(index)))
      }
      let beside: [RowAxis: AxisInput] = [stack.states.axis: .rows(encoded?.rows ?? [])]
      var isExact = true
      let prefix = plan.lets(.prompt) ? prompt.count : 0
      let sequence = try executor.openSequence(length: place.upperBound - 1, prefix: prefix)
      func compare(_ position: Int, _ logits: UnsafeBufferPointer<Float>) throws {
        let token = example.tokens[position + 1]
        let most = logits.max() ?? 0
        let sum = logits.reduce(0.0) { $0 + exp(Double($1 - most)) }
        let own = log(sum) - Double(logits[token] - most)
        guard own.isFinite else {
          throw TrainingProblem.evaluationNotANumber(token: position, isInfinite: own == .infinity)
        }
        loss += own
        tokens += 1
        if logits[token] < most { isExact = false }
      }
      try executor.forward([(sequence, prompt)], beside: [beside], logits: .last) { _, position, logits in
        try compare(position, logits)
      }
      let answer = Array(expected.dropLast())
      if !answer.isEmpty {
        try executor.forward([(sequence, answer)], logits: .all) { _, position, logits in
          try compare(position, logits)
        }
      }
      if !isExact {
        // Other tokens may spell the same answer.
        var settings = TextGenerator.Settings()
        settings.maximumTokens = expected.count + 8
        settings.sampling.temperature = 0
        settings.beginsText = false
        settings.beside = beside
        settings.prefix = prefix
        if let token = stack.token { settings.suppressed.insert(token) }
        let result = try generator.generate(prompt, settings) { _, _ in true }
        isExact = result.text == data.questions[number].answer && result.ending == .end
      }
      let text = data.questions[number].text
      if scores[text] == nil { order.append(text) }
      scores[text, default: Score()].asked += 1
      all.asked += 1
      if isExact {
        scores[text]?.exact += 1
        all.exact += 1
      }
      progress(Double(number + 1) / Double(asked.count))
    }
    loss /= Double(max(1, tokens))
    byQuestion = order.map { ($0, scores[$0] ?? Score()) }
  }

  /// The share of exact answers.
  var accuracy: Double { Double(all.exact) / Double(max(1, all.asked)) }
}
