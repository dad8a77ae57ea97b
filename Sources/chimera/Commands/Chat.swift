import ArgumentParser
import Files
import Generation
import Grammars
import Models
import Tokenization

/// `chimera chat`: a conversation in the terminal.
struct Chat: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat",
    abstract: "Talk to a model.",
    usage: "chimera chat MODEL [options]",
    discussion: """
      Answers go to standard output. /help lists what can be done, /quit or Ctrl-D ends; Ctrl-C stops an answer, twice at the \
      prompt it ends the program. Where standard input is no terminal each line is a turn.

        chimera chat smollm2-135m-instruct
        chimera chat model.gguf --system "Answer in one sentence." --temperature 0
        printf 'Hi\\nAnd you?\\n' | chimera chat model.gguf
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "The system message.") var system: String?
  @Option(help: "Begin with this conversation: what /save wrote, a JSON list, or a JSON message a line.")
  var load: String?
  @Option(help: "Tools that the model is told of: a JSON file with a list of schemas.") var tools: String?
  @Option(help: "The name of the chat template, where a model has several.") var chatTemplate: String?
  @Option(
    name: [.customShort("n"), .customLong("max-tokens")], parsing: .unconditional,
    help: "Maximum tokens of an answer.")
  var maxTokens = 1024
  @OptionGroup var sampling: SamplingOptions
  @OptionGroup var constraint: GrammarOptions
  @OptionGroup var drafting: DraftOptions
  @Flag(name: .shortAndLong, help: "Print answers and errors only.") var quiet = false
  @OptionGroup var cache: CacheOption
  @OptionGroup var options: RunOptions

  func validate() throws {
    var mistakes = Mistakes()
    mistakes.note("--max-tokens takes a number of at least 1", if: maxTokens < 1)
    sampling.check(&mistakes)
    constraint.check(&mistakes, readsInput: load == "-" || tools == "-")
    drafting.check(&mistakes)
    mistakes.note(
      "turns come through standard input; --grammar and --json-schema take a file", if: constraint.readsInput)
    try mistakes.check()
  }

  func run() throws {
    let grammar = try constraint.compiled()
    let begun = try load.map { try MessageFile.messages(at: $0) } ?? []
    let tools = try tools.map { try MessageFile.tools(at: $0) }
    let seed = sampling.seed ?? UInt64.random(in: 0..<1 << 53)
    let loaded = try options.load(model, seed: sampling.seed ?? 0, length: maxTokens)
    try loaded.description.plan.requireContinuation()
    guard let tokenizer = loaded.tokenizer else {
      throw Failure(.failed, "the model has no tokenizer: give one with --tokenizer")
    }
    let template = try ChatPrompt.template(of: loaded)
    let executor = try loaded.executor(pool: options.pool, states: cache.format, computeType: options.computeType())
    let speculation = try drafting.speculation(
      for: loaded, options, cache: cache, seed: sampling.seed ?? 0, length: maxTokens)
    var settings = TextGenerator.Settings()
    settings.maximumTokens = maxTokens
    settings.sampling = sampling.settings(seed: seed)
    settings.logProbabilities = 5
    settings.grammar = try Run.over(grammar, tokenizer)
    var conversation = Conversation(messages: begun, tools: tools, template: chatTemplate)
    if let system { conversation.set(system: system) }
    var loop = ChatLoop(
      name: loaded.description.plan.name, conversation: conversation, settings: settings, template: template,
      tokenizer: tokenizer, session: TextSession(executor, tokenizer: tokenizer, speculation: speculation),
      isQuiet: quiet)
    try loop.run()
  }
}
