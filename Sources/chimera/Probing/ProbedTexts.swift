import Components
import Files
import Generation
import Kernels
import Models
import Probing
import Tokenization
import Training

/// The texts that a model is probed on.
struct ProbedTexts {
  let plan: Plan
  let tokenizer: Tokenizer?

  init(_ model: LoadedModel) {
    plan = model.description.plan
    tokenizer = model.tokenizer
  }

  /// The tokens of `text`, or those whose `ids` are written; no more than the model takes.
  func tokens(text: String?, ids: String?) throws -> [Int] {
    let tokens = try ids.map { try TokenList.ids($0) } ?? encoded(text ?? "")
    if tokens.isEmpty { throw Failure(.usage, "the text is empty") }
    _ = try TextGenerator.length(of: plan, for: tokens)
    if let id = tokens.first(where: { $0 >= plan.shape.vocabSize }) {
      throw Failure(.usage, "token \(id) is outside the vocabulary of \(plan.shape.vocabSize.grouped)")
    }
    return tokens
  }

  private func encoded(_ text: String) throws -> [Int] {
    guard let tokenizer else {
      throw Failure(.failed, "the model has no tokenizer: give one with --tokenizer, or token ids with --tokens")
    }
    try tokenizer.requireEncodable(text)
    return tokenizer.encode(text)
  }

  /// At most `limit` tokens of the files `paths` in windows of `context` tokens, with the marks that a text has.
  func windows(of paths: [String], context: Int?, limit: Int, pool: ThreadPool) throws -> [[Int]] {
    let context = context ?? min(128, plan.longestText)
    if context > plan.longestText {
      throw Failure(.usage, "--context \(context) is more than the \(plan.longestText) tokens that the model can take")
    }
    let read = try TokenizedData(paths, tokenizer: tokenizer, jsonKey: "text", cacheFolder: Caches.tokens, pool: pool)
    Caches.tell(read.cacheProblem)
    Console.note(leftOut: read.leftOut)
    let text = read.text.prefix(limit)
    let front = tokenizer.flatMap { $0.addsBeginningOfText ? $0.beginningOfText : nil }.map { [$0] } ?? []
    let behind = plan.seesWholeTexts ? tokenizer?.marksBehind ?? [] : []
    let room = max(1, context - front.count - behind.count)
    let windows = stride(from: 0, to: text.count, by: room).map { start in
      front + text[start..<min(text.count, start + room)] + behind
    }.filter { $0.count - behind.count > 1 }
    if windows.isEmpty { throw TrainingProblem.tooFewTokens(found: text.count, needed: 2, what: "given") }
    return windows
  }

  /// What changes are measured by: one or two next tokens, or what the model predicts.
  func measure(answer: [String]) throws -> ProbeMeasure {
    guard let first = answer.first else {
      let marks = Set(tokenizer?.specialTokens.values.map { $0 } ?? [])
      return .natural(for: plan, mask: tokenizer?.mask?.id, marks: marks)
    }
    guard plan.prediction == .tokens else { throw ModelProblem.noContinuation(plan.name, isEncoder: false) }
    return .answer(try token(first), against: try answer.count > 1 ? token(answer[1]) : nil)
  }

  private func token(_ text: String) throws -> Int {
    guard let tokenizer else {
      guard let id = Int(text), (0..<plan.shape.vocabSize).contains(id) else {
        throw Failure(.usage, "without a tokenizer --answer takes a token id")
      }
      return id
    }
    let ids = tokenizer.encode(text, addSpecialTokens: false)
    guard ids.count == 1, ids[0] < plan.shape.vocabSize else {
      throw Failure(.usage, "--answer takes one token, and \(text.debugDescription) is \(ids.count)")
    }
    return ids[0]
  }

  /// A token's text, for tables.
  func word(_ id: Int) -> String { tokenizer?.decode([id]).debugDescription ?? String(id) }
}
