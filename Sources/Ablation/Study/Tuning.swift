import Components
import Describing
import Specification

/// The setting of which each arm has its own best: a rate that suits the baseline need not suit what it is compared with.
public struct Tuning: Sendable, Hashable {
  /// The setting's key in `train`.
  public let key: String
  /// What its shared value is multiplied by, ascending; 1 is among them.
  public let factors: [Double]
  /// Where it was written.
  public let place: Place?

  /// What a study may say: `auto`, or the setting and its factors.
  static let usual = [0.5, 1, 2]
  /// Settings whose value is a number that a run may be better or worse by.
  static let keys = ["lr", "warmup", "clip", "dropout"]
  /// How often a best at an edge is followed outwards.
  static let extensionLimit = 3

  /// Every factor that may be tried: those given, and beyond each end three more, as far apart as the last two.
  public var reach: [Double] {
    var all = factors
    for (end, beside) in [(factors[0], factors[1]), (factors[factors.count - 1], factors[factors.count - 2])] {
      for step in 1...Self.extensionLimit { all.append(end * power(end / beside, step)) }
    }
    return all.sorted()
  }

  private func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }

  /// The factor as a person reads it: `×2`, `×½`.
  public static func words(_ factor: Double) -> String {
    let parts = [0.5: "½", 0.25: "¼", 0.125: "⅛"]
    return "×" + (parts[factor] ?? Wording.short(factor))
  }
}

/// Reads `tune: auto`, or `tune: {lr: [x½, x1, x2]}`.
struct TuningReader {
  private let setting: Setting?

  init(_ setting: Setting?) { self.setting = setting }

  func read(_ problems: inout Problems) -> Tuning? {
    guard let setting else { return nil }
    if setting.text == "auto" { return Tuning(key: "lr", factors: Tuning.usual, place: setting.place) }
    guard let entries = setting.entries, !entries.isEmpty else {
      problems.add(
        Problem(
          "'tune' takes auto, or a setting with factors, not \(setting.text.map { "'\($0.prefix(40))'" } ?? setting.kindInWords)",
          at: setting.place, hint: "tune: {lr: [x0.5, x1, x2]}"))
      return nil
    }
    if entries.count > 1 {
      problems.add(Problem("one setting can be tuned, and '\(entries[1].key)' is a second", at: entries[1].place))
    }
    let entry = entries[0]
    guard Tuning.keys.contains(entry.key) else {
      problems.add(unknownKey(entry, in: "'tune'", among: Tuning.keys))
      return nil
    }
    if entry.value.text == "auto" { return Tuning(key: entry.key, factors: Tuning.usual, place: entry.place) }
    guard let items = entry.value.list, !items.isEmpty else {
      problems.add(
        Problem(
          "'\(entry.key)' takes auto or a list of factors, not \(entry.value.kindInWords)", at: entry.value.place,
          hint: "\(entry.key): [x0.5, x1, x2]"))
      return nil
    }
    var factors: Set<Double> = [1]
    for item in items {
      guard let factor = Factor.read(item) else {
        let word = item.text ?? item.kindInWords
        problems.add(
          Problem(
            "a factor is x and a number above 0, as x0.5, x½ or ×2, not '\(word.prefix(40))'", at: item.place,
            hint: item.number.map { $0 > 0 ? "x\(word) is so many times the shared value" : "it must be above 0" }))
        continue
      }
      factors.insert(factor)
    }
    if factors.count < 2, problems.isEmpty {
      problems.add(Problem("one factor leaves nothing to tune", at: entry.value.place, hint: "[x0.5, x1, x2]"))
      return nil
    }
    return factors.count < 2 ? nil : Tuning(key: entry.key, factors: factors.sorted(), place: entry.place)
  }
}
