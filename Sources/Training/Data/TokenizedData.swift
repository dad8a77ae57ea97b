import Files
import Kernels
import Tokenization

/// Data as tokens: files found, cut by a tokenizer where they are text, and mapped.
///
/// A text of several files or lines of JSON gets the tokenizer's end of text after each, when it has one; a JSON line
/// without such a token ends in a line break. Marks such as `<|endoftext|>` that are written in a text are read as marks.
/// Text is cut into pieces of about 1 MiB at line ends, each of which is tokenized by itself.
public struct TokenizedData: Sendable {
  /// The tokens.
  public let text: TokenText
  /// A hash of the files' contents and of the tokenizer.
  public let fingerprint: String
  /// Bytes of the text that was tokenized; nil when files held tokens.
  public let textBytes: Int?
  /// Why tokens could not be kept in the cache's folder, when they could not.
  public let cacheProblem: FileProblem?
  /// Characters of the text that have no token in this vocabulary; nil when all have.
  public let leftOut: LeftOut?
  /// The files that were read.
  public let paths: [String]

  /// The data of `paths`; throws `FileProblem` for what cannot be read, and `TokenizerProblem` for what cannot be
  /// tokenized. `cacheFolder` keeps the tokens, where it can be written; `jsonKey` is where JSON lines have their text.
  public init(
    _ paths: [String], tokenizer: Tokenizer?, jsonKey: String, cacheFolder: String, pool: ThreadPool,
    progress: (_ path: String, _ part: Double) -> Void = { _, _ in }
  ) throws {
    let files = try DataFile.find(paths)
    let tokenizerHash = tokenizer?.fingerprint ?? ""
    let cache = TokenCache(folder: cacheFolder)
    var parts: [TokenText.Part] = []
    var hash = SHA256()
    var textBytes: Int? = 0
    var cacheProblem: FileProblem?
    var leftOut: LeftOut?
    for file in files {
      let mapped = try MappedFile(path: file.path)
      let content = withExtendedLifetime(mapped) { SHA256.hexadecimal(of: mapped.bytes) }
      guard file.isText else {
        parts.append(try file.kind == .shard ? TokenShard.tokens(mapped) : TokenShard.rawTokens(mapped))
        hash.update("\(file.kind.rawValue) \(content)\n")
        textBytes = nil
        continue
      }
      guard let tokenizer else {
        throw FileProblem(
          path: file.path, sentence: "it is a text, and the model has no tokenizer here; name one with --tokenizer")
      }
      let isDocument = file.kind == .jsonLines || files.count > 1
      var key = SHA256()
      key.update("tokens 2 \(file.kind.rawValue) \(isDocument) \(jsonKey) \(content) \(tokenizerHash)")
      let name = key.hexadecimal()
      func body(_ write: ([Int], _ textBytes: Int, _ leftOut: LeftOut?) throws -> Void) throws {
        let cutter = TextCutter(file: mapped, kind: file.kind, jsonKey: jsonKey, endsDocument: isDocument)
        try cutter.tokenize(with: tokenizer, pool: pool, write) { progress(file.path, $0) }
      }
      var tokens = cache.find(name)
      if tokens == nil {
        do {
          try cache.make(name, vocabulary: tokenizer.count, body)
          tokens = cache.find(name)
        } catch let problem as FileProblem where problem.cause == .system {
          // The cache is a convenience: a folder that cannot be written, or a full disk, costs the time of the next run.
          cacheProblem = problem
        }
      }
      guard let found = try tokens ?? TokenCache.made(name, vocabulary: tokenizer.count, body) else {
        throw FileProblem(path: cacheFolder, sentence: "the tokens of \(file.path) cannot be read back")
      }
      parts.append(found.tokens)
      textBytes = textBytes.map { $0 + found.textBytes }
      leftOut = LeftOut.joined(leftOut, found.leftOut)
      hash.update("\(name)\n")
    }
    text = TokenText(parts)
    fingerprint = hash.hexadecimal()
    self.textBytes = textBytes
    self.cacheProblem = cacheProblem
    self.leftOut = leftOut
    self.paths = files.map(\.path)
  }
}

extension Tokenizer {
  /// A hash of the pieces with their ids and kinds, and of how a text of many kinds of character is cut.
  public var fingerprint: String {
    var hash = SHA256()
    for id in 0..<count {
      hash.update(isSpecial(id) ? "!" : "=")
      (bytes(of: id) ?? []).withUnsafeBytes { hash.update($0) }
      hash.update("\u{0}")
    }
    let probe =
      "Hello, World!  I'll say it's 12345.67 — naïve café\n\n\tif (x == 0) { return; } // 你好，世界 😀 don't DON'T   \r\n end"
    hash.update(encode(probe, addSpecialTokens: true).map(String.init).joined(separator: " "))
    return hash.hexadecimal()
  }
}
