import ArgumentParser
import Generation

/// How the next token is chosen; the options of every command that generates.
struct SamplingOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "Sampling temperature; 0 is greedy.") var temperature = 0.8
  @Option(parsing: .unconditional, help: "Top-k: sample from the k most likely; 0: all.") var topK = 0
  @Option(parsing: .unconditional, help: "Top-p: sample from the smallest set with this probability.")
  var topP = 1.0
  @Option(parsing: .unconditional, help: "Min-p: drop tokens below this part of the most likely.") var minP = 0.0
  @Option(
    parsing: .unconditional,
    help: .init("Typical-p: sample from the most typical with this probability.", visibility: .hidden))
  var typicalP = 1.0
  @Option(parsing: .unconditional, help: "Repetition penalty on recent tokens; 1 for none.") var repeatPenalty = 1.0
  @Option(
    parsing: .unconditional, help: .init("Lowers a logit for each time its token was generated.", visibility: .hidden))
  var frequencyPenalty = 0.0
  @Option(
    parsing: .unconditional, help: .init("Lowers the logits of all tokens that were generated.", visibility: .hidden))
  var presencePenalty = 0.0
  @Option(
    parsing: .unconditionalSingleValue,
    help: .init("Added to a token's logit: ID=NUMBER; -inf forbids it. May be repeated.", visibility: .hidden))
  var logitBias: [String] = []
  @Option(parsing: .unconditional, help: "Random seed. [another each time, told at the end]") var seed: UInt64?

  func validate() throws {
    var mistakes = Mistakes()
    check(&mistakes)
    try mistakes.check()
  }

  /// Notes what is wrong with the values.
  func check(_ mistakes: inout Mistakes) {
    mistakes.note("--temperature takes a number from 0 to 100", if: !(temperature >= 0 && temperature <= 100))
    mistakes.note("--top-k takes a number of at least 0", if: topK < 0)
    mistakes.note("--top-p takes a number above 0, up to 1", if: !(topP > 0 && topP <= 1))
    mistakes.note("--min-p takes a number from 0 to 1", if: !(minP >= 0 && minP <= 1))
    mistakes.note("--typical-p takes a number above 0, up to 1", if: !(typicalP > 0 && typicalP <= 1))
    mistakes.note("--repeat-penalty takes a number above 0", if: !(repeatPenalty > 0 && repeatPenalty <= 100))
    for (name, value) in [("frequency", frequencyPenalty), ("presence", presencePenalty)] {
      mistakes.note("--\(name)-penalty takes a number from -100 to 100", if: !(abs(value) <= 100))
    }
    for text in logitBias where Self.bias(text) == nil {
      mistakes.note("--logit-bias takes ID=NUMBER, not '\(text.prefix(40))'", if: true)
    }
  }

  private static func bias(_ text: String) -> (id: Int, value: Double)? {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, let id = Int(parts[0]), id >= 0, let value = Double(parts[1]), !value.isNaN,
      value < .infinity
    else { return nil }
    return (id, value)
  }

  /// What was asked for, with `seed` where the user gave none.
  func settings(seed fallback: UInt64) -> Sampler.Settings {
    var settings = Sampler.Settings()
    settings.temperature = temperature
    settings.topK = topK
    settings.topP = topP
    settings.minP = minP
    settings.typicalP = typicalP
    settings.repeatPenalty = repeatPenalty
    settings.frequencyPenalty = frequencyPenalty
    settings.presencePenalty = presencePenalty
    settings.bias = Dictionary(logitBias.compactMap(Self.bias), uniquingKeysWith: +)
    settings.seed = seed ?? fallback
    return settings
  }
}
