/// A task that tells one ability of a model from others: sequences made from a seed, answers that are right or wrong.
///
/// A loss on text mixes all abilities. A probe trains the arm anew, with a small vocabulary, on sequences that can be
/// answered in one way only, and counts right answers on others: its **ceiling** is 1, and its **chance** what a model reaches
/// that knows which answers occur and nothing of which belongs where.
public struct Probe: Sendable, Hashable {
  /// What is asked.
  public enum Kind: String, Sendable, CaseIterable {
    /// Which value was paired with a key, for several keys (multi-query associative recall; Arora et al., "Zoology", 2023,
    /// https://arxiv.org/abs/2312.04927).
    case recall
    /// What followed a token when it came before (Olsson et al., "In-context Learning and Induction Heads", 2022,
    /// https://arxiv.org/abs/2209.11895).
    case induction
    /// The data among noise, in order (Gu and Dao, "Mamba", 2023, https://arxiv.org/abs/2312.00752).
    case copy
    /// Where one, two or three steps along given edges lead.
    case hops
    /// A sum and difference of three numbers, modulo ten.
    case arithmetic
    /// Whether an even number of ones came so far, at every place.
    case parity
    /// Which bracket closes, in nested brackets of four kinds (a Dyck language).
    case brackets
    /// Facts of a table that is the same for all sequences: what parameters hold, not what the context says.
    case facts
  }

  /// What is asked.
  public let kind: Kind
  /// How much there is of it: pairs, tokens to be copied, nodes, facts.
  public let size: Int

  /// The probe of `kind`, at its usual size.
  public init(_ kind: Kind) {
    self.kind = kind
    size =
      switch kind {
      case .recall, .hops, .copy: 8
      case .induction: 16
      case .arithmetic: 8
      case .parity, .brackets: 32
      case .facts: 512
      }
  }

  /// Its name, as a study says it.
  public var name: String { kind.rawValue }

  /// What a model answers right that knows which answers occur and no more.
  public var chance: Double {
    switch kind {
    case .recall, .induction: 1 / Double(size)
    // Nobody stands where they began.
    case .hops: 1 / Double(size - 1)
    case .copy: 1 / Double(Self.copied)
    case .arithmetic: 0.1
    case .parity: 0.5
    case .brackets: 0.25
    case .facts: 1 / Double(Self.values)
    }
  }

  /// Tokens that sequences are made of.
  public var vocabulary: Int {
    switch kind {
    case .recall: Self.keys + Self.values
    case .induction: 64
    case .copy: Self.copied + 2
    case .hops: size + 4
    case .arithmetic: 13
    case .parity: 2
    case .brackets: 8
    case .facts: 2 * Self.factTokens + Self.values
    }
  }

  /// Tokens of a sequence.
  public var length: Int {
    switch kind {
    case .recall: 4 * size
    case .induction: 2 * size
    case .copy: 4 * size + size
    case .hops: 2 * size + 6
    case .arithmetic: 7 * size
    case .parity, .brackets: size
    case .facts: 3 * 16
    }
  }

  static let keys = 32
  static let values = 32
  static let copied = 16
  static let factTokens = 32
}

/// A sequence of a probe, and what is to be answered after which of its tokens; −1 where nothing is.
public struct ProbeSequence: Sendable, Hashable {
  /// The tokens.
  public let tokens: [Int]
  /// The answer after each of them.
  public let answers: [Int]
}
