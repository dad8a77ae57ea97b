import Foundation
import Testing

/// The glossary's last column, looked for in what a user reads.
@Suite("the words")
struct WordsTests {
  /// The phrases that are not said, each with the word that is.
  private static let phrases: [(phrase: String, word: String)] = {
    guard let page = try? Package.text("Documentation/Glossary.md") else { return [] }
    return Package.rows(of: page).filter { $0.count == 3 }.flatMap { row in
      Package.quoted(row[2]).map { (phrase: $0.lowercased(), word: row[0]) }
    }
  }()

  private static func unsaid(in text: String) -> [String] {
    let text = text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return phrases.filter { text.contains($0.phrase) }.map { "'\($0.phrase)' instead of '\($0.word)'" }
  }

  /// The text of the string literals in Swift source, those of several lines too.
  static func literals(in source: String) -> [String] {
    let code = source.split(separator: "\n", omittingEmptySubsequences: false).filter {
      !$0.drop(while: { $0 == " " }).hasPrefix("//")
    }.joined(separator: "\n")
    let pieces = code.components(separatedBy: "\"\"\"")
    var found = pieces.enumerated().filter { $0.offset % 2 == 1 }.map { $0.element.replacing("\\\n", with: "") }
    for piece in pieces.enumerated() where piece.offset % 2 == 0 {
      found += piece.element.matches(of: /"((?:[^"\\\n]|\\.)+)"/).map { String($0.output.1) }
    }
    return found
  }

  @Test("literals are found, those of several lines and with escapes too")
  func reading() {
    let source = "let a = \"one \\\"1\\\"\" // \"x\n  /// \"not this\"\nlet b = \"\"\"\n  two \\\n  lines\n  \"\"\"\n"
    #expect(Self.literals(in: source).count == 2)
    #expect(Self.literals(in: source).contains("one \\\"1\\\""))
    #expect(!Self.unsaid(in: "the gradients HELD  against them").isEmpty)
    #expect(Self.phrases.count > 20)
  }

  @Test(
    "pages say the field's words",
    arguments: ["README.md", "CHANGELOG.md", "SECURITY.md"]
      + ["Documentation", "Sources", "Plugins", "Architectures", "Models"].flatMap {
        Package.files(in: $0, ending: ".md")
      }.filter { $0 != "Documentation/Glossary.md" })
  func pages(_ page: String) throws { #expect(Self.unsaid(in: try Package.text(page)) == []) }

  @Test("messages, help texts and pages that are written say the field's words")
  func messages() throws {
    let files = ["Sources", "Plugins"].flatMap { Package.files(in: $0, ending: ".swift") }
    #expect(files.count > 300)
    for file in files {
      for text in Self.literals(in: try Package.text(file)) {
        for fault in Self.unsaid(in: text) { Issue.record("\(file) says \(fault): \(text.prefix(100))") }
      }
    }
  }

  /// The comments of a source file, one after the other.
  static func comments(in source: String) -> String {
    source.split(separator: "\n").compactMap { line in
      line.firstRange(of: "//").map { String(line[$0.upperBound...].drop { $0 == "/" }) }
    }.joined(separator: "\n")
  }

  @Test("comments say the field's words")
  func comments() throws {
    #expect(!Self.unsaid(in: Self.comments(in: "let a = 1  // tokens are foretold\n/// and\n")).isEmpty)
    let files = ["swift", "c", "h"].flatMap { ending in
      ["Sources", "Plugins"].flatMap { Package.files(in: $0, ending: ".\(ending)") }
    }
    #expect(files.count > 350)
    for file in files {
      for fault in Self.unsaid(in: Self.comments(in: try Package.text(file))) { Issue.record("\(file) says \(fault)") }
    }
  }
}
