import ArgumentParser
import Components
import Describing
import Essentials
import Files
import Kernels
import Models
import Specification
import Tokenization
import Training

/// `chimera eval`: how well a model predicts a text.
struct Eval: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Evaluate a model on a text.",
    discussion: """
      Gives the loss in nats per token, the perplexity, and the bits per byte, by which models with different \
      tokenizers can be compared. Of each window only the last STRIDE tokens count.

      A model that compares texts with pictures is given captions: lines of JSON with image and caption. \
      An encoder fills in tokens that are left out, the same of a text each time; --objective says how many. \
      A model that reads pictures is asked questions: lines of JSON with images, question and answer. It gives the loss of \
      the answers' tokens and how many greedy answers are exact.

        chimera eval story-llama --data book.txt
        chimera eval my-run --data shapes/data.jsonl
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "Text, JSON lines, or tokens: a file or folder. May be repeated.") var data: [String]
  @Option(help: "The key of the text in JSON lines.") var jsonKey = "text"
  @Option(parsing: .unconditional, help: "Window length in tokens. [the model's context length, at most 1024]")
  var context: Int?
  @Option(parsing: .unconditional, help: "Tokens from the start of one window to the next. [half a window]") var stride:
    Int?
  @Option(help: "The objective whose loss is told: its name, or {type: NAME, option: value}. [the model's]".with("o"))
  var objective: String?
  @Option(parsing: .unconditional, help: "Evaluate on this many tokens at most.") var maxTokens: Int?
  @Option(parsing: .unconditional, help: "Ask this many questions about pictures at most.") var maxQuestions: Int?
  @Option(parsing: .unconditional, help: "Pictures that are compared with captions at a time. [12]") var batch: Int?
  @Flag(help: "Write a JSON document.") var json = false
  @Flag(name: .shortAndLong, help: "Do not show progress.") var quiet = false
  @OptionGroup var options: RunOptions

  func validate() throws {
    if let context, !(2...(1 << 24)).contains(context) {
      throw ValidationError("--context takes a number of at least 2")
    }
    if let stride, stride < 1 { throw ValidationError("--stride takes a number of at least 1") }
    if let maxQuestions, maxQuestions < 1 {
      throw ValidationError("--max-questions takes a number of at least 1")
    }
    if let batch, !(1...(1 << 16)).contains(batch) { throw ValidationError("--batch takes a number from 1 to 65536") }
    if let maxTokens, maxTokens < 2 { throw ValidationError("--max-tokens takes a number of at least 2") }
  }

  func run() throws {
    let loaded = try options.load(model, seed: 0, length: context ?? 1024)
    let plan = loaded.description.plan
    let objective = try objective(for: plan)
    if type(of: objective.objective).data == .captions { return try compare(loaded, objective.objective) }
    if batch != nil {
      throw Failure(.usage, "--batch is for pictures with captions, which are compared with each other")
    }
    if PictureQuestions.areRead(by: plan) { return try ask(loaded) }
    if maxQuestions != nil {
      throw Failure(.usage, "--max-questions is for models that read pictures, and '\(plan.name)' reads texts")
    }
    let isUsual = objective.isUsual
    if isUsual { try plan.requireContinuation() }
    let context = context ?? min(plan.shape.contextLength, 1024)
    if let limit = plan.longestSequence, context > limit {
      throw Failure(.usage, "--context \(context) is more than the \(limit) tokens that the model can take")
    }
    if !isUsual, stride != nil {
      throw Failure(.usage, "--stride is for next tokens, and '\(plan.name)' is evaluated on windows side by side")
    }
    let stride = stride ?? max(1, context / 2)
    if stride >= context { throw Failure(.usage, "--stride must be smaller than a window's \(context) tokens") }
    let pool = options.pool
    let tokenizer = loaded.tokenizer
    let read = try TokenizedData(data, tokenizer: tokenizer, jsonKey: jsonKey, cacheFolder: Caches.tokens, pool: pool)
    Caches.tell(read.cacheProblem)
    Console.note(leftOut: read.leftOut)
    let text = maxTokens.map { read.text.prefix($0) } ?? read.text
    if !isUsual { return try evaluate(loaded, objective.objective, on: text, context: context, pool) }
    let beginning = tokenizer.flatMap { $0.addsBeginningOfText ? $0.beginningOfText : nil }
    let executor = try loaded.executor(pool: pool, states: .f32, computeType: options.computeType())
    let clock = ContinuousClock()
    var last = clock.now
    let evaluation = try Evaluation(executor, on: text, context: context, stride: stride, beginning: beginning) {
      part in
      if quiet || clock.now - last < .seconds(5) { return }
      last = clock.now
      Console.note("\(Int(rounding: part * 100, .towardZero)) %")
    }
    let bytes = bytes(of: text, read, tokenizer, hasBeginning: beginning != nil)
    if json {
      var document = JSONObject()
      document["model"] = .string(plan.name)
      document["loss"] = .number(evaluation.loss)
      document["perplexity"] = .number(evaluation.perplexity)
      document["bits_per_byte"] = bytes.map { .number(evaluation.bitsPerByte(bytes: $0)) } ?? .null
      document["tokens"] = .integer(evaluation.tokens)
      document["bytes"] = bytes.map { .integer($0) } ?? .null
      document["context"] = .integer(context)
      document["stride"] = .integer(stride)
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else {
      var line = "\(plan.name): loss \(evaluation.loss.digits(4)), perplexity \(evaluation.perplexity.digits(3))"
      if let bytes { line += ", \(evaluation.bitsPerByte(bytes: bytes).digits(4)) bits per byte" }
      Console.write("\(line) (\(evaluation.tokens.grouped) tokens, windows of \(context), \(stride) apart)\n")
    }
  }

  /// The objective that is asked for, or else the usual one where `plan` is for that, or the one that it is for; with it, whether
  /// it is the usual one.
  private func objective(for plan: Plan) throws -> (objective: any Objective, isUsual: Bool) {
    var settings = TrainingSettings(try options.model.zoo().registry, inStudy: false)
    if let objective {
      settings.objective = try YAMLReader(source: "--objective").read(objective)
    } else if try settings.makeObjective().obstacle(to: plan) != nil,
      let other = settings.registry.objectives(for: plan).first
    {
      settings.objective = Setting(text: other)
    }
    let made = try settings.makeObjective()
    if objective != nil { try plan.requireObjective(made, among: settings.registry) }
    return (made, settings.hasUsualObjective)
  }

  /// The loss of `objective` over `text`.
  private func evaluate(
    _ loaded: LoadedModel, _ objective: any Objective, on text: TokenText, context: Int, _ pool: ThreadPool
  ) throws {
    let plan = loaded.description.plan
    try plan.requireSources()
    let clock = ContinuousClock()
    var last = clock.now
    let evaluation = try ObjectiveEvaluation(
      plan, loaded.parameters, objective, on: text, marks: loaded.tokenizer.map { TextMarks($0) }, context: context,
      among: options.model.zoo().registry, pool: pool
    ) { part in
      if quiet || clock.now - last < .seconds(5) { return }
      last = clock.now
      Console.note("\(Int(rounding: part * 100, .towardZero)) %")
    }
    let name = type(of: objective).name
    if json {
      var document = JSONObject()
      document["model"] = .string(plan.name)
      document["objective"] = .string(name)
      document["loss"] = .number(evaluation.loss)
      document["perplexity"] = .number(evaluation.perplexity)
      document["tokens"] = .integer(evaluation.predictions)
      document["context"] = .integer(context)
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else {
      Console.write(
        "\(plan.name): \(name) loss \(evaluation.loss.digits(4)), perplexity \(evaluation.perplexity.digits(3)) "
          + "(\(evaluation.predictions.grouped) tokens, windows of \(context))\n")
    }
  }

  /// The loss of `objective` over pictures with their captions.
  private func compare(_ loaded: LoadedModel, _ objective: any Objective) throws {
    let plan = loaded.description.plan
    for (option, isGiven) in [
      ("--stride", stride != nil), ("--max-tokens", maxTokens != nil), ("--max-questions", maxQuestions != nil),
    ] where isGiven { throw Failure(.usage, "\(option) is not for pictures with captions") }
    let captions = try PictureCaptions(
      data, plan, images: loaded.description.architecture.images, folder: loaded.description.source.folder,
      tokenizer: loaded.tokenizer, longest: context)
    let together = batch ?? 12
    let evaluation = try ObjectiveEvaluation(
      plan, loaded.parameters, objective, on: captions.examples, together: together,
      marks: loaded.tokenizer.map { TextMarks($0) }, among: options.model.zoo().registry, pool: options.pool)
    let name = type(of: objective).name
    if json {
      var document = JSONObject()
      document["model"] = .string(plan.name)
      document["objective"] = .string(name)
      document["loss"] = .number(evaluation.loss)
      document["pairs"] = .integer(evaluation.predictions)
      document["batch"] = .integer(together)
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else {
      Console.write(
        "\(plan.name): \(name) loss \(evaluation.loss.digits(4)) "
          + "(\(evaluation.predictions.grouped) pictures with captions, \(together) at a time)\n")
    }
  }

  /// Asks the questions of the data about their pictures.
  private func ask(_ loaded: LoadedModel) throws {
    let plan = loaded.description.plan
    for (option, isGiven) in [
      ("--context", context != nil), ("--stride", stride != nil), ("--max-tokens", maxTokens != nil),
    ] where isGiven { throw Failure(.usage, "\(option) is for texts, and '\(plan.name)' is asked about pictures") }
    let questions = try PictureQuestions(
      data, plan, images: loaded.description.architecture.images, folder: loaded.description.source.folder,
      tokenizer: loaded.tokenizer)
    if questions.examples.count == 0 { throw TrainingProblem.noExamples(what: "given") }
    let clock = ContinuousClock()
    var last = clock.now
    let evaluation = try PictureEvaluation(
      loaded, questions, first: maxQuestions ?? Int.max, pool: options.pool, computeType: options.computeType()
    ) { part in
      if quiet || clock.now - last < .seconds(5) { return }
      last = clock.now
      Console.note("\(Int(rounding: part * 100, .towardZero)) %")
    }
    let all = evaluation.all
    if json {
      var document = JSONObject()
      document["model"] = .string(plan.name)
      document["loss"] = .number(evaluation.loss)
      document["tokens"] = .integer(evaluation.tokens)
      document["questions"] = .integer(all.asked)
      document["exact"] = .integer(all.exact)
      document["accuracy"] = .number(evaluation.accuracy)
      document["by_question"] = .array(
        evaluation.byQuestion.map {
          ["question": .string($0.text), "asked": .integer($0.score.asked), "exact": .integer($0.score.exact)]
        })
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else {
      Console.write(
        "\(plan.name): loss \(evaluation.loss.digits(4)), \(all.exact.grouped) of \(all.asked.grouped) answers exact "
          + "(\((evaluation.accuracy * 100).digits(1)) %)\n")
    }
  }

  /// Bytes of the text that was predicted; nil when the data were tokens and nothing says what they stand for.
  private func bytes(of text: TokenText, _ read: TokenizedData, _ tokenizer: Tokenizer?, hasBeginning: Bool) -> Int? {
    let length = { (tokens: [Int]) in tokens.reduce(0) { $0 + (tokenizer?.bytes(of: $1)?.count ?? 0) } }
    if let bytes = read.textBytes, text.count == read.text.count {
      return hasBeginning ? bytes : bytes - length(text[0..<1])
    }
    guard tokenizer != nil else { return nil }
    var sum = 0
    for start in Swift.stride(from: hasBeginning ? 0 : 1, to: text.count, by: 1 << 16) {
      sum += length(text[start..<min(text.count, start + 1 << 16)])
    }
    return sum
  }
}
