/// The effects of k changes in 2^(k − p) runs in place of 2^k.
///
/// A run is a set of changes. The first k − p changes take every combination; each of the other p is made where an odd
/// number of some of those is: a *generator*. What cannot be told apart follows: the effect of a set of changes is that of
/// the set together with any *word*, a set that every run has an even number of. The shortest word's length is the
/// **resolution**: III, effects of single changes are mixed with interactions of two; IV, with those of three only.
/// The run without any change is always there.
///
/// Source: Box and Hunter, "The 2^(k−p) fractional factorial designs", Technometrics 3 (1961); generators of minimum
/// aberration after Fries and Hunter, Technometrics 22 (1980).
public struct FractionalDesign: Sendable, Hashable {
  /// The changes, k.
  public let count: Int
  /// The runs, each a set of changes as bits; the first has none.
  public let runs: [UInt32]
  /// The words, as bits.
  public let words: [UInt32]
  /// The most changes.
  public static let limit = 15

  /// The length of the shortest word; k + 1 where every combination is run.
  public var resolution: Int { words.map(\.nonzeroBitCount).min() ?? count + 1 }

  /// The best design of `runs` for `count` changes, a power of two of more than `count` and at most 2^`count`; nil where
  /// there is none.
  public init?(count: Int, runs: Int) {
    guard (2...Self.limit).contains(count), runs > count, runs.nonzeroBitCount == 1, runs <= 1 << count else {
      return nil
    }
    let basis = runs.trailingZeroBitCount
    let generators = Self.generators(basis: basis, extra: count - basis)
    self.count = count
    self.runs = (0..<UInt32(runs)).map { base in
      generators.enumerated().reduce(base) { run, generator in
        (base & generator.element).nonzeroBitCount % 2 == 1 ? run | 1 << UInt32(basis + generator.offset) : run
      }
    }
    words = Self.words(generators, basis: basis)
  }

  /// The fewest runs that tell `count` changes apart.
  public static func fewestRuns(_ count: Int) -> Int {
    var runs = 4
    while runs <= count { runs *= 2 }
    return min(runs, 1 << count)
  }

  /// The sets of at most two changes whose effect cannot be told from that of `set`, itself left out.
  public func aliases(of set: UInt32) -> [UInt32] {
    words.map { $0 ^ set }.filter { (1...2).contains($0.nonzeroBitCount) && $0 != set }.sorted {
      ($0.nonzeroBitCount, $0) < ($1.nonzeroBitCount, $1)
    }
  }

  /// The effect of every change, as weights of the runs; `name` says what a change is called. Interactions of two are there
  /// where no single change is mixed with them, each set of those that cannot be told apart once.
  public func contrasts(arms: [UInt32: Int], name: (Int) -> String) -> [Contrast] {
    func words(_ set: UInt32) -> String {
      (0..<count).filter { set >> UInt32($0) & 1 == 1 }.map(name).joined(separator: " × ")
    }
    func contrast(_ set: UInt32, _ kind: Contrast.Kind) -> Contrast? {
      var weights: [Int: Double] = [:]
      for run in runs {
        guard let arm = arms[run] else { return nil }
        // −1 for each change of the set that the run lacks.
        let lacking = (set & ~run).nonzeroBitCount
        weights[arm, default: 0] +=
          (lacking % 2 == 0 ? 1.0 : -1) * Double(1 << set.nonzeroBitCount) / Double(runs.count)
      }
      let same = kind == .interaction ? aliases(of: set).map { " = " + words($0) }.joined() : ""
      return Contrast(words(set) + same, kind, weights: weights)
    }
    let single = (0..<count).map { UInt32(1) << UInt32($0) }
    var seen = Set(single.flatMap { aliases(of: $0) })
    var contrasts = single.compactMap { contrast($0, .main) }
    for first in single {
      for second in single where first < second && !seen.contains(first | second) {
        seen.insert(first | second)
        seen.formUnion(aliases(of: first | second))
        if let found = contrast(first | second, .interaction) { contrasts.append(found) }
      }
    }
    return contrasts
  }

  // MARK: Generators

  /// The sets of the first `basis` changes that the `extra` ones follow: with the longest shortest word, and few of them.
  private static func generators(basis: Int, extra: Int) -> [UInt32] {
    if extra <= 0 { return [] }
    let all = (0..<UInt32(1) << UInt32(basis)).filter { $0.nonzeroBitCount > 1 }
    // Odd sets first: with them every word is even.
    let ordered = all.sorted {
      ($0.nonzeroBitCount % 2 == 0 ? 1 : 0, -$0.nonzeroBitCount, $0) < (
        $1.nonzeroBitCount % 2 == 0 ? 1 : 0, -$1.nonzeroBitCount, $1
      )
    }
    var best: (quality: [Int], set: [UInt32])?
    var tried = 0
    func look(_ chosen: [UInt32], from start: Int) {
      if tried > 20_000 { return }
      if chosen.count == extra {
        tried += 1
        let quality = quality(words(chosen, basis: basis))
        if best.map({ quality.lexicographicallyPrecedes($0.quality) }) ?? true { best = (quality, chosen) }
        return
      }
      for index in start..<ordered.count where ordered.count - index >= extra - chosen.count {
        look(chosen + [ordered[index]], from: index + 1)
      }
    }
    look([], from: 0)
    return best?.set ?? Array(ordered.prefix(extra))
  }

  /// How many words there are of each length from 1 on: fewer short ones are better.
  private static func quality(_ words: [UInt32]) -> [Int] {
    var counts = [Int](repeating: 0, count: 33)
    for word in words { counts[word.nonzeroBitCount] += 1 }
    return counts
  }

  /// Every sum of generators' words.
  private static func words(_ generators: [UInt32], basis: Int) -> [UInt32] {
    let own = generators.enumerated().map { $0.element | 1 << UInt32(basis + $0.offset) }
    return own.reduce([UInt32(0)]) { words, word in words + words.map { $0 ^ word } }.filter { $0 != 0 }
  }
}
