import Components

/// Changes from a command line: `key.sub=value` sets, `~key.sub` and `key.sub=null` delete.
///
/// The value is YAML on one line, so `word`, `1e-5`, `[0, 3]` and `{type: word, eps: 1e-5}` work. Places in it are
/// lines and columns of the source `--set`, whose text is `text`, one change a line.
public struct Overrides: Sendable {
  /// What messages call the command line.
  public static let source = "--set"

  /// One patch for each change, in order.
  public let patches: [Setting]
  /// The changes as they were given, one a line.
  public let text: String

  /// The changes that `arguments` ask for, which messages say are of `source`; throws all that are unclear.
  public init(_ arguments: [String], source: String = Overrides.source) throws(Problems) {
    var patches: [Setting] = []
    var problems = Problems()
    for (index, argument) in arguments.enumerated() {
      do throws(Problems) {
        patches.append(try Self.patch(argument, source: source, line: index + 1))
      } catch {
        for problem in error.list { problems.add(problem) }
      }
    }
    self.patches = patches
    text = arguments.joined(separator: "\n")
    try problems.check()
  }

  private static func patch(_ argument: String, source: String, line: Int) throws(Problems) -> Setting {
    let scalars = argument.unicodeScalars
    func place(_ column: Int, _ length: Int = 1) -> Place {
      Place(source: source, line: line, column: column + 1, length: length)
    }
    func fail(_ sentence: String, at place: Place, hint: String? = nil) -> Problems {
      Problems([Problem(sentence, at: place, hint: hint)])
    }
    if scalars.contains(where: { $0.value < 0x20 }) {
      throw fail("a change is one line of text without control characters", at: place(0))
    }
    let deletes = argument.hasPrefix("~")
    let equals = scalars.firstIndex(of: "=")
    if argument.hasPrefix("+") {
      throw fail("a change does not begin with '+'", at: place(0), hint: "'key.sub=value' sets a key, new or not")
    }
    if deletes, let equals {
      let column = scalars.distance(from: scalars.startIndex, to: equals)
      throw fail("'~' deletes a key, so no value follows", at: place(column), hint: "leave out '~' or '=…'")
    }
    guard deletes || equals != nil else {
      throw fail(
        "'\(argument)' sets nothing", at: place(0, scalars.count), hint: "write 'key=value', or '~key' to delete it")
    }
    let pathStart = deletes ? 1 : 0
    let path = scalars[..<(equals ?? scalars.endIndex)].dropFirst(pathStart)
    var keys: [(name: String, place: Place)] = []
    var column = pathStart
    for part in path.split(separator: ".", omittingEmptySubsequences: false) {
      guard !part.isEmpty, !part.contains(" ") else {
        throw fail(
          "'\(String(String.UnicodeScalarView(path)))' is not a path of keys", at: place(pathStart, path.count),
          hint: "keys are joined by single dots: 'attention.num_heads'")
      }
      keys.append((String(String.UnicodeScalarView(part)), place(column, part.count)))
      column += part.count + 1
    }
    guard keys.count <= YAMLReader.depthLimit / 2 else {
      throw fail("the path has more than \(YAMLReader.depthLimit / 2) keys", at: place(pathStart, path.count))
    }
    var value = Setting(.scalar("null", quoted: false), at: place(0, scalars.count))
    if let equals {
      let text = scalars[scalars.index(after: equals)...]
      guard text.contains(where: { $0 != " " }) else {
        throw fail(
          "no value follows '='", at: place(scalars.count - text.count - 1),
          hint: "'null' deletes the key, '\"\"' is an empty text")
      }
      let reader = YAMLReader(source: source, firstLine: line, firstColumn: scalars.count - text.count + 1)
      value = try reader.read(String(String.UnicodeScalarView(text)))
      if case .scalar(let word, quoted: false) = value.content, word.contains(",") {
        throw fail(
          "one value is expected, and '\(word)' has a comma", at: value.place ?? place(0),
          hint: "a list is written [a, b]; a text with a comma is quoted")
      }
    }
    for key in keys.reversed() {
      value = Setting(.group([Setting.Entry(key.name, value, at: key.place)]), at: key.place)
    }
    return value
  }
}
