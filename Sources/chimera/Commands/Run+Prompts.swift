import Composition
import Describing
import Execution
import Files
import Generation
import Models

extension Run {
  /// Continues the prompts of a file together and writes the results: with --json a line for each as it ends, else the
  /// texts in the order of the file.
  func answer(promptsAt path: String, seed: UInt64) throws {
    let grammar = try constraint.compiled()
    let texts = try PromptFile(path: path).prompts
    let loaded = try options.load(model, seed: sampling.seed ?? 0, length: maxTokens)
    try loaded.description.plan.requireContinuation()
    if loaded.description.plan.lets(.prompt) {
      throw Failure(
        .usage,
        "--prompts takes several prompts together, and in this model each lets its own tokens see each other: give one")
    }
    guard let tokenizer = loaded.tokenizer else {
      throw Failure(.failed, "the model has no tokenizer: give one with --tokenizer")
    }
    var stops: [String] = []
    var ends: Set<Int> = []
    let prompts = try texts.map { text in
      let encoded = try encoded(text, loaded, tokenizer)
      (stops, ends) = (encoded.stops, encoded.ends)
      return encoded.ids
    }
    let executor = try loaded.executor(pool: options.pool, states: cache.format, computeType: options.computeType())
    if profile { executor.startProfile() }
    var held: [Int: String] = [:]
    var (next, read, written) = (0, 0, 0)
    let clock = ContinuousClock()
    let start = clock.now
    var settings = settings(stops: stops, ends: ends, beginsText: conversation.isWanted, seed: seed)
    settings.grammar = try Self.over(grammar, tokenizer)
    var incomplete = 0
    try BatchGenerator(executor, tokenizer: tokenizer, together: together)
      .generate(prompts, settings) { index, result in
        if result.isComplete == false { incomplete += 1 }
        read += result.promptTokens.count
        written += result.tokens.count
        if json {
          var line = JSONObject()
          line["index"] = .integer(index)
          line["prompt"] = .string(texts[index])
          line["text"] = .string(result.text)
          line["prompt_tokens"] = .integer(result.promptTokens.count)
          line["tokens"] = .array(result.tokens.map { .integer($0) })
          line["ending"] = .string(result.ending.rawValue)
          if let isComplete = result.isComplete { line["complete"] = .bool(isComplete) }
          Console.write(JSONValue.object(line).serialized(pretty: false) + "\n")
          return
        }
        held[index] = result.text
        while let text = held.removeValue(forKey: next) {
          Console.write(generated: text + "\n")
          next += 1
        }
      }
    let seconds = (clock.now - start).inSeconds
    noteIncomplete(incomplete, of: prompts.count)
    if !quiet {
      Console.note(
        "\(prompts.count) prompts, \(together) together: \(read.grouped) prompt tokens and \(written.grouped) generated in "
          + "\(Quantity.digits(seconds)) s, \(Quantity.digits(Double(read + written) / seconds)) tokens/s")
    }
    if let profile = executor.profile { Console.note("\n" + ProfileText(profile: profile).text) }
  }
}
