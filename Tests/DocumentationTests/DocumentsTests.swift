import Foundation
import Testing

@Suite("the documents")
struct DocumentsTests {
  private static let pages =
    ["README.md", "CHANGELOG.md", "SECURITY.md"]
    + ["Documentation", "Sources", "Plugins", "Architectures", "Models"].flatMap {
      Package.files(in: $0, ending: ".md")
    }

  @Test("every room of Sources has its line in Sources/README.md, and every line its room")
  func rooms() throws {
    let lines = Package.rows(of: try Package.text("Sources/README.md")).dropFirst().compactMap {
      Package.quoted($0[0]).first
    }
    #expect(lines.sorted() == (try Package.folders(in: "Sources")).sorted())
  }

  @Test("every link to a file leads to one", arguments: pages)
  func links(_ page: String) throws {
    let text = try Package.text(page)
    let folder = Package.folder.appending(path: page).deletingLastPathComponent()
    for match in text.matches(of: /\]\(([^)#\s]+)(#[^)]*)?\)/) where !match.output.1.contains("://") {
      let target = folder.appending(path: String(match.output.1)).standardizedFileURL.path
      #expect(FileManager.default.fileExists(atPath: target), "\(page) links to \(match.output.1)")
    }
  }

  @Test("every path of the package that a page quotes is there", arguments: pages)
  func paths(_ page: String) throws {
    // The guides write files of the reader's own, which a test follows.
    let tops = ["Architectures/", "Documentation/", "Models/", "Plugins/", "Sources/", "Tests/"]
    for quote in Package.quoted(try Package.text(page))
    where tops.contains(where: quote.hasPrefix) && !quote.contains(where: { "<>*… ".contains($0) }) {
      let path = Package.folder.appending(path: quote).path
      #expect(FileManager.default.fileExists(atPath: path), "\(page) names \(quote)")
    }
  }

  @Test("the code that AddAnOperator shows stands in the file that it names")
  func code() throws {
    let page = try Package.text("Documentation/AddAnOperator.md")
    let blocks = page.matches(of: /```swift (\S+)\n((?:(?!```).*\n)+)```/)
    #expect(blocks.count >= 4)
    for block in blocks {
      let file = String(block.output.1)
      #expect(try Package.text(file).contains(block.output.2), "\(file) has no longer:\n\(block.output.2)")
    }
  }

  @Test("CI runs what Contributing says: the formatting check, the tests, and the levels")
  func continuousIntegration() throws {
    let steps = try #require(try Package.text(".ci/run").firstMatch(of: #/\nfor step in (.*); do make \$step/#)).output
      .1
      .split(separator: " ")
    #expect(steps == ["lint", "test", "test-levels"])
    let page = try Package.text("Documentation/Contributing.md")
    for step in steps { #expect(page.contains("`make \(step)`")) }
  }
}
