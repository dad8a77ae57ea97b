import Components
import Specification
import Testing

@Suite("Rendering problems")
struct ProblemRendererTests {
  private func render(_ text: String, _ problems: Problem...) -> String {
    ProblemRenderer(texts: ["a.yaml": text], readsFiles: false).render(Problems(problems))
  }

  private func place(_ line: Int, _ column: Int, _ length: Int = 1) -> Place {
    Place(source: "a.yaml", line: line, column: column, length: length)
  }

  @Test("place, sentence, line, caret and hint")
  func form() {
    #expect(
      render(
        "a: 1\nnorm: {type: rms_norm, eps: 1.0e-5}\n",
        Problem("no normalization is named 'rms_norm'", at: place(2, 14, 8), hint: "did you mean 'rmsnorm'?")) == """
          a.yaml:2:14: error: no normalization is named 'rms_norm'
            2 | norm: {type: rms_norm, eps: 1.0e-5}
              |              ^~~~~~~~ did you mean 'rmsnorm'?

          """)
  }

  @Test("problems are sorted by source as it first appears, line and column; those without a place come last")
  func order() {
    let other = Place(source: "b.yaml", line: 1, column: 1)
    #expect(
      render(
        "x y\nz\n", Problem("no place", at: nil, hint: "a hint"), Problem("second", at: place(1, 3)),
        Problem("elsewhere", at: other), Problem("third", at: place(2, 1)), Problem("first", at: place(1, 1))) == """
          a.yaml:1:1: error: first
            1 | x y
              | ^
          a.yaml:1:3: error: second
            1 | x y
              |   ^
          a.yaml:2:1: error: third
            2 | z
              | ^
          b.yaml:1:1: error: elsewhere
          error: no place
            a hint

          """)
  }

  @Test("a long line is cut around the column")
  func longLines() {
    let text = String(repeating: "x", count: 500) + "HERE" + String(repeating: "y", count: 500)
    #expect(
      render(text, Problem("long", at: place(1, 501, 4))) == """
        a.yaml:1:501: error: long
          1 | …\(String(repeating: "x", count: 33))HERE\(String(repeating: "y", count: 63))…
            | \(String(repeating: " ", count: 34))^~~~

        """)
  }

  @Test("tabs, wide characters and combining marks keep the caret under its text")
  func columns() {
    #expect(
      render("\t日本: é x", Problem("p", at: place(1, 7))).split(separator: "\n").dropFirst() == [
        "  1 |  日本: é x", "    |         ^",
      ])
    #expect(render("e\u{301}: x", Problem("p", at: place(1, 5))).split(separator: "\n").last == "    |    ^")
    #expect(render("日本: x", Problem("p", at: place(1, 1, 2))).split(separator: "\n").last == "    | ^~~~")
  }

  @Test("what a terminal would act on is not shown to it")
  func controls() {
    let text = render("a: \u{1B}[31m\u{202E}x\u{0}", Problem("found '\u{1B}[2J'", at: place(1, 1), hint: "\u{7}"))
    #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0.value == 0x202E })
  }

  @Test("a place past the end of a line or a text is no trouble")
  func outside() {
    #expect(render("ab\n", Problem("p", at: place(1, 9, 9))).split(separator: "\n").last == "    |   ^")
    #expect(render("ab\n", Problem("p", at: place(7, 1))) == "a.yaml:7:1: error: p\n")
    #expect(render("", Problem("p", at: place(1, 1), hint: "h")) == "a.yaml:1:1: error: p\n  h\n")
  }

  @Test("fifty problems are enough")
  func many() {
    let problems = Problems((0..<80).map { Problem("p\($0)", at: nil) })
    let lines = ProblemRenderer(readsFiles: false).render(problems).split(separator: "\n")
    #expect(lines.count == 51 && lines.last == "error: 30 more problems are not shown")
  }
}
