import Checkpoints
import Components
import Composition
import Describing
import Files
import Specification

/// Differences as a JSON document. What stands under `patch` is a specification that composes the second model.
struct DiffJSON {
  let names: (String, String)
  let diff: ArchitectureDiff
  let file: Setting?
  let others: Setting

  var json: JSONValue {
    let value = { (text: String?) -> JSONValue in text.map { .string($0) } ?? .null }
    return [
      "first": .string(names.0), "second": .string(names.1), "composes_the_same": .bool(diff.composesTheSame),
      "story": .array(
        diff.story.map { ["part": .string($0.group), "changes": .array($0.changes.map { .string($0) })] }),
      "differences": .array(
        diff.rows.map { row in
          [
            "group": .string(row.group), "key": .string(row.key.drop { $0 == " " }.description),
            "first": value(row.first),
            "second": value(row.second),
          ]
        }),
      "patch": file.map { JSONValue($0) } ?? .null,
      "other_differences": JSONValue(others),
    ]
  }
}
