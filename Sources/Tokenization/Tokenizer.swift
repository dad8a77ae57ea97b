import Synchronization

/// Turns text into the ids of a vocabulary's pieces, and ids into text.
///
/// Encoding is total: every `String` has ids. `leftOut` tells what a byte-pair vocabulary without some byte leaves out, and
/// `requireEncodable` throws where a vocabulary of characters lacks one. Decoding is total too: an id without a piece,
/// and bytes that are not UTF-8, become U+FFFD. One tokenizer may be used by many threads at once.
///
/// A careful reader's mistake: `encode(a) + encode(b)` is not `encode(a + b)`, for pieces cross the seam.
public final class Tokenizer: Sendable {
  let parts: Parts
  private let idle = Mutex<[EncodingScratch]>([])

  /// Everything a tokenizer is made of.
  struct Parts: Sendable {
    var vocabulary: Vocabulary
    var model: Model
    var splitter = Splitter([])
    /// How text is split, and changed on the way, where the splitter cannot say it.
    var chain: PieceChain?
    var added: AddedTokens
    /// Before normalised added tokens are looked for.
    var normalizer = TextNormalizer()
    /// After that, and before splitting.
    var preparation = TextNormalizer()
    /// Ids around a text that asks for its special tokens.
    var prefix: [Int] = []
    var suffix: [Int] = []
    /// Ids between the texts of a pair and behind them, and how many of those between are of the second; nil where the files
    /// say nothing of pairs.
    var pair: (between: [Int], behind: [Int], ofSecond: Int?)?
    var beginningOfText: Int?
    var endOfText: Set<Int> = []
    /// What decoding takes off the front of the text.
    var leadingSpace = LeadingSpace.kept
    /// Pieces as spelled, where the vocabulary does not keep that.
    var names: [Int: String] = [:]
    /// Whether a piece's last byte, a space, says that its word ends there: the text has none behind the last.
    var marksWordEnds = false
    /// What tokens are decoded to at the front, where that is not their bytes without spaces.
    var firstShown: [Int: [UInt8]] = [:]
    var path = ""
  }

  enum LeadingSpace: Sendable {
    case kept
    /// The space that encoding put there.
    case oneStripped
    /// The space that encoding put there, but not one that is a byte's piece, as SentencePiece has it.
    case oneMarkStripped
    /// Every space of the first piece, as huggingface/tokenizers' Metaspace has it.
    case firstPieceStripped
    /// Every space, for encoding keeps none.
    case allStripped
  }

  enum Model: Sendable {
    case merging(MergingModel)
    case unigram(UnigramModel)
    case characters(CharacterModel)
    case words(WordPieceModel)
  }

  init(_ parts: Parts) {
    self.parts = parts
  }

  /// One more than the largest id: the number of rows that a model's embedding needs at least.
  public var count: Int { parts.vocabulary.count }

  /// The id that begins a text, where the vocabulary has one.
  public var beginningOfText: Int? { parts.beginningOfText }

  /// Every id that ends what a model writes: the end of a text, of a turn, of a message.
  public var endOfText: Set<Int> { parts.endOfText }

  /// Whether `encode` puts `beginningOfText` in front when asked for special tokens.
  public var addsBeginningOfText: Bool {
    parts.beginningOfText.map { parts.prefix.contains($0) } ?? false
  }

  /// The ids that `encode` puts in front of a text when asked for special tokens.
  public var marksBefore: [Int] { parts.prefix }

  /// The ids that `encode` puts behind a text when asked for special tokens.
  public var marksBehind: [Int] { parts.suffix }

  /// The ids of two texts that are read together, and where those of the second kind begin, `Int.max` where all are of one;
  /// nil where the vocabulary's files say nothing of pairs.
  public func encode(pair first: String, _ second: String) -> (ids: [Int], second: Int)? {
    guard let marks = parts.pair else { return nil }
    let ids = parts.prefix + encode(first, addSpecialTokens: false) + marks.between
    let start = marks.ofSecond.map { ids.count - $0 } ?? Int.max
    return (ids + encode(second, addSpecialTokens: false) + marks.behind, start)
  }

  /// The marks of this vocabulary and their ids: what `parseSpecialTokens` finds and `skipSpecialTokens` leaves out.
  public var specialTokens: [String: Int] {
    var result: [String: Int] = [:]
    for token in parts.added.tokens where token.isSpecial { result[token.content] = token.id }
    return result
  }

  /// The piece with this id as its file spells it (`Ġthe`, `▁the`, `<0x0A>`), or nil when there is none.
  public func piece(of id: Int) -> String? {
    parts.added.contents[id] ?? parts.names[id] ?? parts.vocabulary.piece(of: id)
  }

