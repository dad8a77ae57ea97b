import Components
import Files

/// How a model that reads one text and writes another begins to write, as `generation_config.json` and `config.json` beside its
/// weights say: the first of them that speaks of it.
///
/// `generate` of transformers 5.23 begins with `decoder_start_token_id`, or else with `bos_token_id`; a `forced_bos_token_id`
/// follows, such as a language's; single tokens of `bad_words_ids` and `suppress_tokens` are never written.
public struct DecoderStart: Sendable, Equatable {
  /// The tokens that stand before the first that is written; empty where the files say nothing.
  public let tokens: [Int]
  /// Tokens that are never written.
  public let suppressed: Set<Int>

  /// What the files in `folder` say.
  public init(in folder: String) throws {
    var files: [JSONValue] = []
    for name in ["generation_config.json", "config.json"] where kind(ofPath: folder + "/" + name) == .file {
      files.append(try JSONValue(contentsOf: folder + "/" + name, limit: 16 << 20, literals: true))
    }
    func id(_ key: String) -> Int? { files.lazy.compactMap { $0[key]?.integer }.first }
    tokens = [id("decoder_start_token_id") ?? id("bos_token_id"), id("forced_bos_token_id")].compactMap(\.self)
    let words = files.lazy.compactMap { $0["bad_words_ids"]?.array }.first ?? []
    let others = files.lazy.compactMap { $0["suppress_tokens"]?.array }.first ?? []
    suppressed = Set(
      words.compactMap { $0.array?.count == 1 ? $0.array?[0].integer : nil } + others.compactMap(\.integer))
  }
}
