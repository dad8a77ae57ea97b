import Describing
import Execution
import Files
import Generation
import Models
import Tokenization

extension Run {
  /// What is told of a run beside its result.
  struct Shown {
    let prompt: String?
    let seed: UInt64
    let loaded: LoadedModel
  }

  /// Generates one text and writes it as it comes.
  func one(
    _ ids: [Int], _ settings: TextGenerator.Settings, _ executor: PlanExecutor, _ speculation: Speculation?,
    _ shown: Shown
  ) throws {
    let tokenizer = shown.loaded.tokenizer
    let generator = TextGenerator(executor, tokenizer: tokenizer, speculation: speculation)
    let result = try generator.generate(ids, settings) { text, id in
      if jsonl {
        var line = JSONObject()
        line["text"] = .string(text)
        line["id"] = id.map { .integer($0) } ?? .null
        Console.write(JSONValue.object(line).serialized() + "\n")
      } else if !json {
        Console.write(generated: tokenizer != nil ? text : id.map { "\($0) " } ?? "")
      }
      return true
    }
    if json || jsonl {
      Console.write(JSONValue.object(document([result], executor.profile, shown)).serialized(pretty: json) + "\n")
    } else {
      Console.write("\n")
    }
    noteIncomplete(result.isComplete == false ? 1 : 0, of: 1)
    if !quiet {
      Console.note(
        "prompt \(result.promptTokens.count.grouped) tokens, \(rate(result.promptRate)) tokens/s · "
          + "generated \(result.tokens.count) tokens, \(rate(result.generationRate)) tokens/s · \(result.ending.inWords)"
          + (result.drafts.map { " · \($0.inWords)" } ?? "") + seedNote(shown))
    }
  }

  /// Generates several texts from one prompt: all of them, or the likeliest.
  func several(_ ids: [Int], _ settings: TextGenerator.Settings, _ executor: PlanExecutor, _ shown: Shown) throws {
    let wanted = bestOf ?? count
    var results: [TextGenerator.Result?] = Array(repeating: nil, count: wanted)
    var next = 0
    let batch = BatchGenerator(executor, tokenizer: shown.loaded.tokenizer, together: together)
    try batch.generate(Array(repeating: ids, count: wanted), settings, seedsFrom: shown.seed) { index, result in
      results[index] = result
      while bestOf == nil, !json, next < wanted, let ready = results[next] {
        // An empty line between texts; each text is as it is.
        Console.write(generated: (next > 0 ? "\n" : "") + written(ready, shown) + "\n")
        next += 1
      }
    }
    var done = results.compactMap { $0 }
    if bestOf != nil, let best = done.max(by: { $0.meanLogProbability < $1.meanLogProbability }) {
      done = [best]
      if !json { Console.write(generated: written(best, shown) + "\n") }
    }
    if json {
      Console.write(JSONValue.object(document(done, executor.profile, shown)).serialized(pretty: true) + "\n")
    }
    noteIncomplete(done.count { $0.isComplete == false }, of: done.count)
    if !quiet {
      let tokens = results.reduce(0) { $0 + ($1?.tokens.count ?? 0) }
      Console.note(
        "\(wanted) texts of \(ids.count.grouped) prompt tokens, \(tokens.grouped) tokens generated"
          + (bestOf == nil ? "" : " · the likeliest has \(Quantity.digits(done[0].meanLogProbability)) a token")
          + seedNote(shown))
    }
  }

