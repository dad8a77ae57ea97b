import Foundation

// list-components OUTPUT FILE…: writes the Swift source that lists the component of each file, with its doc comment.
// A file holds one component, named like the file: `RMSNorm.swift` holds `RMSNorm`. A name with a `+` is an aspect of one.

/// The comment (`///` lines) directly above the declaration of `type` in `source`, without its markers.
func documentation(of type: String, in source: String) -> String {
  var comment: [Substring] = []
  for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
    let text = line.drop { $0 == " " }
    if text.hasPrefix("///") {
      comment.append(text.dropFirst(text.hasPrefix("/// ") ? 4 : 3))
    } else if text.hasPrefix("public struct \(type)") || text.hasPrefix("public enum \(type)") {
      return comment.joined(separator: "\n")
    } else if !text.hasPrefix("@") {
      comment = []
    }
  }
  return ""
}

let arguments = CommandLine.arguments.dropFirst()
guard let output = arguments.first else {
  FileHandle.standardError.write(Data("usage: list-components OUTPUT FILE…\n".utf8))
  exit(2)
}
var types: [String] = []
var comments: [String] = []
for path in arguments.dropFirst() {
  let type = String(path.split(separator: "/").last?.dropLast(".swift".count) ?? "")
  if type.contains("+") { continue }
  let source = try String(contentsOfFile: path, encoding: .utf8)
  types.append("  \(type).self,")
  comments.append("  #####\"\"\"\n\(documentation(of: type, in: source))\n\"\"\"#####,")
}
let text = """
  import Components

  /// The components of this package, one for each file of its `Plugins` folder.
  public let standardComponents: [any Component.Type] = [
  \(types.joined(separator: "\n"))
  ]

  /// The doc comment of each of `standardComponents`, in the same order.
  public let standardComponentDocumentation: [String] = [
  \(comments.joined(separator: "\n"))
  ]

  """
try text.write(toFile: output, atomically: true, encoding: .utf8)
