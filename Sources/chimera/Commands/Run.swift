import Describing
import ArgumentParser
import Execution
import Files
import Foundation
import Generation
import Models
import Tokenization

/// `chimera run`: continue a text, or answer a question.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Generate text with a model.",
    usage: "chimera run MODEL [PROMPT] [options]",
    discussion: """
      The text goes to standard output as it is generated, the speed to standard error.

        chimera run story-llama "Once upon a time"
        chimera run model.gguf --chat "What is the capital of France?"
        chimera run my-variant.yaml --random-weights --max-tokens 20
      """)

  @Argument(help: "The model.") var model: String
  @Argument(help: "The prompt. [the beginning-of-text token]") var prompt: String?
  @Flag(help: "Put the prompt into the model's chat template.") var chat = false
  @Option(help: "The system message, with --chat.") var system: String?
  @Option(parsing: .unconditional, help: "The prompt as token ids: 1,2,3.") var tokens: String?
  @Option(help: "Generate from each line of this file: text, or JSON.") var prompts: String?
  @Option(parsing: .unconditional, help: "Maximum prompts in one batch.") var together = 8
  @Option(
    name: [.customShort("n"), .customLong("max-tokens")], parsing: .unconditional,
    help: "Maximum tokens to generate.")
  var maxTokens = 256
  @Option(parsing: .unconditional, help: "Sampling temperature; 0 is greedy.") var temperature =
    0.8
  @Option(parsing: .unconditional, help: "Top-k: sample from the k most likely; 0: all.") var topK = 0
  @Option(
    parsing: .unconditional, help: "Top-p: sample from the smallest set with this probability.")
  var topP = 1.0
  @Option(parsing: .unconditional, help: "Min-p: drop tokens below this part of the most likely.")
  var minP = 0.0
  @Option(parsing: .unconditional, help: "Repetition penalty on recent tokens; 1 for none.") var repeatPenalty = 1.0
  @Option(parsing: .unconditional, help: "Random seed.") var seed: UInt64 = 0
  @Option(help: "Stop before this text. May be repeated.") var stop: [String] = []
  @Flag(help: "When the context is full, continue with its last half.") var slide = false
  @Flag(help: "Continue after the end-of-text token.") var ignoreEnd = false
  @Flag(help: "Write one JSON document instead of the text.") var json = false
  @Flag(name: .shortAndLong, help: "Do not print the speed.") var quiet = false
  @Flag(help: "Print a profile of the time on standard error.") var profile = false
  @OptionGroup var cache: CacheOption
  @OptionGroup var options: RunOptions

  func validate() throws {
    var mistakes = Mistakes()
    mistakes.note("--max-tokens takes a number of at least 1", if: maxTokens < 1)
    mistakes.note("--temperature takes a number from 0 to 100", if: !(temperature >= 0 && temperature <= 100))
    mistakes.note("--top-k takes a number of at least 0", if: topK < 0)
    mistakes.note("--top-p takes a number above 0, up to 1", if: !(topP > 0 && topP <= 1))
    mistakes.note("--min-p takes a number from 0 to 1", if: !(minP >= 0 && minP <= 1))
    mistakes.note("--repeat-penalty takes a number above 0", if: !(repeatPenalty > 0 && repeatPenalty <= 100))
    mistakes.note("a prompt and --tokens exclude each other", if: prompt != nil && tokens != nil)
    mistakes.note("--prompts and a prompt exclude each other", if: prompts != nil && (prompt != nil || tokens != nil))
    mistakes.note("--together takes a number from 1 to 256", if: !(1...256).contains(together))
    mistakes.note("--chat needs a question", if: chat && prompt == nil && prompts == nil)
    mistakes.note("--system goes with --chat", if: system != nil && !chat)
    try mistakes.check()
  }

  func run() throws {
    if let prompts { return try answer(promptsAt: prompts) }
    let loaded = try options.load(model, seed: seed, length: maxTokens)
    let (ids, stops) = try prepared(loaded)
    let executor = try loaded.executor(pool: options.pool, states: cache.format, computeType: options.computeType())
    if profile { executor.startProfile() }
    let settings = settings(stops: stops, beginsText: prompt == nil || chat)
    let hasText = loaded.tokenizer != nil
    if !hasText {
      Console.note("note: the model has no tokenizer, so token ids are written; give one with --tokenizer")
    }
    let result = try TextGenerator(executor, tokenizer: loaded.tokenizer).generate(ids, settings) { text, id in
      if !json { Console.write(generated: hasText ? text : id.map { "\($0) " } ?? "") }
      return true
    }
    if json {
      Console.write(document(loaded, result, executor.profile).serialized(pretty: true) + "\n")
    } else {
      Console.write("\n")
    }
    if !quiet {
      Console.note(
        "prompt \(result.promptTokens.count.grouped) tokens, \(rate(result.promptRate)) tokens/s · "
          + "generated \(result.tokens.count) tokens, \(rate(result.generationRate)) tokens/s · \(result.ending.inWords)"
      )
    }
    if let profile = executor.profile { Console.note("\n" + ProfileText(profile: profile).text) }
  }

  /// What was asked for, with the texts that end an answer.
  func settings(stops: [String], beginsText: Bool) -> TextGenerator.Settings {
    var settings = TextGenerator.Settings()
    settings.maximumTokens = maxTokens
    settings.stops = stop + stops
    settings.beginsText = beginsText
    settings.slides = slide
    settings.ignoresEnd = ignoreEnd
    settings.sampling.temperature = temperature
    settings.sampling.topK = topK
    settings.sampling.topP = topP
    settings.sampling.minP = minP
    settings.sampling.repeatPenalty = repeatPenalty
    settings.sampling.seed = seed
    return settings
  }

  /// The ids of the prompt, and the texts that end an answer.
  private func prepared(_ loaded: LoadedModel) throws -> ([Int], stops: [String]) {
    if let tokens { return (try TokenList.ids(tokens), []) }
    guard let tokenizer = loaded.tokenizer else {
      if prompt != nil {
        throw Failure(
          .failed, "the model has no tokenizer: give one with --tokenizer, or the prompt as --tokens 1,2,3")
      }
      return ([0], [])
    }
    guard let prompt else {
      guard let start = tokenizer.beginningOfText ?? tokenizer.endOfText.min() else { return ([0], []) }
      return ([start], [])
    }
    return try encoded(prompt, loaded, tokenizer)
  }

  /// The ids of a text, as a question with --chat, and the texts that end an answer.
  func encoded(_ prompt: String, _ loaded: LoadedModel, _ tokenizer: Tokenizer) throws -> ([Int], stops: [String]) {
    guard chat else {
      try tokenizer.requireEncodable(prompt)
      Console.note(leftOut: tokenizer.leftOut(of: prompt))
      let ids = tokenizer.encode(prompt)
      if ids.isEmpty { throw Failure(.usage, "the prompt is empty; without a prompt the model begins by itself") }
      return (ids, [])
    }
    guard let template = loaded.chat else {
      throw Failure(.failed, "the model has no chat template; leave out --chat, or set one: --set chat=chatml")
    }
    // The template writes its own beginning; a tokenizer that always adds one still does.
    return (tokenizer.encode(template.text(user: prompt, system: system)), template.stops)
  }

  private func document(_ loaded: LoadedModel, _ result: TextGenerator.Result, _ profile: Profile?) -> JSONValue {
    var document = JSONObject()
    document["model"] = .string(loaded.description.plan.name)
    document["prompt"] = prompt.map { .string($0) } ?? .null
    document["text"] = .string(result.text)
    document["prompt_tokens"] = .array(result.promptTokens.map { .integer($0) })
    document["tokens"] = .array(result.tokens.map { .integer($0) })
    document["ending"] = .string(result.ending.rawValue)
    document["prompt_tokens_per_second"] = .number(result.promptRate)
    document["tokens_per_second"] = .number(result.generationRate)
    if let profile { document["profile"] = ProfileJSON(profile: profile).json }
    return .object(document)
  }

  private func rate(_ value: Double) -> String {
    value >= 100 ? String(Int(rounding: value, .towardZero)) : String((value * 10).rounded() / 10)
  }
}