  /// Searches with beams and writes the best, or the `--count` best.
  func searched(
    _ ids: [Int], _ settings: TextGenerator.Settings, beams: Int, _ executor: PlanExecutor, _ shown: Shown
  ) throws {
    let found = try BeamSearch(executor, tokenizer: shown.loaded.tokenizer).generate(ids, beams: beams, settings)
    let best = found.prefix(count)
    if json {
      var document = document(best.map(\.result), executor.profile, shown)
      document["seed"] = nil
      document["scores"] = .array(best.map { .number($0.score) })
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else {
      Console.write(generated: best.map { written($0.result, shown) }.joined(separator: "\n\n") + "\n")
    }
    noteIncomplete(best.count { $0.result.isComplete == false }, of: best.count)
    if !quiet, let first = best.first {
      Console.note(
        "\(beams) beams · prompt \(ids.count.grouped) tokens · the best has \(first.result.tokens.count.grouped) tokens, "
          + "\(Quantity.digits(first.score)) each · \(first.result.ending.inWords)")
    }
  }

  /// Says that texts are only the beginning of what the grammar has.
  func noteIncomplete(_ count: Int, of all: Int) {
    if count == 0 { return }
    let texts = all == 1 ? "the text ends" : "\(count.grouped) of \(all.grouped) texts end"
    Console.note(
      "note: \(texts) before the grammar does; --max-tokens \(maxTokens) allows no more, or a stop text came")
  }

  private func written(_ result: TextGenerator.Result, _ shown: Shown) -> String {
    shown.loaded.tokenizer == nil ? result.tokens.map(String.init).joined(separator: " ") : result.text
  }

  private func seedNote(_ shown: Shown) -> String {
    sampling.temperature == 0 || sampling.seed != nil ? "" : " · --seed \(shown.seed)"
  }

  /// The document of one text, or of several under `samples`.
  private func document(_ results: [TextGenerator.Result], _ profile: Profile?, _ shown: Shown) -> JSONObject {
    var document = JSONObject()
    document["model"] = .string(shown.loaded.description.plan.name)
    document["prompt"] = shown.prompt.map { .string($0) } ?? .null
    if results.count == 1 {
      for (key, value) in members(of: results[0], shown) { document[key] = value }
    } else {
      document["prompt_tokens"] = .array(results[0].promptTokens.map { .integer($0) })
      document["samples"] = .array(
        results.map { result in
          var sample = members(of: result, shown)
          for key in ["prompt_tokens", "prompt_tokens_per_second", "tokens_per_second"] { sample[key] = nil }
          return .object(sample)
        })
    }
    if sampling.temperature > 0 { document["seed"] = .integer(Int(clamping: shown.seed)) }
    if let profile { document["profile"] = ProfileJSON(profile: profile).json }
    return document
  }

  private func members(of result: TextGenerator.Result, _ shown: Shown) -> JSONObject {
    var members = JSONObject()
    members["text"] = .string(result.text)
    members["prompt_tokens"] = .array(result.promptTokens.map { .integer($0) })
    members["tokens"] = .array(result.tokens.map { .integer($0) })
    members["ending"] = .string(result.ending.rawValue)
    if let isComplete = result.isComplete { members["complete"] = .bool(isComplete) }
    if logprobs != nil {
      let tokenizer = shown.loaded.tokenizer
      members["logprobs"] = .array(
        result.probabilities.map { probability in
          var entry = Self.choice(probability.token, tokenizer)
          entry["top"] = .array(probability.mostLikely.map { .object(Self.choice($0, tokenizer)) })
          return .object(entry)
        })
    }
    if let drafts = result.drafts { members["draft"] = .object(drafts.json) }
    members["prompt_tokens_per_second"] = .number(result.promptRate)
    members["tokens_per_second"] = .number(result.generationRate)
    return members
  }

  /// A token with its probability; the bytes are there where they are no whole characters.
  private static func choice(_ choice: TokenProbability.Choice, _ tokenizer: Tokenizer?) -> JSONObject {
    var object = JSONObject()
    object["id"] = .integer(choice.id)
    if let tokenizer {
      let bytes = tokenizer.bytes(of: choice.id) ?? []
      if let text = String(validating: bytes, as: UTF8.self) {
        object["text"] = .string(text)
      } else {
        object["bytes"] = .array(bytes.map { .integer(Int($0)) })
      }
    }
    object["logprob"] = .number(choice.logProbability)
    return object
  }

  private func rate(_ value: Double) -> String {
    value >= 100 ? String(Int(rounding: value, .towardZero)) : String((value * 10).rounded() / 10)
  }
}
