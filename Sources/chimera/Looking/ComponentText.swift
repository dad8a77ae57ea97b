import Components
import Composition
import Files
import Describing

/// A component as a page of a manual: its own doc comment, and its options as it reads them.
struct ComponentText {
  let component: ComponentDescription
  /// The models that use it.
  let users: [String]

  func text(width: Int) -> String {
    var text = "\(component.slot.rawValue): \(component.name)\n\n\(component.documentation)\n"
    if component.options.isEmpty {
      text += "\nIt takes no options.\n"
    } else {
      var table = TextTable([.left, .left, .left, .left], flexible: [1, 3])
      table.add("option", "takes", "default", "meaning")
      for option in component.options {
        table.add(option.path == "*" ? "…" : option.path, option.kind.inWords, option.defaultInWords, option.meaning)
      }
      text += "\n" + table.text(width: width)
    }
    let models =
      users.isEmpty
      ? component.slot.namingSentence ?? "Used by no model of the zoo."
      : "Used by \(users.count): " + users.joined(separator: ", ")
    return text + "\n" + wrap(models, to: width).joined(separator: "\n") + "\n"
  }

  var json: JSONValue {
    var object = JSONObject()
    object["slot"] = .string(component.slot.rawValue)
    object["name"] = .string(component.name)
    object["documentation"] = .string(component.documentation)
    object["options"] = .array(
      component.options.map { option in
        [
          "path": .string(option.path), "takes": .string(option.kind.inWords),
          "default": option.defaultText.map { .string($0) } ?? .null, "default_follows": .bool(option.defaultFollows),
          "required": .bool(option.isRequired), "meaning": .string(option.meaning),
        ]
      })
    object["used_by"] = .array(users.map { .string($0) })
    return .object(object)
  }
}
