import Components
import Describing
import Specification

/// What every arm may spend on a run: each trains to the end of its schedule within it, so that a cheaper arm sees more
/// tokens.
public struct Budget: Sendable, Hashable {
  /// What is spent.
  public enum Quantity: String, Sendable, CaseIterable {
    /// Tokens: every arm the same number.
    case tokens
    /// Floating-point operations of training: three times those of a forward pass.
    case flops
    /// Seconds of training on the machine where the study is begun.
    case seconds
  }

  /// What is spent.
  public let quantity: Quantity
  /// How much of it.
  public let amount: Double
  /// The tokens of a run of each arm, where they were measured and noted when the study was begun.
  public var measured: [String: Int]
  /// Where it was written.
  public let place: Place?

  /// The key under which a study's folder notes what was measured.
  public static let measuredKey = "tokens_each"

  /// The tokens that a run of `arm`, of `flopsPerToken` operations a token forwards, has; nil where that was not measured yet.
  func tokens(of arm: String, flopsPerToken: Double) -> Int? {
    switch quantity {
    case .tokens: Int(rounding: amount)
    case .flops: Int(rounding: min(amount / (3 * flopsPerToken), 1e15))
    case .seconds: measured[arm]
    }
  }

  /// The budget as a person reads it: `1.2e+15 FLOPs`.
  public var words: String {
    switch quantity {
    case .tokens: "\(Wording.count(Int(rounding: amount))) tokens"
    case .flops: "\(Wording.short(amount)) FLOPs of training"
    case .seconds: "\(Wording.short(amount)) seconds of training, as measured when the study was begun"
    }
  }
}

/// Reads `budget: {flops: 2e14}`.
struct BudgetReader {
  private let setting: Setting?

  init(_ setting: Setting?) { self.setting = setting }

  func read(_ problems: inout Problems) -> Budget? {
    guard let setting else { return nil }
    let words = Budget.Quantity.allCases.map(\.rawValue)
    guard let entries = setting.entries, !entries.isEmpty else {
      problems.add(
        Problem(
          "'budget' takes one of \(words.joined(separator: ", ")) with an amount, not \(setting.text.map { "'\($0.prefix(40))'" } ?? setting.kindInWords)",
          at: setting.place, hint: "budget: {flops: 2e14}"))
      return nil
    }
    var found: [(Budget.Quantity, Double, Setting.Entry)] = []
    var measured: [String: Int] = [:]
    for entry in entries {
      if entry.key == Budget.measuredKey {
        for arm in entry.value.entries ?? [] { measured[arm.key] = arm.value.integer }
        continue
      }
      guard let quantity = Budget.Quantity(rawValue: entry.key) else {
        problems.add(unknownKey(entry, in: "'budget'", among: words))
        continue
      }
      guard let amount = entry.value.number, (1...1e30).contains(amount) else {
        problems.add(
          Problem(
            "'\(entry.key)' takes an amount of at least 1, not \(entry.value.text ?? entry.value.kindInWords)",
            at: entry.value.place ?? entry.place))
        continue
      }
      if quantity == .tokens, amount > 1e15 {
        problems.add(Problem("no run has \(entry.value.text ?? "so many") tokens", at: entry.value.place))
      }
      found.append((quantity, amount, entry))
    }
    if found.count > 1 {
      problems.add(Problem("one thing can be spent equally, and '\(found[1].2.key)' is a second", at: found[1].2.place))
    }
    return found.first.map { Budget(quantity: $0.0, amount: $0.1, measured: measured, place: $0.2.place) }
  }
}
