import Essentials
import Files

/// The lines of a file: each a text as it stands, or a text, a list or an object in JSON. Lines without a character that
/// shows are passed over.
struct LineFile {
  enum Line {
    case text(String)
    case json(JSONValue)

    /// The text of the line, where it is one.
    var text: String? {
      switch self {
      case .text(let text): text
      case .json(let value): value.string
      }
    }
  }

  /// The lines in order, each with its place, such as `prompts.txt:3`.
  let lines: [(place: String, line: Line)]

  /// The lines of the file at `path`; throws when it cannot be read, or a line is broken JSON.
  ///
  /// A line ends with a line feed, before which a carriage return may stand; other characters that end lines in print,
  /// such as U+2028, are text. With `readsLists` a list of numbers is JSON too.
  init(path: String, readsLists: Bool) throws {
    let file = try MappedFile(path: path)
    guard let text = withExtendedLifetime(file, { String(validating: file.bytes, as: UTF8.self) }) else {
      throw Failure(.invalid, "\(path): the file is not UTF-8 text")
    }
    var lines: [(String, Line)] = []
    let rows = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (number, row) in rows.enumerated() {
      guard let line = String(row.last == UInt8(ascii: "\r") ? row.dropLast() : row),
        let first = line.first(where: { !$0.isWhitespace })
      else { continue }
      let place = "\(path):\(number + 1)"
      guard first == "{" || first == "\"" || readsLists && first == "[" && Self.isList(line) else {
        lines.append((place, .text(line)))
        continue
      }
      do { lines.append((place, .json(try JSONValue(parsing: line, name: place)))) } catch {
        throw Failure(.invalid, error.description)
      }
    }
    self.lines = lines
  }

  /// Whether a line that begins with a bracket is a list of numbers, not a text such as `[1] see below`.
  private static func isList(_ line: String) -> Bool {
    line.utf8.allSatisfy { "[]0123456789, \t".utf8.contains($0) } && line.utf8.last { $0 != 0x20 && $0 != 0x09 } == 0x5D
  }
}
