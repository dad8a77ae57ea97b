import Components
import Essentials
import Execution
import Generation
import Models
import Tokenization

extension Run {
  /// What a model that reads one text and writes another begins to write with, and its settings: the prompt is what it reads.
  func preparedFromSource(
    _ given: String?, _ loaded: LoadedModel, seed: UInt64
  ) throws -> ([Int], TextGenerator.Settings) {
    let plan = loaded.description.plan
    if let option = optionForOneText {
      throw Failure(
        .usage,
        "\(option) is for a text that is continued, and '\(plan.name)' reads the prompt and writes another text")
    }
    guard plan.otherAxes.count == 1, plan.axes[plan.otherAxes[0].index].inputWidth == nil else {
      throw ModelProblem.noSource(plan.name, stacks: plan.otherAxes.map { plan.axes[$0.index].name })
    }
    let axis = plan.otherAxes[0]
    let source = try source(given, loaded)
    let limit = plan.longestInput(on: axis)
    if source.count > limit {
      throw ModelProblem.longPrompt(tokens: source.count, limit: limit, isFirm: plan.axes[axis.index].longest != nil)
    }
    let start = try DecoderStart(in: loaded.description.source.folder)
    var ids = start.tokens
    if ids.isEmpty { ids = [loaded.tokenizer?.beginningOfText ?? 0] }
    if let begin {
      guard let tokenizer = loaded.tokenizer else {
        throw Failure(.failed, "the model has no tokenizer, which --begin needs: give one with --tokenizer")
      }
      ids += tokenizer.encode(begin, addSpecialTokens: false)
    }
    var settings = settings(stops: [], beginsText: begin == nil, seed: seed)
    settings.beside = [axis: .tokens(source)]
    settings.suppressed = start.suppressed
    return (ids, settings)
  }

  /// How many rows of other stacks are computed at once with `settings`.
  func rows(of settings: TextGenerator.Settings, prompt tokens: Int) -> Int {
    // Rows of pictures stand in the places of as many tokens, and what sees each other is computed at once.
    let rows =
      settings.beside.values.map { if case .tokens(let ids) = $0 { ids.count } else { tokens } }.max()
      ?? (settings.prefix > 0 ? tokens : 0)
    return rows * (beams == nil ? min(max(count, bestOf ?? 1), together) : 1)
  }

  /// The ids of the text that is read.
  private func source(_ given: String?, _ loaded: LoadedModel) throws -> [Int] {
    if let tokens { return try TokenList.ids(tokens) }
    guard let given else {
      throw Failure(
        .usage, "'\(loaded.description.plan.name)' writes of a text that it reads: give it one as the prompt")
    }
    guard let tokenizer = loaded.tokenizer else {
      throw Failure(
        .failed, "the model has no tokenizer: give one with --tokenizer, or the prompt as --tokens 1,2,3")
    }
    try tokenizer.requireEncodable(given)
    Console.note(leftOut: tokenizer.leftOut(of: given))
    let ids = tokenizer.encode(given)
    if ids.isEmpty { throw Failure(.usage, "the prompt is empty") }
    return ids
  }

  /// An option that was given and says how one text is continued; nil for none.
  private var optionForOneText: String? {
    if conversation.isWanted { return "--chat" }
    return slide ? "--slide" : nil
  }
}
