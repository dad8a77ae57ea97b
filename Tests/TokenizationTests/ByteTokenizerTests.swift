import Testing
import Tokenization

@Suite("Bytes as a vocabulary")
struct ByteTokenizerTests {
  @Test("every byte is its own id, and every text comes back")
  func bytes() throws {
    let tokenizer = try Tokenizer.ofBytes()
    #expect(tokenizer.count == 256)
    #expect(tokenizer.endOfText.isEmpty && tokenizer.beginningOfText == nil)
    for text in ["", "To be, or not to be:\r\n\t that's 3.5 ", "naïve 你好 😀\u{0}"] {
      #expect(tokenizer.encode(text) == text.utf8.map(Int.init))
      #expect(tokenizer.decode(tokenizer.encode(text)) == text)
      try tokenizer.requireEncodable(text)
    }
    #expect((0..<256).allSatisfy { tokenizer.bytes(of: $0) == [UInt8($0)] })
  }
}
