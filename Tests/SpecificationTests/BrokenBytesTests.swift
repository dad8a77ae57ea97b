import Testing

/// Bytes that are no text, and the words that say so.
@Suite("Broken bytes")
struct BrokenBytesTests {
  @Test("a byte that is not UTF-8, with its offset")
  func badByte() throws {
    #expect(
      try message(Array("name: m\nfacts: {title: ".utf8) + [0xFF] + Array("}\n".utf8)) == """
        spec.yaml:2:16: error: the byte 0xFF at offset 23 is not UTF-8
          2 | facts: {title: \u{FFFD}}
            |                ^ save the file as UTF-8

        """)
  }

  @Test(
    "what only looks like UTF-8",
    arguments: [
      [0xC0, 0x80], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
      [0x80], [0xE0, 0x9F, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF],
    ] as [[UInt8]])
  func malformed(bytes: [UInt8]) throws {
    let text = try message(Array("a: ".utf8) + bytes)
    #expect(text.hasPrefix("spec.yaml:1:4: error: the byte 0x"))
    #expect(text.contains("at offset 3 is not UTF-8"))
  }

  @Test("a file of another encoding")
  func otherEncoding() throws {
    let text = try message([0xFF, 0xFE, 0x6E, 0x00, 0x61, 0x00])
    #expect(text.hasPrefix("spec.yaml:1:1: error: the byte 0xFF at offset 0 is not UTF-8\n"))
  }

  @Test("a NUL byte")
  func nul() throws {
    #expect(
      try message("name: m\nvocab_size: 1\u{0}0\n") == """
        spec.yaml:2:14: error: there is a NUL byte at offset 21; this is not a text file
          2 | vocab_size: 1\u{FFFD}0
            |              ^

        """)
  }

  @Test("a control character, which is not shown to the terminal")
  func control() throws {
    #expect(
      try message("name: a\u{1B}[31mred\n") == """
        spec.yaml:1:8: error: there is a control character (U+1B) at offset 7
          1 | name: a\u{FFFD}[31mred
            |        ^ write it as an escape in double quotes

        """)
  }

  @Test("a file larger than a specification can be")
  func large() throws {
    let text = try message("name: " + String(repeating: "x", count: 1 << 20))
    #expect(text == "error: the file has 1048582 bytes, and a specification has at most 1048576: spec.yaml\n")
  }
}
