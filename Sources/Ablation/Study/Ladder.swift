import Components
import Describing
import Specification

/// The sizes at which a study is run: the base's smaller and larger siblings.
public struct Ladder: Sendable, Hashable {
  /// How sizes are told.
  public enum Sizes: Sendable, Hashable {
    /// What widths are multiplied by, ascending; 1 is among them.
    case factors([Double])
    /// Numbers of parameters of the base's siblings, ascending.
    case parameters([Int])
  }

  /// The sizes.
  public let sizes: Sizes
  /// Whether tokens grow as parameters do; else every size has the same.
  public let scalesTokens: Bool
  /// Whether learning rates fall as parameters^−⅓; else every size has the same.
  public let scalesRate: Bool
  /// Where it was written.
  public let place: Place?

  /// The fewest sizes that a curve with three constants can be fitted to.
  public static let fewest = 3
  /// The most.
  static let most = 8
  /// By what power of the parameters learning rates fall: Marin's, OLMo's and DataDecide's ladders have about this
  /// (`peak_lr = 0.0047 (N / 108M)^(−1/3)`, https://github.com/allenai/OLMo-core).
  static let rateExponent = -1.0 / 3
}

/// Reads `ladder: 3`, `ladder: [x0.5, x1, x2]`, `ladder: [300K, 1M]`, or a group of `sizes`, `tokens` and `lr`.
struct LadderReader {
  private static let keys = ["sizes", "tokens", "lr"]
  private static let words = ["scaled", "same"]

  private let setting: Setting?

  init(_ setting: Setting?) { self.setting = setting }

  func read(_ problems: inout Problems) -> Ladder? {
    guard let setting else { return nil }
    var scales = ["tokens": true, "lr": true]
    var sizes = setting
    if let entries = setting.entries {
      for entry in entries where entry.key != "sizes" {
        guard Self.keys.contains(entry.key) else {
          problems.add(unknownKey(entry, in: "'ladder'", among: Self.keys))
          continue
        }
        guard let word = entry.value.text, Self.words.contains(word) else {
          problems.add(
            Problem("'\(entry.key)' of a ladder takes scaled or same", at: entry.value.place ?? entry.place))
          continue
        }
        scales[entry.key] = word == "scaled"
      }
      guard let found = setting["sizes"] else {
        problems.add(Problem("the ladder has no sizes", at: setting.place, hint: "ladder: {sizes: 3}"))
        return nil
      }
      sizes = found
    }
    guard let read = self.sizes(sizes, &problems) else { return nil }
    return Ladder(
      sizes: read, scalesTokens: scales["tokens"] ?? true, scalesRate: scales["lr"] ?? true,
      place: sizes.place ?? setting.place)
  }

  private func sizes(_ setting: Setting, _ problems: inout Problems) -> Ladder.Sizes? {
    func fail(_ sentence: String, _ place: Place?) -> Ladder.Sizes? {
      problems.add(Problem(sentence, at: place ?? setting.place, hint: "ladder: 3, or ladder: [x0.5, x1, x2]"))
      return nil
    }
    let range = Ladder.fewest...Ladder.most
    guard let items = setting.list else {
      guard let count = setting.integer, range.contains(count) else {
        return fail(
          "a ladder has from \(range.lowerBound) to \(range.upperBound) sizes, for its curve has three constants, not "
            + "\(setting.text.map { "'\($0.prefix(40))'" } ?? setting.kindInWords)", setting.place)
      }
      // 3: ½, 1, 2; 4: ¼, ½, 1, 2.
      let lowest = -(count / 2)
      return .factors((0..<count).map { exponent(lowest + $0) })
    }
    let factors = items.map(Factor.read)
    if factors.contains(where: { $0 != nil }) {
      var all: Set<Double> = [1]
      for (item, factor) in zip(items, factors) {
        guard let factor else { return fail("sizes are all factors, as x0.5, or all counts of parameters", item.place) }
        guard factor == 1 || all.insert(factor).inserted else { return fail("a size is there twice", item.place) }
      }
      guard range.contains(all.count) else {
        return fail(
          "a ladder has from \(range.lowerBound) to \(range.upperBound) sizes, and these are \(all.count)", nil)
      }
      return .factors(all.sorted())
    }
    var counts: Set<Int> = []
    for item in items {
      guard let count = Self.count(item), (1...1 << 40).contains(count) else {
        return fail("a size is a factor as x0.5, or a count of parameters as 3M", item.place)
      }
      guard counts.insert(count).inserted else { return fail("a size is there twice", item.place) }
    }
    // The base is a size too.
    guard counts.count >= Ladder.fewest - 1, counts.count <= Ladder.most else {
      return fail("a ladder has from \(range.lowerBound) to \(range.upperBound) sizes, the base's among them", nil)
    }
    return .parameters(counts.sorted())
  }

  private func exponent(_ power: Int) -> Double {
    power >= 0 ? Double(1 << power) : 1 / Double(1 << -power)
  }

  /// `300K`, `1.5M`, `1000000`.
  private static func count(_ setting: Setting) -> Int? {
    guard let text = setting.text, let last = text.last else { return nil }
    let units: [Character: Double] = ["K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9]
    guard let unit = units[Character(last.uppercased())] else { return setting.integer }
    return Double(text.dropLast()).flatMap { $0 > 0 && $0 < 1e6 ? Int(rounding: $0 * unit) : nil }
  }
}
