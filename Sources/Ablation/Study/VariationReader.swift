import Components
import Specification

/// Reads arms from lists of values: `vary: {position: [x, y], attention.num_kv_heads: [1, 2]}`.
struct VariationReader {
  /// A key, or a path of keys, and one of its values.
  private struct Choice {
    let path: String
    let value: Setting
    let place: Place?
  }

  private let setting: Setting?
  private let combine: Setting?

  init(_ setting: Setting?, combine: Setting?) {
    self.setting = setting
    self.combine = combine
  }

  mutating func read(_ problems: inout Problems) -> [Arm] {
    let isGrid = combination(&problems)
    guard let setting else {
      if let combine {
        problems.add(
          Problem("'combine' says how the values of 'vary' go together, and there are none", at: combine.place))
      }
      return []
    }
    guard let entries = setting.entries else {
      problems.add(
        Problem(
          "'vary' takes keys with a list of values each, not \(setting.kindInWords)", at: setting.place,
          hint: "vary: {norm: [one, another]}"))
      return []
    }
    var axes: [[Choice]] = []
    for entry in entries {
      guard let values = entry.value.list, !values.isEmpty else {
        problems.add(
          Problem(
            "'\(entry.key)' takes a list of values to try, not \(entry.value.kindInWords)",
            at: entry.value.place ?? entry.place))
        continue
      }
      axes.append(values.map { Choice(path: entry.key, value: $0, place: $0.place ?? entry.place) })
    }
    var sets = axes.flatMap { axis in axis.map { [$0] } }
    if isGrid {
      guard axes.reduce(1.0, { $0 * Double($1.count) }) <= Double(StudyKeys.armLimit) else {
        problems.add(Problem("the grid has more than \(StudyKeys.armLimit) arms", at: setting.place))
        return []
      }
      sets = axes.isEmpty ? [] : axes.reduce([[]]) { sets, axis in sets.flatMap { set in axis.map { set + [$0] } } }
    }
    return sets.map { arm($0, isAlone: axes.count == 1) }
  }

  private func combination(_ problems: inout Problems) -> Bool {
    guard let combine else { return false }
    if let word = combine.text, StudyKeys.combine.contains(word) { return word == "grid" }
    problems.add(Problem("'combine' takes each or grid, not \(combine.kindInWords)", at: combine.place))
    return false
  }

  /// The arm of `choices`; with one key varied, values alone are names enough.
  private func arm(_ choices: [Choice], isAlone: Bool) -> Arm {
    var patch = Setting(.group([]), at: choices.first?.place)
    for choice in choices {
      // Keys may share their beginning, so each is laid over the others.
      var change = Setting(.group([]), at: choice.place)
      change[path: choice.path] = choice.value
      patch = patch.merging(change)
    }
    let names = choices.map { isAlone ? name(of: $0.value) : "\($0.path)=\(name(of: $0.value))" }
    return Arm(
      name: String(names.joined(separator: ", ").prefix(80)), patch: patch, training: Setting(.group([])),
      place: choices.first?.place, isVariation: true)
  }

  /// A value in a few words: `rope`, `rope theta=500000`, `gated=true activation=silu`.
  private func name(of value: Setting) -> String {
    switch value.content {
    case .scalar(let text, _): text
    case .list(let items): items.map(name).joined(separator: "+")
    case .group(let entries):
      entries.map { $0.key == "type" ? name(of: $0.value) : "\($0.key)=\(name(of: $0.value))" }.joined(separator: " ")
    }
  }
}
