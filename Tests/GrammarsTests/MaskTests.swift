import Files
import Grammars
import Testing

@Suite("Token masks") struct MaskTests {
  /// Words and parts of characters, as byte-level vocabularies have them.
  static let words: [[UInt8]] = {
    let texts = [
      "{", "}", "\"", "\":", "\",", "\"}", ", ", ": ", "a", "b", "name", "\"name\"", "\"name", "nam", "e\": \"", "1",
      "12", "123",
      "true", "tr", "ue", "null", " ", "\n", "hello", " world", "[", "]", "],", "}]", "x\"y", "\\", "\\n", "\\\"", "0",
      "-", ".", "e+", "é", "日本",
    ]
    var words = texts.map { Array($0.utf8) }
    for byte in UInt8.min ... .max { words.append([byte]) }
    words += [[0xE6, 0x97], [0xA5, 0xE6], [0x80, 0x22], [0x22, 0xC3], [0xF0, 0x9F], [0x98, 0x80, 0x22]]
    words.append(Array(String(repeating: "a", count: 40).utf8))
    words.append(Array(String(repeating: " ", count: 50).utf8))
    return words
  }()
  static let vocabulary = TokenVocabulary(
    count: words.count + 3, words.enumerated().map { .init(id: $0.offset, bytes: $0.element) })

  static let grammars: [String] = [
    "root ::= \"{\" ws pair (\",\" ws pair)* ws \"}\"\npair ::= string \":\" ws value\nstring ::= \"\\\"\" ([^\"\\\\\\x00-\\x1f] | \"\\\\\" [n\"\\\\])* \"\\\"\"\n"
      + "value ::= string | root | \"[\" value (\",\" value)* \"]\" | [0-9]+ | \"true\" | \"null\"\nws ::= [ \\n]*",
    "root ::= [a-zé日]{0,45} \"\\\"\" root? ",
    "root ::= (\"a\" | \"aa\" | \"hello\"){2,90} [^x]{3}",
    "root ::= s\ns ::= \"a\" s \"b\" | \"a\" s \"1\" | \"\"",
    "root ::= .{0,33} \"\\\"\" .{40,}",
  ]

  /// The tokens whose bytes a grammar takes, one by one.
  func takenOneByOne(_ matcher: GrammarMatcher) throws -> Set<Int> {
    var taken: Set<Int> = []
    for id in 0..<Self.vocabulary.count where try matcher.copy().accept(id) { taken.insert(id) }
    return taken
  }

  @Test("a mask has just the tokens that are taken, wherever a random text has come to", arguments: grammars)
  func masks(text: String) throws {
    let grammar = TokenGrammar(try grammar(text), Self.vocabulary)
    var generator = SplitMix(state: 7)
    for _ in 0..<12 {
      let matcher = try grammar.matcher()
      for _ in 0..<40 where !matcher.isFinished {
        let mask = try matcher.mask()
        let taken = try takenOneByOne(matcher)
        #expect(Set((0..<mask.count).filter { mask[$0] }) == taken)
        #expect(mask.allowedCount == taken.count)
        guard let next = taken.sorted().randomElement(using: &generator) else { break }
        #expect(try matcher.accept(next))
      }
    }
  }

  @Test("what a matcher refuses leaves it where it was, and a copy goes its own way")
  func copies() throws {
    let matcher = try TokenGrammar(try grammar("root ::= \"ab\" | \"ac\""), bytes).matcher()
    #expect(try matcher.accept(0x61))
    #expect(try !matcher.accept(0x61))
    let other = matcher.copy()
    #expect(try matcher.accept(0x62) && matcher.isFinished)
    #expect(!other.isFinished)
    #expect(try other.accept(0x63) && other.isFinished)
  }

  @Test("tokens without text, ids that there are none of, and what no token goes on with are told")
  func missing() throws {
    let small = TokenVocabulary(count: 4, [.init(id: 0, bytes: [0x61]), .init(id: 1, bytes: [0x62])])
    let matcher = try TokenGrammar(try grammar("root ::= \"a\" [c-z]"), small).matcher()
    #expect(try !matcher.accept(3) && !matcher.accept(-1) && !matcher.accept(400))
    #expect(try matcher.accept(0))
    let problem = #expect(throws: GrammarProblem.self) { try matcher.mask() }
    #expect(
      problem?.description == "no token of the vocabulary continues the text as the grammar wants it: after 'a' comes "
        + "'c' or 'd' or 'e' or 'f' or 'g' or 'h' or 'i' or 'j' or 16 others")
  }

  @Test(
    "a first token that is shown without its space, and a space that is owed behind a word, are what the grammar sees")
  func shownOtherwise() throws {
    let marked = TokenVocabulary(
      count: 3,
      [.init(id: 0, bytes: Array(" yes".utf8), first: Array("yes".utf8)), .init(id: 1, bytes: Array("!".utf8))])
    let grammar = TokenGrammar(try grammar("root ::= \"yes\" \" yes\"* \"!\""), marked)
    let first = try grammar.matcher()
    #expect(try first.mask()[0])
    #expect(try first.accept(0) && first.accept(0) && first.accept(1) && first.isFinished)
    let inside = try grammar.matcher(atStart: false)
    #expect(throws: GrammarProblem.self) { try inside.mask() }

    let words = TokenVocabulary(
      count: 3,
      [
        .init(id: 0, bytes: [0x61], endsWord: true), .init(id: 1, bytes: [0x62], endsWord: true),
        .init(id: 2, bytes: [0x62]),
      ])
    let spaced = try TokenGrammar(try self.grammarOfWords(), words).matcher()
    // Behind 'a' comes a space, and behind 'b' none but the end.
    #expect(try spaced.accept(0))
    #expect(try spaced.mask() == [1, 2].reduce(into: TokenMask(count: 3)) { $0[$1] = true })
    #expect(try spaced.accept(1) && spaced.isFinished)
  }

  private func grammarOfWords() throws -> Grammar { try grammar("root ::= \"a b\"") }

  @Test("a logit that is not allowed becomes −∞, those behind the vocabulary too")
  func applied() {
    var mask = TokenMask(count: 70)
    mask[3] = true
    mask[69] = true
    mask[70] = true
    var logits = Array(repeating: Float(1), count: 130)
    logits.withUnsafeMutableBufferPointer { mask.apply(to: $0) }
    #expect(logits.indices.filter { logits[$0] == 1 } == [3, 69])
  }

  @Test("a text so long that what was found out is forgotten goes on as before")
  func forgetting() throws {
    // Every level of brackets is a context of its own.
    let grammar = TokenGrammar(
      try grammar("root ::= \"[\" root* \"]\" | \"(\" root* \")\""), bytes, preparing: false, remembering: 2_000)
    let (matcher, other) = (try grammar.matcher(), try grammar.matcher())
    var closing: [Int] = []
    var generator = SplitMix(state: 1)
    #expect(try matcher.accept(0x5B) && other.accept(0x28))
    for _ in 0..<3_000 {
      let isRound = Bool.random(using: &generator)
      closing.append(isRound ? 0x29 : 0x5D)
      #expect(try matcher.mask().allowedCount == 3)
      #expect(try matcher.accept(isRound ? 0x28 : 0x5B))
    }
    for byte in closing.reversed() {
      #expect(try matcher.mask()[byte] && matcher.accept(byte))
    }
    #expect(try other.accept(0x29) && other.isFinished)
    let mask = try matcher.mask()
    #expect(mask[0x5B] && mask[0x28] && mask[0x5D] && mask.allowedCount == 3)
    #expect(try matcher.accept(0x5D) && matcher.isFinished)
  }
}

struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
