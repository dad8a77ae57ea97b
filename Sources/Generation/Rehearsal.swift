/// A text whose continuation is tried out: what may follow and how it is drawn, by the rules of the text itself.
public struct Rehearsal {
  var choice: TokenChoice

  /// The tokens of the text so far, the prompt's first.
  public var tokens: [Int] { choice.history }
  /// The tokens of a text that is read beside it; empty where there is none.
  public var source: [Int] { choice.source }
  /// How many tokens the text has in the end, at most.
  public var longest: Int { choice.longest }

  /// A token drawn from `logits` as the text's own are; nil where nothing may follow.
  public mutating func proposal(from logits: UnsafeBufferPointer<Float>) -> TokenProposal? {
    // What the grammar cannot decide is said of the text itself, if it comes there.
    do { return try choice.proposal(from: logits) } catch { return nil }
  }

  /// Takes `token` as the next, where it may follow; false, and nothing changes, where it may not.
  public mutating func accept(_ token: Int) -> Bool {
    do {
      guard try choice.allows(token) else { return false }
      try choice.accept(token)
      return true
    } catch {
      return false
    }
  }

  /// Whether `token` ends the text, so that nothing follows it.
  public func isEnd(_ token: Int) -> Bool { choice.isEnd(token) }

  /// The draws so far, for the next rehearsal.
  var drawing: Sampler { choice.drawing }
}
