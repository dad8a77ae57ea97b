/// Characters of a text that encoding leaves out, for the vocabulary has no token for them, nor one that stands for unknown
/// ones.
///
/// Byte-pair vocabularies are published that lack some bytes, and the reference implementation leaves such a byte out
/// before it merges, so that its neighbours may become one token.
public struct LeftOut: Sendable, Equatable {
  /// The first of them.
  public let first: Unicode.Scalar
  /// How many there are.
  public private(set) var count: Int

  /// `count` characters, of which `first` comes first.
  public init(first: Unicode.Scalar, count: Int) {
    (self.first, self.count) = (first, count)
  }

  /// What is left out of two texts, of which `first` comes first.
  public static func joined(_ first: LeftOut?, _ second: LeftOut?) -> LeftOut? {
    guard var first, let second else { return first ?? second }
    first.count += second.count
    return first
  }

  /// What a user should hear of it, as a sentence.
  public var description: String {
    let character = TokenizerProblem.quoted(String(Character(first)))
    return count == 1
      ? "the vocabulary has no token for the character \(character), which is left out"
      : "\(count) characters are left out, for the vocabulary has no token for them; the first is \(character)"
  }
}

extension Tokenizer {
  /// The characters of `text` that `encode` leaves out as the reference implementation does; nil where all are encoded.
  public func leftOut(of text: String) -> LeftOut? {
    guard case .merging(let model) = parts.model, model.mayLeaveOut else { return nil }
    var found: LeftOut?
    let scratch = EncodingScratch(cursorStateCount: parts.splitter.stateCount)
    scratch.words = { word, count in found = LeftOut.joined(found, model.leftOut(of: word, count)) }
    var text = text
    text.withUTF8 { encode($0, parseSpecialTokens: true, to: &scratch.output, scratch) }
    return found
  }
}
