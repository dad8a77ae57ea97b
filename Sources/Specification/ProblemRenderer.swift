import Components
import Files

/// Writes problems for a person: the place, the sentence, the line with a caret under what was found, and the hint.
///
///     mine.yaml:9:3: error: 'atention' is not a key of a specification
///       9 |   atention: {num_heads: 12}
///         |   ^~~~~~~~ did you mean 'attention'?
public struct ProblemRenderer: Sendable {
  private let texts: [String: String]
  private let readsFiles: Bool
  /// How much of a long line is shown, in columns of a terminal.
  private let width = 100
  /// How many problems are written out.
  private let limit = 50

  /// A renderer that knows the sources `texts` by name, and reads other sources from the files of that name if it may.
  public init(texts: [String: String] = [:], readsFiles: Bool = true) {
    self.texts = texts
    self.readsFiles = readsFiles
  }

  /// All of `problems`, sorted by place: sources as they first appear, then lines and columns; problems without a place
  /// come last.
  public func render(_ problems: Problems) -> String {
    var order: [String: Int] = [:]
    for problem in problems.list {
      if let source = problem.place?.source, order[source] == nil { order[source] = order.count }
    }
    func key(_ problem: Problem) -> (Int, Int, Int) {
      guard let place = problem.place else { return (Int.max, 0, 0) }
      return (order[place.source] ?? 0, place.line, place.column)
    }
    let sorted = problems.list.enumerated().sorted { first, second in
      let (a, b) = (key(first.element), key(second.element))
      return a == b ? first.offset < second.offset : a < b
    }
    var lines: [String: [String]] = [:]
    var result = problems.headline.map { "error: \(printable($0))\n" } ?? ""
    // With its cause told, a few of what follows from it will do.
    let limit = problems.headline == nil ? self.limit : 5
    for (_, problem) in sorted.prefix(limit) {
      if let source = problem.place?.source, lines[source] == nil { lines[source] = self.lines(of: source) }
      result += render(problem, lines: problem.place.flatMap { lines[$0.source] } ?? [])
    }
    if sorted.count > limit {
      result +=
        "error: \(sorted.count - limit) more \(sorted.count - limit == 1 ? "problem is" : "problems are") not shown\n"
    }
    return result
  }

  /// One problem.
  public func render(_ problem: Problem) -> String {
    render(Problems([problem]))
  }

  private func render(_ problem: Problem, lines: [String]) -> String {
    let sentence = printable(problem.sentence)
    guard let place = problem.place else {
      return "error: \(sentence)\n" + (problem.hint.map { "  \(printable($0))\n" } ?? "")
    }
    let head = "\(printable(place.source)):\(place.line):\(place.column): error: \(sentence)\n"
    guard lines.indices.contains(place.line - 1), !lines[place.line - 1].isEmpty else {
      return head + (problem.hint.map { "  \(printable($0))\n" } ?? "")
    }
    let number = String(place.line)
    let margin = String(repeating: " ", count: number.count)
    let (line, before, marked) = excerpt(of: lines[place.line - 1], column: place.column - 1, length: place.length)
    let caret = String(repeating: " ", count: before) + "^" + String(repeating: "~", count: max(0, marked - 1))
    let hint = problem.hint.map { " \(printable($0))" } ?? ""
    return head + "  \(number) | \(line)\n  \(margin) | \(caret)\(hint)\n"
  }

  private func lines(of source: String) -> [String] {
    if let text = texts[source] { return split(Array(text.utf8)) }
    guard readsFiles, let bytes = try? SourceFile.read(source) else { return [] }
    return split(bytes)
  }

  private func split(_ bytes: [UInt8]) -> [String] {
    let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
    return body.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
      String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
    }
  }

  // MARK: Columns

  /// The part of `line` around `column` (counted from 0) that fits, how many columns of a terminal stand before the
  /// marked text in it, and how many the marked text has.
  private func excerpt(of line: String, column: Int, length: Int) -> (line: String, before: Int, marked: Int) {
    let scalars = Array(line.unicodeScalars)
    let column = min(max(0, column), scalars.count)
    let end = min(scalars.count, column + min(length, width))
    var start = 0
    if scalars.count > width, column > width * 2 / 3 { start = column - width / 3 }
    let stop = min(scalars.count, start + width)
    let text = { (range: Range<Int>) in String(String.UnicodeScalarView(scalars[range].map(visible))) }
    let columns = { (range: Range<Int>) in range.reduce(0) { $0 + terminalColumns(of: visible(scalars[$1])) } }
    let lead = start > 0 ? "…" : ""
    return (
      lead + text(start..<stop) + (stop < scalars.count ? "…" : ""), lead.count + columns(start..<column),
      max(1, columns(column..<max(column, min(end, stop))))
    )
  }

  /// What stands for a character that a terminal would act on.
  private func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar.value {
    case 0x09: " "
    // Those that take no column would put the caret under something else.
    case 0x200B...0x200F, 0x2060...0x206F, 0xFEFF: "\u{FFFD}"
    default: scalar.controlsTerminals ? "\u{FFFD}" : scalar
    }
  }

  private func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map(visible)))
  }

  /// How many columns a terminal gives a character: East Asian wide ones two, combining ones none.
  private func terminalColumns(of scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0..<0x300: 1
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      2
    default:
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark: 0
      default: 1
      }
    }
  }
}
