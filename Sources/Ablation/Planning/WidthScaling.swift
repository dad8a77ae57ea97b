import Components
import Describing
import Specification

/// A model's sibling of another width: as many layers, heads of the same width, more or fewer of them, and feed-forwards in
/// proportion.
struct WidthScaling {
  /// Options that are widths in proportion to the residual stream's.
  private static let widths: Set<String> = [
    "hidden_size", "intermediate_size", "expert_size", "shared_size", "inner_size", "latent_size", "width",
  ]
  /// The key of the residual stream's width.
  static let stream = "hidden_size"
  /// What keys of numbers of heads begin and end with.
  private static let heads = (prefix: "num_", suffix: "heads")
  /// How many query heads share keys and values must not change but where there is less than one left.
  private static let shared = "num_kv_heads"

  /// What widths are multiplied by.
  let factor: Double

  /// What changes in `spec`, a resolved tree. Throws where a number of heads or the residual stream's width is no integer then.
  func patch(of spec: Setting, at place: Place?) throws(Problems) -> Setting {
    var problems = Problems()
    let patch = scaled(spec, "", place, &problems)?.setting ?? Setting(.group([]))
    try problems.check()
    return patch
  }

  /// The smallest steps by which the model's width grows at a fixed head width, as parts of it: one over this.
  static func parts(of spec: Setting) -> Int {
    var numbers: [Int] = []
    func look(_ setting: Setting) {
      for entry in setting.entries ?? [] {
        if isHeads(entry.key), let count = entry.value.integer, count > 0, entry.key != shared { numbers.append(count) }
        look(entry.value)
      }
      for item in setting.list ?? [] { look(item) }
    }
    look(spec)
    let widths = numbers.isEmpty ? [spec[stream]?.integer ?? 1] : numbers
    return widths.reduce(0) { gcd($0, $1) }
  }

  private static func gcd(_ a: Int, _ b: Int) -> Int { b == 0 ? a : gcd(b, a % b) }

  private static func isHeads(_ key: String) -> Bool { key.hasPrefix(heads.prefix) && key.hasSuffix(heads.suffix) }

  /// `setting` with its widths scaled; nil where it has none.
  private func scaled(
    _ setting: Setting, _ key: String, _ place: Place?, _ problems: inout Problems
  ) -> (setting: Setting, isPartial: Bool)? {
    if let items = setting.list {
      let all = items.map { scaled($0, key, place, &problems)?.setting }
      guard all.contains(where: { $0 != nil }) else { return nil }
      // A list is replaced as a whole: its groups keep what they have beside widths.
      let whole = zip(items, all).map { item, change in change.map { item.merging($0) } ?? item }
      return (Setting(.list(whole), at: place), false)
    }
    if let entries = setting.entries {
      let changes = entries.compactMap { entry in
        scaled(entry.value, entry.key, place, &problems).map { Setting.Entry(entry.key, $0.setting, at: place) }
      }
      return changes.isEmpty ? nil : (Setting(.group(changes), at: place), true)
    }
    guard let number = setting.integer, number > 0 else { return nil }
    let isHeads = Self.isHeads(key)
    guard isHeads || Self.widths.contains(key) || key.hasSuffix("_rank") else { return nil }
    let wanted = Double(number) * factor
    var value = Int(rounding: wanted)
    if key == Self.shared {
      value = max(1, value)
    } else if isHeads || key == Self.stream {
      guard wanted >= 1, abs(wanted - wanted.rounded()) < 1e-9 else {
        problems.add(
          Problem(
            "at \(Tuning.words(factor)) the width '\(key)' would be \(Wording.short(wanted)), and it is an integer",
            at: place,
            hint: isHeads ? "\(number) heads of the same width give sizes in steps of 1/\(number)" : nil))
        return nil
      }
    } else if number % 8 == 0, value > 8 {
      value = Int(rounding: wanted / 8) * 8
    }
    return (Setting(text: String(max(1, value)), at: place), false)
  }
}
