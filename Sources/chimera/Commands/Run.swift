import ArgumentParser
import Describing
import Essentials
import Execution
import Files
import Generation
import Grammars
import Models
import Tokenization

/// `chimera run`: continue a text, or answer a question.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Generate text with a model.",
    usage: "chimera run MODEL [PICTURE] [PROMPT] [options]",
    discussion: """
      The text goes to standard output as it is generated, the speed to standard error. --help-hidden lists more: beams, \
      --best-of, --prompt-file, penalties.

        chimera run story-llama "Once upon a time"
        chimera run model.gguf --chat "What is the capital of France?"
        echo "Once upon a time" | chimera run story-llama - --count 3
        chimera run my-variant.yaml --random-weights --max-tokens 20
        chimera run llava-folder cat.png "What is this?"
        chimera run llava-folder --image cat.png --image dog.png "Which is larger?"
        chimera run t5-folder "translate English to German: Good morning." --beams 4
      """)

  @Argument(help: "The model.") var model: String
  @Argument(help: "The prompt; '-' is standard input. [what is piped in, or the beginning-of-text token]")
  var prompt: String?
  @Argument(help: "The prompt, where a PNG or JPEG picture stands before it.") var question: String?
  @Option(help: "A PNG or JPEG picture to ask about; repeatable.") var image: [String] = []
  @OptionGroup var conversation: ChatOptions
  @Option(help: .init("A file with the prompt; '-' is standard input.", visibility: .hidden)) var promptFile: String?
  @Option(parsing: .unconditional, help: "The prompt as token ids: 1,2,3.") var tokens: String?
  @Option(help: "Generate from each line of this file: text, or JSON.") var prompts: String?
  @Option(parsing: .unconditional, help: .init("Maximum prompts in one batch.", visibility: .hidden)) var together = 8
  @Option(parsing: .unconditional, help: "Generate this many texts, each with its own seed.") var count = 1
  @Option(
    parsing: .unconditional,
    help: .init("Generate this many texts and write the one the model finds likeliest.", visibility: .hidden))
  var bestOf: Int?
  @Option(
    parsing: .unconditional, help: .init("Beam search with this many beams; nothing is sampled.", visibility: .hidden))
  var beams: Int?
  @Option(
    name: [.customShort("n"), .customLong("max-tokens")], parsing: .unconditional,
    help: "Maximum tokens to generate.")
  var maxTokens = 256
  @Option(
    parsing: .unconditional,
    help: .init(
      "Of a model that reads a text and writes another: what it begins to write with, such as a language's mark.",
      visibility: .hidden))
  var begin: String?
  @OptionGroup var sampling: SamplingOptions
  @OptionGroup var constraint: GrammarOptions
  @OptionGroup var drafting: DraftOptions
  @Option(help: "Stop before this text. May be repeated.") var stop: [String] = []
  @Flag(help: "When the context is full, continue with its last half.") var slide = false
  @Flag(help: "Continue after the end-of-text token.") var ignoreEnd = false
  @Flag(help: "Write one JSON document instead of the text.") var json = false
  @Flag(help: "Write a JSON line for each token, and the document at the end.") var jsonl = false
  @Option(parsing: .unconditional, help: "Note the K likeliest tokens at each place, in JSON.")
  var logprobs: Int?
  @Flag(name: .shortAndLong, help: "Do not print the speed.") var quiet = false
  @Flag(help: .init("Print a profile of the time on standard error.", visibility: .hidden)) var profile = false
  @OptionGroup var cache: CacheOption
  @OptionGroup var options: RunOptions

  mutating func validate() throws {
    if let asked = question, let picture = prompt {
      guard Self.isPicture(picture) else {
        throw ValidationError("Unexpected argument '\(asked)'")
      }
      image.insert(picture, at: 0)
      (prompt, question) = (asked, nil)
    }
    var mistakes = Mistakes()
    mistakes.note("--max-tokens takes a number of at least 1", if: maxTokens < 1)
    sampling.check(&mistakes)
    constraint.check(
      &mistakes, readsInput: prompt == "-" || promptFile == "-" || prompts == "-" || conversation.messages == "-")
    mistakes.note(
      "--grammar and --json-schema end where they do; leave out --ignore-end", if: constraint.isWanted && ignoreEnd)
    mistakes.note("a prompt and --tokens exclude each other", if: prompt != nil && tokens != nil)
    mistakes.note(
      "--prompt-file and another prompt exclude each other",
      if: promptFile != nil && (prompt != nil || tokens != nil || prompts != nil))
    mistakes.note(
      "--prompts and a prompt exclude each other",
      if: prompts != nil && (prompt != nil || tokens != nil || conversation.messages != nil))
    mistakes.note("--together takes a number from 1 to 256", if: !(1...256).contains(together))
    mistakes.note("--count takes a number from 1 to 10000", if: !(1...10_000).contains(count))
    mistakes.note("--best-of takes a number from 1 to 10000", if: bestOf.map { !(1...10_000).contains($0) } ?? false)
    mistakes.note("--best-of and --count exclude each other", if: bestOf != nil && count > 1)
    let several = max(count, bestOf ?? 1) > 1
    mistakes.note(
      "at temperature 0 all texts are the same; --count and --best-of want another temperature",
      if: several && sampling.temperature == 0 && beams == nil)
    mistakes.note("--count and --best-of are for one prompt, not for --prompts", if: several && prompts != nil)
    mistakes.note("--beams takes a number from 1 to 64", if: beams.map { !(1...64).contains($0) } ?? false)
    mistakes.note(
      "--beams is for one text without sampling: not with --best-of, --prompts, --jsonl, --logprobs, --slide or penalties",
      if: beams != nil
        && (bestOf != nil || prompts != nil || jsonl || logprobs != nil || slide || !sampling.logitBias.isEmpty
          || sampling.repeatPenalty != 1 || sampling.frequencyPenalty != 0 || sampling.presencePenalty != 0)
    )
    drafting.check(&mistakes)
    mistakes.note(
      "--draft is for one text: not with --count, --best-of, --beams or --prompts",
      if: drafting.draft != nil && (several || beams != nil || prompts != nil))
    mistakes.note("--count is at most --beams", if: beams.map { count > $0 } ?? false)
    mistakes.note("--begin and --prompts exclude each other", if: begin != nil && prompts != nil)
    mistakes.note("--json and --jsonl exclude each other", if: json && jsonl)
    mistakes.note("--jsonl is for one text", if: jsonl && (several || prompts != nil))
    mistakes.note("--logprobs takes a number from 0 to 100", if: logprobs.map { !(0...100).contains($0) } ?? false)
    mistakes.note("--logprobs goes with --json or --jsonl", if: logprobs != nil && !json && !jsonl)
    mistakes.note(
      "--image is for one prompt that is not continued beyond its context: not with --prompts, --begin or --slide",
      if: !image.isEmpty && (prompts != nil || begin != nil || slide))
    conversation.check(
      &mistakes,
      hasPrompt: prompt != nil || prompts != nil || promptFile != nil
        || conversation.messages == nil && tokens == nil && !constraint.readsInput && StandardInput.isPipedOnce)
    mistakes.note("--chat wants text, not --tokens", if: conversation.isWanted && tokens != nil)
    try mistakes.check()
  }

  /// Whether `path` is meant as a picture's, as its ending says.
  private static func isPicture(_ path: String) -> Bool {
    [".png", ".jpg", ".jpeg"].contains { path.lowercased().hasSuffix($0) }
  }

  func run() throws {
    let seed = sampling.seed ?? UInt64.random(in: 0..<1 << 53)
    if let prompts { return try answer(promptsAt: prompts, seed: seed) }
    let grammar = try constraint.compiled()
    let given = try givenPrompt()
    let loaded = try options.load(model, seed: sampling.seed ?? 0, length: maxTokens)
    let plan = loaded.description.plan
    if begin != nil, plan.otherAxes.isEmpty || !plan.pictureStacks.isEmpty {
      throw Failure(
        .usage, "--begin is for models that read one text and write another; here the prompt begins the text")
    }
    if !image.isEmpty, plan.pictureStacks.isEmpty {
      throw ModelProblem.picture("'\(plan.name)' reads no pictures: it has no stack of patches")
    }
    if plan.seesWholeTexts { return try fill(given, loaded) }
    var (ids, settings) =
      try plan.otherAxes.isEmpty
      ? prepared(given, loaded, seed: seed)
      : plan.pictureStacks.isEmpty
        ? preparedFromSource(given, loaded, seed: seed) : preparedWithPictures(given, loaded, seed: seed)
    if plan.lets(.prompt) {
      if slide { throw Failure(.usage, "--slide would leave tokens out that see each other in this model") }
      settings.prefix = ids.count
    }
    settings.grammar = try Self.over(grammar, loaded.tokenizer)
    let executor = try loaded.executor(
      pool: options.pool, longest: plan.otherAxes.isEmpty ? nil : rows(of: settings, prompt: ids.count),
      states: cache.format,
      computeType: options.computeType())
    let speculation = try drafting.speculation(
      for: loaded, options, cache: cache, seed: sampling.seed ?? 0, length: maxTokens)
    if profile { executor.startProfile() }
    if loaded.tokenizer == nil {
      Console.note("note: the model has no tokenizer, so token ids are written; give one with --tokenizer")
    }
    let shown = Shown(prompt: given, seed: seed, loaded: loaded)
    if let beams {
      try searched(ids, settings, beams: beams, executor, shown)
    } else if max(count, bestOf ?? 1) > 1 {
      try several(ids, settings, executor, shown)
    } else {
      try one(ids, settings, executor, speculation, shown)
    }
    if let profile = executor.profile { Console.note("\n" + ProfileText(profile: profile).text) }
  }

  /// The grammar over the model's tokens; throws where there is no tokenizer to tell them.
  static func over(_ grammar: Grammar?, _ tokenizer: Tokenizer?) throws -> TokenGrammar? {
    guard let grammar else { return nil }
    guard let tokenizer else {
      throw Failure(.failed, "the model has no tokenizer, which a grammar needs: give one with --tokenizer")
    }
    return TokenGrammar(grammar, tokenizer)
  }

  /// The prompt as a text: given, in a file, or piped in; nil where there is none.
  private func givenPrompt() throws -> String? {
    if let promptFile { return try StandardInput.prompt(ofFile: promptFile) }
    if prompt == "-" { return try StandardInput.prompt(ofFile: "-") }
    if prompt != nil || tokens != nil || conversation.messages != nil { return prompt }
    guard !constraint.readsInput, StandardInput.isPipedOnce else { return nil }
    return try StandardInput.prompt(ofFile: "-")
  }

  /// What was asked for, with the texts and tokens that end an answer.
  func settings(stops: [String], ends: Set<Int> = [], beginsText: Bool, seed: UInt64) -> TextGenerator.Settings {
    var settings = TextGenerator.Settings()
    settings.maximumTokens = maxTokens
    // A grammar says where an answer ends; what ends a turn could stand inside of it.
    settings.stops = stop + (constraint.isWanted ? [] : stops)
    settings.ends = ends
    settings.beginsText = beginsText
    settings.slides = slide
    settings.ignoresEnd = ignoreEnd
    settings.logProbabilities = logprobs ?? (bestOf == nil ? nil : 0)
    settings.sampling = sampling.settings(seed: seed)
    return settings
  }

  /// The ids of the prompt, and what ends its continuation.
  func prepared(_ given: String?, _ loaded: LoadedModel, seed: UInt64) throws -> ([Int], TextGenerator.Settings) {
    let plain = settings(stops: [], beginsText: given == nil, seed: seed)
    if let tokens { return (try TokenList.ids(tokens), plain) }
    guard let tokenizer = loaded.tokenizer else {
      if given != nil || conversation.isWanted {
        throw Failure(
          .failed, "the model has no tokenizer: give one with --tokenizer, or the prompt as --tokens 1,2,3")
      }
      return ([0], plain)
    }
    if given != nil || conversation.isWanted {
      let encoded = try encoded(given, loaded, tokenizer)
      return (
        encoded.ids,
        settings(stops: encoded.stops, ends: encoded.ends, beginsText: conversation.isWanted, seed: seed)
      )
    }
    guard let start = tokenizer.beginningOfText ?? tokenizer.endOfText.min() else { return ([0], plain) }
    return ([start], plain)
  }

  /// The ids of a text, as a question with --chat, and what ends an answer.
  func encoded(_ prompt: String?, _ loaded: LoadedModel, _ tokenizer: Tokenizer) throws -> (
    ids: [Int], stops: [String], ends: Set<Int>
  ) {
    guard conversation.isWanted else {
      let prompt = prompt ?? ""
      try tokenizer.requireEncodable(prompt)
      Console.note(leftOut: tokenizer.leftOut(of: prompt))
      let ids = tokenizer.encode(prompt)
      if ids.isEmpty { throw Failure(.usage, "the prompt is empty; without a prompt the model begins by itself") }
      return (ids, [], [])
    }
    let chat = try ChatPrompt(
      try conversation.conversation(prompt),
      try ChatPrompt.template(of: loaded, otherwise: "leave out --chat, or "), tokenizer)
    return (chat.ids, chat.stops, chat.ends)
  }
}

extension StandardInput {
  /// `isPiped`, looked at once.
  static let isPipedOnce = isPiped
}
