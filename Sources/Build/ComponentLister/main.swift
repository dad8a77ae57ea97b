import CompilerName
import Foundation

// list-components OUTPUT MODULE FILE… --interface FILE…: writes the Swift source that lists the component of each file, with
// its doc comment, and the entry point by which a program that loads the module's library finds them.
//
// A file holds one component, named like the file: `RMSNorm.swift` holds `RMSNorm`. A name with a `+` is an aspect of one. In a
// file of any other name nothing is a component, which a package of somebody else may have.

/// The comment (`///` lines) directly above the declaration of `type` in `source`, without its markers; nil where `source`
/// declares no such type.
func documentation(of type: String, in source: String) -> String? {
  var comment: [Substring] = []
  for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
    let text = line.drop { $0 == " " }
    if text.hasPrefix("///") {
      comment.append(text.dropFirst(text.hasPrefix("/// ") ? 4 : 3))
    } else if ["struct", "enum", "final class"].contains(where: { text.hasPrefix("public \($0) \(type)") }) {
      return comment.joined(separator: "\n")
    } else if !text.hasPrefix("@") {
      comment = []
    }
  }
  return nil
}

/// A number over the contents of `files`, whatever their order and wherever they stand: the sum of their FNV-1a hashes in
/// 64 bits, http://www.isthe.com/chongo/tech/comp/fnv/.
func fingerprint(of files: [String]) throws -> String {
  var sum: UInt64 = 0
  for path in files {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in try Data(contentsOf: URL(fileURLWithPath: path)) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    sum &+= hash
  }
  return String(sum, radix: 16)
}

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count > 2, let split = arguments.firstIndex(of: "--interface") else {
  FileHandle.standardError.write(Data("usage: list-components OUTPUT MODULE FILE… --interface FILE…\n".utf8))
  exit(2)
}
let (output, module) = (arguments[0], arguments[1])
var types: [String] = []
var comments: [String] = []
for path in arguments[2..<split] {
  let type = String(path.split(separator: "/").last?.dropLast(".swift".count) ?? "")
  if type.contains("+") { continue }
  let source = try String(contentsOfFile: path, encoding: .utf8)
  // What is not there is left to the compiler to say where a file must hold a component.
  guard let comment = documentation(of: type, in: source) ?? (module == "StandardComponents" ? "" : nil) else {
    continue
  }
  types.append("  \(type).self,")
  comments.append("  #####\"\"\"\n\(comment)\n\"\"\"#####,")
}
let name = module.prefix(1).lowercased() + module.dropFirst() + (module.hasSuffix("Components") ? "" : "Components")
let one = name.dropLast()
let interface = try fingerprint(of: Array(arguments[(split + 1)...]))
let compiler = String(cString: compiler_name()).replacingOccurrences(of: ";", with: ",")
let entry = "chimera_plugin_\(module)"
let text = """
  import Components

  /// The components of this module, one for each file.
  public let \(name): [any Component.Type] = [
  \(types.joined(separator: "\n"))
  ]

  /// The doc comment of each of `\(name)`, in the same order.
  public let \(one)Documentation: [String] = [
  \(comments.joined(separator: "\n"))
  ]

  /// What this module was built against, and by what; it stands in a library's file, to be read before it is loaded.
  public let \(one)Mark: StaticString = "chimera-plugin entry=\(entry) interface=\(interface) compiler=\(compiler);"

  /// Gives the components to the program that has loaded this module's library: `contents` is a `PluginContents`.
  @_cdecl("\(entry)")
  public func \(entry)(_ contents: UnsafeMutableRawPointer) -> UnsafePointer<UInt8> {
    contents.assumingMemoryBound(to: PluginContents.self).pointee.add(\(name), documentation: \(one)Documentation)
    return \(one)Mark.utf8Start
  }

  """
// Only a change is written: the build runs this tool every time, and compiles what a newer file stands in.
if (try? String(contentsOfFile: output, encoding: .utf8)) != text {
  try text.write(toFile: output, atomically: true, encoding: .utf8)
}
