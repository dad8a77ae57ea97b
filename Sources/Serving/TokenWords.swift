import Files
import Generation
import Tokenization

/// How tokens and their probabilities are written in answers.
struct TokenWords: Sendable {
  let tokenizer: Tokenizer?

  /// The bytes of a token; those of its number where there is no tokenizer.
  func bytes(_ id: Int) -> [UInt8] {
    guard let tokenizer else { return Array("\(id) ".utf8) }
    return tokenizer.bytes(of: id) ?? []
  }

  /// A token as text; one that is a part of a character as `bytes:\xE2\x80`, for two of them must not look alike.
  func text(_ id: Int) -> String {
    let bytes = bytes(id)
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    return "bytes:"
      + bytes.map {
        "\\x" + (String($0, radix: 16, uppercase: true).count < 2 ? "0" : "") + String($0, radix: 16, uppercase: true)
      }
      .joined()
  }

  /// JSON has no −∞, which a token of probability 0 has.
  static func number(_ logProbability: Double) -> JSONValue { .number(max(logProbability, -9999)) }

  /// The list of chat's `logprobs.content`.
  func content(_ probabilities: [TokenProbability]) -> JSONValue {
    .array(
      probabilities.map { one in
        var entry = entry(one.token)
        entry["top_logprobs"] = .array(one.mostLikely.map { .object(self.entry($0)) })
        return .object(entry)
      })
  }

  private func entry(_ choice: TokenProbability.Choice) -> JSONObject {
    var entry = JSONObject()
    entry["token"] = .string(text(choice.id))
    entry["logprob"] = Self.number(choice.logProbability)
    entry["bytes"] = .array(bytes(choice.id).map { .integer(Int($0)) })
    return entry
  }

  /// The lists of a completion's `logprobs`, for some tokens in a row; the first of a text has no probability.
  ///
  /// Offsets are in characters (Unicode scalars), from `start`, which they move on. A token of a row has an offset of its own
  /// also where a character is spread over several.
  func lists(_ tokens: [(id: Int, probability: TokenProbability?)], likeliest: Int, start: inout Int) -> JSONValue {
    var (texts, numbers, tops, offsets, all) = (
      [JSONValue](), [JSONValue](), [JSONValue](), [JSONValue](), [JSONValue]()
    )
    for (id, probability) in tokens {
      let bytes = bytes(id)
      texts.append(.string(text(id)))
      offsets.append(.integer(start))
      all.append(.array(bytes.map { .integer(Int($0)) }))
      start += bytes.count { $0 & 0xC0 != 0x80 }
      guard let probability else {
        numbers.append(.null)
        tops.append(.null)
        continue
      }
      numbers.append(Self.number(probability.token.logProbability))
      var top = JSONObject()
      for choice in probability.mostLikely where top[text(choice.id)] == nil {
        top[text(choice.id)] = Self.number(choice.logProbability)
      }
      // What was taken is among them, by the very same number.
      if likeliest > 0 { top[text(id)] = Self.number(probability.token.logProbability) }
      tops.append(.object(top))
    }
    return [
      "tokens": .array(texts), "token_logprobs": .array(numbers), "top_logprobs": .array(tops),
      "text_offset": .array(offsets), "bytes": .array(all),
    ]
  }
}
