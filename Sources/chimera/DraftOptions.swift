import ArgumentParser
import Components
import Composition
import Execution
import Generation
import Models
import Tokenization

/// Who proposes tokens that the model then decides on; the options of every command that writes one text.
struct DraftOptions: ParsableArguments {
  @Option(help: "Draft by a smaller model, or 'prompt': repetitions.".with("model"))
  var draft: String?
  @Option(
    parsing: .unconditional,
    help: .init(
      "Maximum tokens that are drafted at once, 1 to \(Speculation.mostProposals). [8; 3 with K-quants]",
      visibility: .hidden))
  var draftTokens: Int?

  /// What stands for the text itself instead of a model.
  private static let prompt = "prompt"

  /// Notes what is wrong with the values.
  func check(_ mistakes: inout Mistakes) {
    mistakes.note("--draft takes the name of a model, or 'prompt'", if: draft?.isEmpty == true)
    let range = 1...Speculation.mostProposals
    mistakes.note(
      "--draft-tokens takes a number from 1 to \(range.upperBound)",
      if: draftTokens.map { !range.contains($0) } ?? false)
    mistakes.note("--draft-tokens goes with --draft", if: draftTokens != nil && draft == nil)
  }

  /// The draft's model; nil where there is none. Its weights are its own: what changes the text's model changes it not.
  private func load(_ options: RunOptions, seed: UInt64, length: Int) throws -> LoadedModel? {
    guard let draft, draft != Self.prompt else { return nil }
    let models = try options.model.zoo().models
    let described = try models.describe(draft, patches: [], weights: nil, preparing: !options.randomWeights)
    for note in described.notes { Console.note("note: the draft: \(note)") }
    if options.randomWeights, case .specification = described.source {
      return try models.untrained(described, seed: seed, length: length)
    }
    return try models.load(described)
  }

  /// Who proposes for the text of `loaded`; nil where nobody does. Throws `Failure` where the draft has other tokens.
  func speculation(
    for loaded: LoadedModel, _ options: RunOptions, cache: CacheOption, seed: UInt64, length: Int
  ) throws -> Speculation? {
    guard draft != nil else { return nil }
    let plan = loaded.description.plan
    if draft != Self.prompt, !plan.otherAxes.isEmpty {
      throw Failure(
        .usage, "'\(plan.name)' writes of a text that it reads, for which no model drafts; --draft prompt does")
    }
    guard let smaller = try load(options, seed: seed, length: length) else {
      return Speculation(PromptDrafter(), most: most(for: loaded))
    }
    let own = smaller.description.plan
    try own.requireContinuation()
    try requireSameTokens(loaded, smaller)
    let executor = try smaller.executor(
      pool: options.pool, states: cache.format, computeType: options.computeType())
    // A pass of one row mostly reads weights; small ones are read at the rate of their arithmetic.
    let bytes = Double(smaller.parameters.byteCount) / Double(max(1, loaded.parameters.byteCount))
    let operations = Double(own.flopsPerToken(context: 256)) / Double(max(1, plan.flopsPerToken(context: 256)))
    return Speculation(
      ModelDrafter(executor, cost: min(1, max(bytes, 0.3 * operations)), vocabulary: plan.logits.width),
      most: most(for: loaded))
  }

  /// How many tokens are drafted at once: formats of wide blocks are unpacked first for more than four rows.
  private func most(for loaded: LoadedModel) -> Int {
    let formats = loaded.description.plan.parameters.indices.map { loaded.parameters.format(of: $0) }
    return draftTokens ?? (formats.contains { $0.elementsPerBlock >= 256 } ? 3 : 8)
  }

  private func requireSameTokens(_ loaded: LoadedModel, _ draft: LoadedModel) throws {
    let names = "'\(draft.description.plan.name)' cannot draft for '\(loaded.description.plan.name)'"
    guard let tokens = loaded.tokenizer, let others = draft.tokenizer else {
      let (count, other) = (loaded.description.plan.logits.width, draft.description.plan.logits.width)
      // Where both have none, ids are all that is known.
      if loaded.tokenizer == nil, draft.tokenizer == nil, count == other { return }
      let which = loaded.tokenizer == nil ? loaded : draft
      throw Failure(
        .invalid,
        loaded.tokenizer == nil && draft.tokenizer == nil
          ? "\(names): it has \(other.grouped) tokens, and the model \(count.grouped)"
          : "\(names): '\(which.description.plan.name)' has no tokenizer, so nobody knows whether their tokens are the same"
      )
    }
    guard let id = tokens.firstDifference(from: others) else { return }
    throw Failure(
      .invalid,
      "\(names): they have vocabularies of \(others.count.grouped) and \(tokens.count.grouped) tokens, and token \(id.grouped) is "
        + "\(shown(id, others)) in one and \(shown(id, tokens)) in the other; a draft has the tokenizer of the model")
  }

  private func shown(_ id: Int, _ tokenizer: Tokenizer) -> String {
    guard id < tokenizer.count else { return "nothing" }
    guard let piece = tokenizer.piece(of: id) else { return "without a text" }
    return "'\(String(piece.prefix(40)).debugDescription.dropFirst().dropLast())'"
  }
}
