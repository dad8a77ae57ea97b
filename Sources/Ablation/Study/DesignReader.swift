import Components
import Describing
import Specification

/// What `combine` says: a word, or a group of `type` and its options.
struct Combination {
  /// The word.
  let word: String
  /// Where it stands; nil where nothing was said.
  let place: Place?
  /// How many runs a fraction has.
  let runs: Setting?
  /// How many orders a path is averaged over.
  let orders: Setting?

  /// What `setting` says; each by itself where it says nothing.
  init(_ setting: Setting?, _ problems: inout Problems) {
    let type = setting?.entries == nil ? setting : setting?["type"]
    let word = type?.text ?? (setting == nil ? "each" : "")
    if !StudyKeys.combine.contains(word) {
      problems.add(
        Problem(
          "'combine' takes \(StudyKeys.combine.joined(separator: ", ")), not "
            + (type?.text.map { "'\($0.prefix(40))'" } ?? setting?.kindInWords ?? "nothing"),
          at: type?.place ?? setting?.place,
          hint: nearestName(to: word, in: StudyKeys.combine).map { "did you mean '\($0)'?" }))
    }
    (self.word, place) = (word, setting?.place)
    (runs, orders) = (setting?["runs"], setting?["orders"])
    for entry in setting?.entries ?? [] where entry.key != "type" {
      let known = word == "fractional" ? "runs" : word == "path" ? "orders" : ""
      if entry.key != known {
        problems.add(unknownKey(entry, in: "'combine: \(word)'", among: known.isEmpty ? ["type"] : ["type", known]))
      }
    }
  }
}

/// Reads which sets of changes a fraction or a path has.
struct DesignReader {
  private let combination: Combination
  private let count: Int

  init(_ combination: Combination, count: Int) { (self.combination, self.count) = (combination, count) }

  /// The sets of changes, and the design that asks for them.
  struct Sets {
    let models: [UInt32]
    let design: ([String]) -> StudyDesign
  }

  func read(_ problems: inout Problems) -> Sets? {
    let place = combination.place
    guard (2...FractionalDesign.limit).contains(count) else {
      problems.add(
        Problem(
          "'combine: \(combination.word)' takes from 2 to \(FractionalDesign.limit) changes, and there are \(count)",
          at: place))
      return nil
    }
    switch combination.word {
    case "path": return path(&problems)
    case "grid": return fraction(runs: 1 << count, &problems)
    default:
      let usual = FractionalDesign.fewestRuns(count)
      let runs = combination.runs.map { $0.integer ?? 0 } ?? usual
      return fraction(runs: runs, &problems)
    }
  }

  private func fraction(runs: Int, _ problems: inout Problems) -> Sets? {
    guard runs <= StudyKeys.armLimit, let design = FractionalDesign(count: count, runs: runs) else {
      let possible = sequence(first: FractionalDesign.fewestRuns(count)) { $0 * 2 }.prefix { $0 <= 1 << count }
        .filter { $0 <= StudyKeys.armLimit }.map(String.init).joined(separator: ", ")
      problems.add(
        Problem(
          "a fraction of \(count) changes has \(possible) runs, not \(combination.runs?.text ?? String(runs))",
          at: combination.runs?.place ?? combination.place))
      return nil
    }
    return Sets(models: design.runs) { .fractional(design, changes: $0) }
  }

  private func path(_ problems: inout Problems) -> Sets? {
    var design = PathDesign(count: count)
    if let setting = combination.orders {
      guard let orders = setting.integer, (2...200).contains(orders) else {
        problems.add(
          Problem(
            "'orders' takes how many orders are averaged over, from 2 to 200, not \(setting.text ?? setting.kindInWords)",
            at: setting.place))
        return nil
      }
      design = PathDesign(count: count, orders: orders)
    } else if count > PathDesign.usualLimitOfAll {
      design = PathDesign(count: count, orders: 2 * count)
    }
    let models = design.models
    guard models.count <= StudyKeys.armLimit else {
      problems.add(
        Problem(
          "the path has \(models.count) models, and a study at most \(StudyKeys.armLimit) arms", at: combination.place))
      return nil
    }
    return Sets(models: models) { .path(design, changes: $0) }
  }
}
