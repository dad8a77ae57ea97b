import Files
import Testing

@Suite struct SHA256Tests {
  /// FIPS 180-4's examples, and `head -c N /dev/zero | tr '\0' a | sha256sum` for the lengths around a block.
  static let cases: [(text: String, hash: String)] = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (String(repeating: "a", count: 55), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
    (String(repeating: "a", count: 64), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
    (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
  ]

  @Test("the hash is the standard's, at once and in pieces", arguments: cases)
  func hash(_ text: String, _ expected: String) {
    var whole = SHA256()
    whole.update(text)
    #expect(whole.hexadecimal() == expected)
    var pieces = SHA256()
    for (index, start) in stride(from: 0, to: text.utf8.count, by: 4099).enumerated() {
      let end = min(text.utf8.count, start + 4099)
      let part = Array(text.utf8)[start..<end]
      let cut = min(part.count, index * 13 % 70)
      for piece in [part.prefix(cut), part.dropFirst(cut)] { Array(piece).withUnsafeBytes { pieces.update($0) } }
      if index > 20 { return }  // enough of the long one
    }
    #expect(pieces.hexadecimal() == expected)
  }
}
