/// One alternative of a splitting pattern, in one of the shapes that can be matched in one walk over the text.
struct PatternAlternative: Equatable, Sendable {
  /// How the optional first character before a run is taken.
  enum LeadUse: UInt8, Sendable {
    case none
    /// `[…]?`: taken when the run follows it, left out otherwise.
    case optional
    /// `[…]?+`: taken whenever it is there.
    case possessive
    /// `[…]`: must be there.
    case required
  }

  /// What must stand behind the match.
  enum Condition: UInt8, Sendable {
    case none
    /// `(?!\S)`: white space or the end; the run gives its last character back for it.
    case beforeSpace
    /// `$`: the end of the text.
    case atEnd
  }

  enum Shape: Equatable, Sendable {
    /// These characters, one after the other: `'re`.
    case exact([ScalarSet])
    /// ` ?\p{L}+`, `\p{N}{1,3}`, ` ?[^\s\p{L}\p{N}]+[\r\n]*`: as many of `core` as `count` allows, then all of `tail`.
    case run(core: ScalarSet, count: ClosedRange<Int>, tail: ScalarSet?)
    /// `\s*[\r\n]+`, `[\p{Lu}…]*[\p{Ll}…]+`: a run of `first` that gives back characters until one of `second` follows.
    case twoRuns(first: ScalarSet, second: ScalarSet, secondLimit: Int)
  }

  var shape: Shape
  var lead = ScalarSet()
  var leadUse = LeadUse.none
  var condition = Condition.none
  /// `(?i:'s|'t)?` behind a word: the first of these that fits is taken along.
  var suffixes: [[ScalarSet]] = []
}
