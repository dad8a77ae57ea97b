import Components
import Specification

/// Reads arms from lists of values, `vary: {position: [x, y], attention.num_kv_heads: [1, 2]}`, and how they go together.
///
/// A value that takes several keys is a change by name, `vary: {cache: {small: {attention: …, context_length: …}, large: {}}}`.
struct VariationReader {
  /// A key, or a path of keys, and one of its values; or a word and one of the changes that it stands for.
  private struct Choice {
    let path: String
    /// The path as names have it.
    let label: String
    let name: String
    let patch: Setting
    var training = Setting(.group([]))
    let place: Place?
  }

  private let setting: Setting?
  private let combination: Combination
  private let changes: [Arm]

  /// A reader of `setting`; `changes`, the arms that were written by name, go together as `combination` says.
  init(_ setting: Setting?, _ combination: Combination, changes: [Arm]) {
    self.setting = setting
    self.combination = combination
    self.changes = changes
  }

  /// All arms, and their design.
  func read(_ problems: inout Problems) -> (arms: [Arm], design: StudyDesign) {
    let axes = axes(&problems)
    if combination.word == "each" || !problems.isEmpty {
      return (changes + axes.flatMap { axis in axis.map { arm([$0], isAlone: axes.count == 1) } }, .each)
    }
    if !axes.isEmpty, !changes.isEmpty {
      if combination.word == "grid" { return grid(axes, &problems) }
      problems.add(
        Problem(
          "'combine: \(combination.word)' combines the arms or what is varied, not both", at: combination.place))
      return (changes, .each)
    }
    switch combination.word {
    case "grid" where !axes.isEmpty: return grid(axes, &problems)
    case "path" where !axes.isEmpty:
      problems.add(Problem("a path goes over arms, each a change of the base", at: combination.place))
      return ([], .each)
    default: break
    }
    let names: [String]
    if axes.isEmpty {
      names = changes.map(\.name)
    } else {
      for axis in axes where axis.count != 2 {
        problems.add(
          Problem(
            "in a fraction each key has two values, and '\(axis[0].path)' has \(axis.count)", at: axis[0].place))
      }
      names = axes.map { $0[0].label }
    }
    let sets = DesignReader(combination, count: names.count).read(&problems)
    guard problems.isEmpty, let sets else { return (changes, .each) }
    let arms = sets.models.compactMap { set -> Arm? in
      if !axes.isEmpty { return arm(axes.indices.map { axes[$0][Int(set >> UInt32($0) & 1)] }, at: set) }
      return set == 0 ? nil : arm(of: set, names)
    }
    return (arms, sets.design(names))
  }

  private func axes(_ problems: inout Problems) -> [[Choice]] {
    guard let setting else {
      if let place = combination.place, changes.isEmpty {
        problems.add(
          Problem("'combine' says how arms or the values of 'vary' go together, and there are none", at: place))
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
    let paths = entries.filter { $0.value.entries == nil }.map(\.key)
    for entry in entries {
      if let changes = entry.value.entries, !changes.isEmpty {
        let choices = changes.compactMap { choice($0, of: entry.key, &problems) }
        if !choices.isEmpty { axes.append(choices) }
        continue
      }
      guard let values = entry.value.list, !values.isEmpty else {
        problems.add(
          Problem(
            "'\(entry.key)' takes a list of values to try, or changes by name, not \(entry.value.kindInWords)",
            at: entry.value.place ?? entry.place))
        continue
      }
      let label = Self.label(of: entry.key, among: paths)
      axes.append(
        values.map { value in
          let place = value.place ?? entry.place
          var patch = Setting(.group([]), at: place)
          patch[path: entry.key] = value
          return Choice(path: entry.key, label: label, name: name(of: value), patch: patch, place: place)
        })
    }
    return axes
  }

  /// The change that `entry` names, one of those of `factor`; nil, and a problem, where it is none.
  private func choice(_ entry: Setting.Entry, of factor: String, _ problems: inout Problems) -> Choice? {
    guard let arm = Arm(entry, &problems) else { return nil }
    return Choice(
      path: factor, label: factor, name: arm.name, patch: arm.patch, training: arm.training, place: arm.place)
  }

  /// `path` without the keys that all of `paths` begin with: what is the same in every name tells no arms apart.
  private static func label(of path: String, among paths: [String]) -> String {
    let parts = paths.map { $0.split(separator: ".") }
    guard paths.count > 1, let first = parts.first else { return path }
    let most = max(0, (parts.map(\.count).min() ?? 0) - 1)
    let shared = (0..<most).prefix { place in parts.allSatisfy { $0[place] == first[place] } }.count
    return path.split(separator: ".").dropFirst(shared).joined(separator: ".")
  }

  // MARK: Designs

  private func grid(_ axes: [[Choice]], _ problems: inout Problems) -> ([Arm], StudyDesign) {
    guard axes.reduce(1.0, { $0 * Double($1.count) }) <= Double(StudyKeys.armLimit) else {
      problems.add(Problem("the grid has more than \(StudyKeys.armLimit) arms", at: setting?.place))
      return ([], .each)
    }
    let cells = axes.reduce([[Int]()]) { cells, axis in cells.flatMap { cell in axis.indices.map { cell + [$0] } } }
    let arms = cells.map { cell in
      arm(axes.indices.map { axes[$0][cell[$0]] }, isAlone: axes.count == 1, coordinates: cell)
    }
    let isAlone = axes.count == 1
    let design = GridDesign(
      factors: axes.map { $0[0].label }, levels: axes.map { $0.map(\.name) })
    return (changes + arms, isAlone ? .each : .grid(design))
  }

  /// The arm that has every change of `set`, in the order they were written.
  private func arm(of set: UInt32, _ names: [String]) -> Arm {
    let own = changes.indices.filter { set >> UInt32($0) & 1 == 1 }
    let empty = Setting(.group([]))
    let lacking = names.indices.filter { !own.contains($0) }
    let joined = own.map { names[$0] }.joined(separator: " + ")
    let name =
      if lacking.isEmpty {
        "all"
      } else if lacking.count == 1, own.count > 1 { "all but \(names[lacking[0]])" } else { joined }
    return Arm(
      name: Arm.isName(name) ? name : name.prefix(70) + "… #\(set)",
      patch: own.reduce(empty) { $0.merging(changes[$1].patch) },
      training: own.reduce(empty) { $0.merging(changes[$1].training) }, place: changes[own[0]].place,
      isVariation: false, coordinates: [Int(set)])
  }

  private func arm(_ choices: [Choice], at set: UInt32) -> Arm {
    arm(choices, isAlone: false, coordinates: [Int(set)])
  }

  /// The arm of `choices`; with one key varied, values alone are names enough.
  private func arm(_ choices: [Choice], isAlone: Bool, coordinates: [Int] = []) -> Arm {
    // Keys may share their beginning, so each is laid over the others.
    let patch = choices.reduce(Setting(.group([]), at: choices.first?.place)) { $0.merging($1.patch) }
    let training = choices.reduce(Setting(.group([]))) { $0.merging($1.training) }
    let names = choices.map { isAlone ? $0.name : "\($0.label)=\($0.name)" }
    let whole = names.joined(separator: ", ")
    // What is cut away may be all that tells two arms apart.
    let cut = coordinates.isEmpty ? "" : "… #" + coordinates.map { String($0 + 1) }.joined(separator: ".")
    return Arm(
      name: whole.count <= 80 ? whole : whole.prefix(80 - cut.count) + cut, patch: patch, training: training,
      place: choices.first?.place, isVariation: true, coordinates: coordinates)
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
