import Components
import Essentials
import Files
import Generation
import Models
import Tokenization

extension Run {
  /// Fills in the masked tokens of the prompt with the encoder `loaded`, and writes the text; the likeliest tokens for each
  /// go to standard error, or all into a document with --json.
  func fill(_ given: String?, _ loaded: LoadedModel) throws {
    let plan = loaded.description.plan
    guard plan.prediction == .tokens else { throw ModelProblem.noContinuation(plan.name, isEncoder: false) }
    if let option = optionForContinuations {
      throw Failure(
        .usage,
        "\(option) is for a text that is continued, and '\(plan.name)' is an encoder, which fills in masked tokens")
    }
    guard let tokenizer = loaded.tokenizer else {
      throw Failure(
        .failed, "the model has no tokenizer, which tells what a masked token is: give one with --tokenizer")
    }
    guard let mask = tokenizer.mask else {
      throw Failure(.invalid, "the tokenizer has no mark for a masked token, so '\(plan.name)' has nothing to fill in")
    }
    let ids = try tokens.map { try TokenList.ids($0) } ?? tokenizer.encode(given ?? "")
    guard ids.contains(mask.id) else {
      throw Failure(
        .invalid,
        "'\(plan.name)' is an encoder, which continues no text: write \(mask.name) where a token is to be filled in, or see 'chimera embed'"
      )
    }
    let executor = try loaded.executor(
      pool: options.pool, longest: ids.count, states: .f32, computeType: options.computeType())
    if profile { executor.startProfile() }
    let gaps = try MaskFiller(executor).fill(ids, mask: mask.id, count: max(1, logprobs ?? 5))
    var filled = ids
    for gap in gaps { filled[gap.position] = gap.choices.first?.id ?? mask.id }
    let text = tokenizer.decode(filled, skipSpecialTokens: true)
    if json {
      Console.write(
        JSONValue.object(document(given, plan, ids, filled, gaps, text, tokenizer)).serialized(pretty: true) + "\n")
    } else {
      Console.write(generated: text + "\n")
      if !quiet { Console.note(table(gaps, tokenizer)) }
    }
    if let profile = executor.profile { Console.note("\n" + ProfileText(profile: profile).text) }
  }

  /// An option that was given and says how a text is continued; nil for none.
  private var optionForContinuations: String? {
    if conversation.isWanted { return "--chat" }
    if constraint.isWanted { return "a grammar" }
    if prompts != nil { return "--prompts" }
    if beams != nil { return "--beams" }
    if bestOf != nil { return "--best-of" }
    if count > 1 { return "--count" }
    if drafting.draft != nil { return "--draft" }
    if jsonl { return "--jsonl" }
    return stop.isEmpty ? nil : "--stop"
  }

  private func table(_ gaps: [MaskFiller.Gap], _ tokenizer: Tokenizer) -> String {
    var table = TextTable([.left, .right, .left])
    for gap in gaps {
      for (rank, choice) in gap.choices.enumerated() {
        table.add(
          rank == 0 && gaps.count > 1 ? "token \(gap.position)" : "", exp(choice.logProbability).digits(4),
          tokenizer.decode([choice.id]))
      }
    }
    return table.text()
  }

  private func document(
    _ given: String?, _ plan: Plan, _ ids: [Int], _ filled: [Int], _ gaps: [MaskFiller.Gap], _ text: String,
    _ tokenizer: Tokenizer
  ) -> JSONObject {
    var document = JSONObject()
    document["model"] = .string(plan.name)
    document["prompt"] = given.map { .string($0) } ?? .null
    document["text"] = .string(text)
    document["prompt_tokens"] = .array(ids.map { .integer($0) })
    document["tokens"] = .array(filled.map { .integer($0) })
    document["masked"] = .array(
      gaps.map { gap in
        var entry = JSONObject()
        entry["position"] = .integer(gap.position)
        entry["choices"] = .array(
          gap.choices.map { choice in
            var object = JSONObject()
            object["id"] = .integer(choice.id)
            object["text"] = .string(tokenizer.decode([choice.id]))
            object["probability"] = .number(exp(choice.logProbability))
            return .object(object)
          })
        return .object(entry)
      })
    return document
  }
}
