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
  /// How much of it; of several budgets, of the largest.
  public let amount: Double
  /// The smaller budgets, ascending: each is the end of a decay that leaves the run of the next larger one.
  public let smaller: [Double]
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

  /// The tokens that the smaller budgets leave an arm that has `tokens` of the largest.
  func smallerTokens(of tokens: Int) -> [Int] {
    smaller.map { max(1, Int(rounding: Double(tokens) * $0 / amount)) }
  }

  /// The budget as a person reads it: `1.2e+15 FLOPs`.
  public var words: String {
    let amounts = smaller + [amount]
    func list(_ words: (Double) -> String) -> String { amounts.map(words).joined(separator: ", ") }
    return switch quantity {
    case .tokens: list { Wording.count(Int(rounding: $0)) } + " tokens"
    case .flops: list(Wording.short) + " FLOPs of training"
    case .seconds: list(Wording.short) + " seconds of training, as measured when the study was begun"
    }
  }

  /// One of the amounts as a person reads it.
  func words(_ amount: Double) -> String {
    Budget(quantity: quantity, amount: amount, smaller: [], measured: [:], place: nil).words
      .replacing(", as measured when the study was begun", with: "")
  }
}

/// Reads `budget: {flops: 2e14}`, or `budget: {tokens: [1e6, 2e6, 4e6]}`.
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
    var found: [(Budget.Quantity, [Double], Setting.Entry)] = []
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
      if let amounts = amounts(of: quantity, entry, &problems) { found.append((quantity, amounts, entry)) }
    }
    if found.count > 1 {
      problems.add(Problem("one thing can be spent equally, and '\(found[1].2.key)' is a second", at: found[1].2.place))
    }
    return found.first.map { quantity, amounts, entry in
      Budget(
        quantity: quantity, amount: amounts[amounts.count - 1], smaller: Array(amounts.dropLast()), measured: measured,
        place: entry.place)
    }
  }

  /// The amounts that `entry` has, ascending; nil where one is none, or none is there.
  private func amounts(
    of quantity: Budget.Quantity, _ entry: Setting.Entry, _ problems: inout Problems
  ) -> [Double]? {
    let items = entry.value.list ?? [entry.value]
    var amounts: [Double] = []
    for item in items {
      guard let amount = item.number, (1...1e30).contains(amount) else {
        problems.add(
          Problem(
            "'\(entry.key)' takes an amount of at least 1, or several, not \(item.text ?? item.kindInWords)",
            at: item.place ?? entry.place))
        return nil
      }
      if quantity == .tokens, amount > 1e15 {
        problems.add(Problem("no run has \(item.text ?? "so many") tokens", at: item.place))
      }
      if amounts.contains(amount) { problems.add(Problem("the budget is there twice", at: item.place)) }
      amounts.append(amount)
    }
    guard (1...Self.most).contains(amounts.count) else {
      problems.add(
        Problem("'\(entry.key)' takes from 1 to \(Self.most) amounts, not \(amounts.count)", at: entry.value.place))
      return nil
    }
    return amounts.sorted()
  }

  /// The most budgets of a study.
  private static let most = 16
}
