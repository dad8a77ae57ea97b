import Components
import Specification
import Testing

@Suite("Writing YAML")
struct YAMLWriterTests {
  @Test(
    "what is written is read back",
    arguments: [
      Examples.gpt2, Examples.llama, Examples.gemma, Examples.hybrid, Examples.study, Examples.naming,
    ])
  func roundTrip(text: String) throws {
    let tree = try yaml(text)
    for width in [0, 20, 100, 10_000] {
      let written = YAMLWriter(width: width).write(tree)
      let again = try yaml(written)
      #expect(again.isEquivalent(to: tree))
      #expect(YAMLWriter(width: width).write(again) == written)
    }
  }

  @Test("short groups stand on one line, and quotes only where they are needed")
  func style() throws {
    let tree = try yaml(
      """
      {norm: {type: 'rmsnorm', eps: 1.0e-5}, a: '12', b: 'no', c: 'true', d: "6:", e: m (q|k|v), f: [3*local, global],
       g: {h: {i: 1}}, k: '', l: null, n: [{o: 1}, {p: 2}]}
      """)
    #expect(
      YAMLWriter().write(tree) == """
        norm: {type: rmsnorm, eps: 1.0e-5}
        a: "12"
        b: no
        c: "true"
        d: "6:"
        e: m (q|k|v)
        f: [3*local, global]
        g: {h: {i: 1}}
        k: ""
        l: null
        n:
          - {o: 1}
          - {p: 2}

        """)
  }

  @Test("any text is read back as itself, as a value, a key and an item")
  func texts() throws {
    let pieces = [
      "", " ", "a", ":", "- ", "-", "#", " #", ": ", ",", "[", "{i}", "'", "\"", "\\", "\n", "\n\n", "\t", "\r",
      "\u{0}",
      "\u{7F}", "\u{85}", "\u{2028}", "\u{FEFF}", "é", "日", "🦁", "&", "*", "!", "|", ">", "%", "@", "`", "=", "?", "~",
      "null", "true", "1e5", "0x1", ".", "---", "...", "<<", "1:30", "end", "e\u{301}",
    ]
    let texts =
      pieces + pieces.flatMap { a in pieces.map { a + $0 } }
      + pieces.flatMap { a in pieces.map { "x" + a + $0 + "y" } } + pieces.map { "x" + $0 + "y\n" + $0 + "z" }
    for text in texts {
      let value = Setting(.scalar(text, quoted: true))
      for tree in [
        Setting(.group([.init("k", value), .init("l", value)])), Setting(.group([.init(text, value)])),
        Setting(.list([value, Setting(.list([value]))])),
        Setting(.group([.init("k", Setting(.list([value, value])))])),
        Setting(.group([.init("k", Setting(.group([.init("l", value), .init("n", Setting(text: "1"))])))])),
      ] {
        for width in [0, 100] {
          let written = YAMLWriter(width: width).write(tree)
          let again = try? yaml(written)
          #expect(again?.isEquivalent(to: tree) == true, "\(text.debugDescription) as\n\(written)")
        }
      }
    }
  }

  @Test("texts of several lines stand as blocks")
  func blocks() throws {
    let tree = Setting(.group([.init("a", Setting(text: "x\n  y: 1\n\nz\n")), .init("b", Setting(text: "1\n2"))]))
    let written = YAMLWriter().write(tree)
    #expect(written == "a: |\n  x\n    y: 1\n\n  z\nb: |-\n  1\n  2\n")
    #expect(try yaml(written).isEquivalent(to: tree))
  }

  @Test("origins stand beside the values they are true of")
  func origins() throws {
    let zoo = try Zoo(Examples.zoo)
    let resolved = try zoo.load("tiny-hybrid", set: ["attention.num_heads=6"]).resolved
    let text = YAMLWriter(showsOrigins: true).write(resolved).replacing(zoo.folder + "/", with: "")
    let attention = text.split(separator: "\n").drop { !$0.hasPrefix("attention") }.prefix(4)
    #expect(
      attention == [
        "attention:", "  num_heads: 6  # --set:1", "  num_kv_heads: 4  # hybrids/tiny-hybrid.yaml:6",
        "  qk_norm: {scope: head}  # hybrids/tiny-hybrid.yaml:6",
      ])
    #expect(try yaml(text).isEquivalent(to: resolved))
  }
}