  /// The id of the piece that is spelled so, or nil.
  public func id(of piece: String) -> Int? {
    for token in parts.added.tokens where token.content.utf8.elementsEqual(piece.utf8) { return token.id }
    let named = parts.names.first { $0.value.utf8.elementsEqual(piece.utf8) }
    return named?.key ?? parts.vocabulary.id(of: piece)
  }

  /// The bytes of text that an id stands for, or nil when no piece has it; they may be a part of a character.
  public func bytes(of id: Int) -> [UInt8]? {
    parts.vocabulary.hasPiece(id) ? Array(parts.vocabulary.bytes(of: id)) : nil
  }

  /// Whether an id is a mark and not text.
  public func isSpecial(_ id: Int) -> Bool {
    let kind = parts.vocabulary.kind(of: id)
    return kind == .control || kind == .unknown
  }

  /// The ids of `text`.
  ///
  /// `addSpecialTokens` puts the marks around it that the vocabulary's files ask for. `parseSpecialTokens` finds marks
  /// that are written in the text; without it `<|endoftext|>` in a document is text like any other, as it must be in
  /// what a user wrote.
  public func encode(_ text: String, addSpecialTokens: Bool = true, parseSpecialTokens: Bool = true) -> [Int] {
    let scratch = idle.withLock { $0.popLast() } ?? EncodingScratch(cursorStateCount: parts.splitter.stateCount)
    // Worked on in a local: a class's field is loaded and stored at each append.
    var output = scratch.output
    output.removeAll()
    if addSpecialTokens {
      for id in parts.prefix { output.append(Int32(truncatingIfNeeded: id)) }
    }
    var text = text
    text.withUTF8 { encode($0, parseSpecialTokens: parseSpecialTokens, to: &output, scratch) }
    if addSpecialTokens {
      for id in parts.suffix { output.append(Int32(truncatingIfNeeded: id)) }
    }
    let ids = [Int](unsafeUninitializedCapacity: output.count) { ids, count in
      for place in 0..<output.count { ids.initializeElement(at: place, to: Int(output.base[place])) }
      count = output.count
    }
    output.shrink()
    scratch.output = output
    idle.withLock { if $0.count < 16 { $0.append(scratch) } }
    return ids
  }

  /// Throws the first character of `text` that a vocabulary of single characters has no id for. Other vocabularies take
  /// every text; what one of them leaves out is told by `leftOut`.
  public func requireEncodable(_ text: String) throws(TokenizerProblem) {
    var text = text
    let place: Int? = text.withUTF8 { bytes in
      switch parts.model {
      case .characters(let model): model.firstLost(in: bytes)
      case .merging, .unigram, .words: nil
      }
    }
    guard let place else { return }
    let index = text.utf8.index(text.startIndex, offsetBy: place)
    let scalars = text.unicodeScalars
    let scalar = scalars[index.samePosition(in: scalars) ?? text.startIndex]
    throw .unknownCharacter(
      character: String(Character(scalar)), offset: scalars.distance(from: scalars.startIndex, to: index))
  }

  /// The text of `ids`; `skipSpecialTokens` leaves marks out.
  public func decode(_ ids: some Sequence<Int>, skipSpecialTokens: Bool = false) -> String {
    let ids = Array(ids)
    let vocabulary = parts.vocabulary
    // The first ids may lose a leading space; from there on bytes are only copied.
    var decoder = StreamDecoder(self, skipSpecialTokens: skipSpecialTokens)
    var front: [UInt8] = []
    var first = 0
    while first < ids.count, decoder.isAtStart || parts.marksWordEnds {
      decoder.appendBytes(of: ids[first], to: &front)
      first += 1
    }
    var room = front.count + 16
    for id in ids[first...] { room += vocabulary.hasPiece(id) ? vocabulary.bytes(of: id).count : 3 }
    return String(unsafeUninitializedCapacity: room) { text in
      guard let base = text.baseAddress else { return 0 }
      var end = base
      end.update(from: front, count: front.count)
      end += front.count
      for id in ids[first...] where !(skipSpecialTokens && isSpecial(id)) {
        let piece = vocabulary.hasPiece(id) ? vocabulary.bytes(of: id) : vocabulary.replacement
        guard let source = piece.baseAddress else { continue }
        if piece.count <= 16 {
          // Both sides have 16 bytes of room behind their last byte.
          let block = UnsafeRawPointer(source).loadUnaligned(as: SIMD16<UInt8>.self)
          UnsafeMutableRawPointer(end).storeBytes(of: block, as: SIMD16<UInt8>.self)
        } else {
          end.update(from: source, count: piece.count)
        }
        end += piece.count
      }
      return end - base
    }
  }

  /// A decoder for ids that come one by one.
  ///
  /// `startsText` false means that text stands before the first id already, so a leading space is kept.
  public func streamDecoder(skipSpecialTokens: Bool = false, startsText: Bool = true) -> StreamDecoder {
    StreamDecoder(self, skipSpecialTokens: skipSpecialTokens, startsText: startsText)
  }
}
