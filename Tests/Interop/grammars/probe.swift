import Files
import Foundation
import Grammars

/// Answers, line by line, which tokens a grammar allows: `grammars.py` compares the answers with another implementation's.
struct Probe {
  private var vocabulary = TokenVocabulary(count: 0, [])
  private var grammar: TokenGrammar?
  /// By id: how much of a token closes a string, a list or an object.
  private var closers: [Int: Int] = [:]
  private let clock = ContinuousClock()

  mutating func answer(_ line: String) throws -> JSONValue {
    let request = try JSONValue(parsing: line)
    if let path = request["vocabulary"]?.string { return try read(vocabulary: path) }
    let begun = clock.now
    if let text = request["gbnf"]?.string { return compiled(try Grammar(gbnf: text, name: "grammar"), since: begun) }
    if let schema = request["schema"] {
      let spacing: Grammar.Spacing = request["compact"]?.bool == true ? .compact : .flexible
      return compiled(try Grammar(jsonSchema: schema, name: "schema", spacing: spacing), since: begun)
    }
    if let seed = request["sample"]?.integer { return try sample(seed: seed) }
    return try follow(request["tokens"]?.array?.compactMap(\.integer) ?? [], showing: request["show"]?.integer)
  }

  /// A line for each id: its bytes in hexadecimal, none for what is no text.
  private mutating func read(vocabulary path: String) throws -> JSONValue {
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false)
    closers = [:]
    let tokens = lines.enumerated().map { id, line in
      let digits = line.utf8.map { UInt8(Character(Unicode.Scalar($0)).hexDigitValue ?? 0) }
      let bytes = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
      closers[id] = bytes.count { [0x22, 0x5D, 0x7D].contains($0) } * 16 - bytes.count
      return TokenVocabulary.Token(id: id, bytes: bytes)
    }
    let begun = clock.now
    vocabulary = TokenVocabulary(count: lines.count, tokens)
    return ["count": .integer(lines.count), "seconds": seconds(since: begun)]
  }

  private mutating func compiled(_ grammar: Grammar, since begun: ContinuousClock.Instant) -> JSONValue {
    let seconds = seconds(since: begun)
    self.grammar = TokenGrammar(grammar, vocabulary)
    return ["seconds": seconds, "prepared": self.seconds(since: begun)]
  }

  /// For each beginning of `tokens` a digest of the mask, whether the text may end, and the time; the ids at one of them.
  private func follow(_ tokens: [Int], showing shown: Int?) throws -> JSONValue {
    guard let matcher = try grammar?.matcher() else { return ["error": "there is no grammar"] }
    var places: [JSONValue] = []
    for step in 0...tokens.count {
      let begun = clock.now
      let mask = matcher.isFinished ? TokenMask(count: vocabulary.count) : try matcher.mask()
      var place = JSONObject()
      place["seconds"] = seconds(since: begun)
      place["end"] = .bool(matcher.mayEnd)
      place["mask"] = .string(mask.words.withUnsafeBytes { SHA256.hexadecimal(of: $0) })
      if shown == step { place["ids"] = .array((0..<mask.count).filter { mask[$0] }.map { .integer($0) }) }
      places.append(.object(place))
      guard step < tokens.count else { break }
      guard try matcher.accept(tokens[step]) else { return ["places": .array(places), "refused": .integer(step)] }
    }
    return ["places": .array(places)]
  }

  /// A text that ends where the grammar may, of tokens that are drawn: mostly those that close something.
  private func sample(seed: Int) throws -> JSONValue {
    guard let matcher = try grammar?.matcher() else { return ["error": "there is no grammar"] }
    var state = UInt64(truncatingIfNeeded: seed) &* 0x9e37_79b9_7f4a_7c15 | 1
    func draw(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % max(1, count)
    }
    var tokens: [Int] = []
    while !matcher.isFinished, tokens.count < 4000 {
      if matcher.mayEnd, draw(3) == 0 { break }
      let mask = try matcher.mask()
      let allowed = (0..<mask.count).filter { mask[$0] }
      if allowed.isEmpty { break }
      // The later, the more are looked at for one that closes.
      let some = (0..<(3 + tokens.count / 4)).map { _ in allowed[draw(allowed.count)] }
      let token = some.max { closers[$0, default: 0] < closers[$1, default: 0] } ?? allowed[0]
      guard try matcher.accept(token) else { return ["error": "a token of the mask is refused"] }
      tokens.append(token)
    }
    return ["tokens": .array(tokens.map { .integer($0) }), "complete": .bool(matcher.mayEnd)]
  }

  private func seconds(since begun: ContinuousClock.Instant) -> JSONValue {
    let time = (clock.now - begun).components
    return .number(Double(time.seconds) + Double(time.attoseconds) * 1e-18)
  }
}

var probe = Probe()
while let line = readLine() {
  do {
    print(try probe.answer(line).serialized())
  } catch {
    print(
      JSONValue.object(["error": "\(error)"].reduce(into: JSONObject()) { $0[$1.key] = .string($1.value) }).serialized()
    )
  }
  fflush(nil)
}
