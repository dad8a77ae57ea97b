import Components
import Composition
import Describing
import Specification

/// Differences for a terminal: what became of each part in a few words, two columns of values, and the YAML that makes the second model of the first.
struct DiffText {
  let names: (String, String)
  let diff: ArchitectureDiff
  let file: Setting?
  let others: Setting
  let width: Int

  /// What two models are called where they stand side by side.
  static func names(_ first: ModelSheet, _ second: ModelSheet, isChanged: Bool) -> (String, String) {
    let (a, b) = (first.architecture.name, second.architecture.name)
    return (a, isChanged ? "\(b), changed" : b)
  }

  var text: String {
    if diff.composesTheSame { return same }
    var table = TextTable([.left, .left, .left], flexible: [1, 2])
    table.add("", names.0, names.1)
    var group = ""
    for row in diff.rows {
      let values = [row.first ?? "–", row.second ?? "–"]
      if row.key.isEmpty {
        table.add([row.group] + values)
      } else {
        if row.group != group { table.add([row.group]) }
        table.add(["  \(row.key)"] + values)
      }
      group = row.group
    }
    var story = TextTable([.left, .left], flexible: [1])
    for line in diff.story { story.add("  " + line.group, line.changes.joined(separator: ", ")) }
    let head = "\(names.0) → \(names.1)\n" + story.text(width: width) + "\n"
    let yaml = file.map { "\n# turns \(names.0) into \(names.1)\n" + YAMLWriter().write($0) } ?? ""
    return head + table.text(width: width) + yaml
  }

  private var same: String {
    let besides = others.entries ?? []
    if besides.isEmpty { return "\(names.0) and \(names.1) are the same model\n" }
    let lost = besides.filter(\.value.isNull).map(\.key)
    let changed = besides.filter { !$0.value.isNull }
    return "\(names.0) and \(names.1) have the same architecture; only metadata differ:\n"
      + (changed.isEmpty ? "" : YAMLWriter().write(Setting(.group(changed))))
      + (lost.isEmpty ? "" : "\(names.1) has no \(lost.joined(separator: ", no "))\n")
  }
}
