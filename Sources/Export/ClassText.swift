/// A class of Python with a constructor and `forward`, as it is written.
struct ClassText {
  /// The text, whose statements are broken once their settings are known.
  let text: String

  /// The class `name`, whose constructor is told `told` beside the config.
  init(
    name: String, base: String, doc: [String], told: [String], constructor: [String], arguments: [String],
    forward: [String]
  ) {
    var lines = ["class \(name)(\(base)):"]
    if !doc.isEmpty { lines += Self.documentation(doc) + [""] }
    lines.append("    def __init__(\((["self", "config"] + told).joined(separator: ", "))):")
    lines += Self.statements(["super().__init__()"] + constructor)
    lines.append("")
    lines += PythonText.wrapped("def forward(\((["self"] + arguments).joined(separator: ", "))):", indent: 4)
    lines += Self.statements(forward)
    text = lines.joined(separator: "\n")
  }

  private static func documentation(_ lines: [String]) -> [String] {
    if lines.count == 1, lines[0].count + 10 <= PythonText.columns { return ["    \"\"\"\(lines[0])\"\"\""] }
    return ["    \"\"\"\(lines[0])"] + lines.dropFirst().map { $0.isEmpty ? "" : "    \($0)" } + ["    \"\"\""]
  }

  /// Statements in the body of a method.
  static func statements(_ statements: [String]) -> [String] {
    statements.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false) }.map { "        \($0)" }
  }
}
