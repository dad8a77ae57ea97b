import Testing

@Suite("the tests themselves")
struct TestsTests {
  private static let files = Package.files(in: "Tests", ending: ".swift")

  @Test("none returns in silence where the shared data are not")
  func skipped() throws {
    #expect(Self.files.count > 100)
    for file in Self.files where !file.hasPrefix("Tests/SharedData/") && !file.hasSuffix("/TestsTests.swift") {
      let text = try Package.text(file)
      #expect(!text.contains("shared/data\"") && !text.contains("shared/data/"), "\(file): ask SharedData")
      #expect(!text.contains("try? SharedData"), "\(file): say .needs(…)")
      #expect(
        text.firstMatch(of: /guard [^{}]*SharedData\.has[^{}]*else \{\s*return\s*\}/) == nil, "\(file): say .needs(…)")
      #expect(!text.contains("print(\"skipped"), "\(file): say .enabled(if:)")
    }
  }

  @Test("none uses @testable, which would need a build of its own")
  func testable() throws {
    for file in Self.files where !file.hasSuffix("/TestsTests.swift") {
      #expect(!(try Package.text(file)).contains("@testable import"), "\(file)")
    }
  }
}
