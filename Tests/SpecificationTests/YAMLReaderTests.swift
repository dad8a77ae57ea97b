import Components
import SharedData
import Specification
import Testing

@Suite("YAML")
struct YAMLReaderTests {
  @Test("core values are those of YAML 1.2, decided by the type that is wanted")
  func coreValues() throws {
    let tree = try yaml(
      "{a: no, b: 1e-4, c: 0x10, d: '12', e: ~, f: TRUE, g: 0o17, h: 1.0e-5, i: on, j: 12, k: null, l: -.5, m: 1_000}")
    #expect(tree["a"]?.text == "no" && tree["a"]?.flag == nil)
    #expect(tree["b"]?.number == 1e-4)
    #expect(tree["c"]?.integer == 16)
    #expect(tree["d"]?.integer == nil && tree["d"]?.text == "12")
    #expect(tree["e"]?.isNull == true && tree["k"]?.isNull == true)
    #expect(tree["f"]?.flag == true && tree["i"]?.flag == nil)
    #expect(tree["g"]?.integer == 15)
    #expect(tree["h"]?.number == 1e-5)
    #expect(tree["j"]?.integer == 12)
    #expect(tree["l"]?.number == -0.5)
    #expect(tree["m"]?.integer == nil)
  }

  @Test("places are lines and columns in characters, with the length of the text")
  func places() throws {
    let tree = try yaml("# größe\nähre: {b: \"c d\",\n  e: [1, zwölf]}\n")
    #expect(tree.entries?[0].place == Place(source: "text", line: 2, column: 1, length: 4))
    #expect(tree[path: "ähre.b"]?.place == Place(source: "text", line: 2, column: 11, length: 5))
    #expect(tree[path: "ähre.e"]?.list?[1].place == Place(source: "text", line: 3, column: 10, length: 5))
  }

  @Test("a byte order mark is no part of the text")
  func byteOrderMark() throws {
    let tree = try YAMLReader(source: "text").read([0xEF, 0xBB, 0xBF] + Array("a: 1".utf8))
    #expect(tree.entries?[0].key == "a")
    #expect(tree.entries?[0].place?.column == 1)
  }

  @Test("core tags say what a text is, and are held against it")
  func tags() throws {
    let tree = try yaml("{a: !!str 12, b: !!int '12', c: !!float '1', d: ! x, e: !!seq [1], f: !!map {g: 1}}")
    #expect(tree["a"]?.integer == nil && tree["a"]?.text == "12")
    #expect(tree["b"]?.integer == 12)
    #expect(tree["c"]?.number == 1)
    #expect(tree["d"]?.text == "x")
    #expect(tree["e"]?.list?.count == 1 && tree["f"]?.entries?.count == 1)
  }

  @Test("an alias stands for its anchor, at its own place")
  func aliases() throws {
    let tree = try yaml("a: &x {b: [1, 2]}\nc: *x\n")
    #expect(tree["c"]?["b"] == tree["a"]?["b"])
    #expect(tree["c"]?.place?.line == 2)
  }

  @Test("aliases are counted with what they stand for, without being expanded")
  func aliasWeights() throws {
    // 100 + 99 × 1,000 values and some: just below the limit; with one more list, just above.
    let list = "[" + Array(repeating: "x", count: 998).joined(separator: ",") + "]"
    let aliases = { (count: Int) in
      "a: &a \(list)\nb: [" + Array(repeating: "*a", count: count).joined(separator: ",") + "]"
    }
    #expect(try yaml(aliases(99))["b"]?.list?.count == 99)
    #expect(throws: Problems.self) { try yaml(aliases(101)) }
  }

  @Test("aliases cannot pile up depth either")
  func aliasDepth() throws {
    var text = "a0: &a0 [x]\n"
    for i in 1..<70 { text += "a\(i): &a\(i) [*a\(i - 1)]\n" }
    let problems = #expect(throws: Problems.self) { try yaml(text) }
    #expect(problems?.list.map(\.sentence) == ["lists and groups stand more than 64 deep in each other"])
    #expect(problems?.list.first?.place?.line == 64)
  }

  @Test("a depth of 64 is read")
  func depth() throws {
    let text = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
    #expect(try yaml(text).list?.count == 1)
    #expect(throws: Problems.self) { try yaml("[" + text + "]") }
  }

  @Test("a tab inside a text is part of the text")
  func tabsInTexts() throws {
    let tree = try yaml("a: \"x\n\ty\"\nb: |\n  z\n  \tw\nc: [1,\t2]\n# \tcomment\n")
    #expect(tree["b"]?.text == "z\n\tw\n")
    #expect(tree["c"]?.list?.count == 2)
  }

  @Test("a text may hold a NUL only as an escape")
  func escapedNUL() throws {
    #expect(try yaml(#"a: "x\0y""#)["a"]?.text == "x\0y")
  }

  @Test("every place of a duplicate key is told, and reading goes on")
  func duplicates() throws {
    let problems = #expect(throws: Problems.self) { try yaml("a: 1\nb: {c: 1, c: 2}\na: 2\n") }
    #expect(problems?.list.map { $0.place?.line } == [2, 3])
    #expect(problems?.list.map(\.hint) == ["it is first set at 2:5; leave one", "it is first set at 1:1; leave one"])
  }

  @Test("reading a megabyte takes linear time, whether it is read or refused")
  func speed() throws {
    let wide = "a: [" + String(repeating: "1,", count: 90_000) + "]"
    #expect(try endsSoon { _ = try yaml(wide) })
    let nested = String(repeating: "[", count: 500_000)
    #expect(endsSoon { _ = try? yaml(nested) })
    let keys = (0..<45_000).map { "k\($0): 1\n" }.joined()
    #expect(try endsSoon { _ = try yaml(keys) })
    let tabs = String(repeating: "- '\n\tx'\n", count: 90_000)
    #expect(try endsSoon { _ = try yaml(tabs) })
    let bomb = "a: &a [x,x]\n" + (1..<60).map { "b\($0): &a [*a,*a]\n" }.joined()
    let soon = endsSoon { #expect(throws: Problems.self) { try yaml(bomb) } }
    #expect(soon)
  }
}
