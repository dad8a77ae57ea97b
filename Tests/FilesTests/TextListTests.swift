import Files
import Testing

@Suite("Texts where they lie")
struct TextListTests {
  @Test("texts of a file are those at their places, and the file lives as long as they do")
  func inFile() throws {
    func list() throws -> TextList {
      TextList(in: try MappedFile(copying: Array("one, zwölf".utf8), name: "f"), at: [(0, 3), (5, 6), (11, 0)])
    }
    #expect(try Array(list()) == ["one", "zwölf", ""])
    #expect(try list().bytes(at: 1).count == 6)
  }

  @Test("copied texts are the texts")
  func copied() {
    #expect(Array(["", "a", "–"] as TextList) == ["", "a", "–"])
    #expect(TextList([]).isEmpty)
  }

  @Test("strings are passed over up to the first that is broken")
  func skipped() throws {
    func text(_ bytes: [UInt8], claiming count: UInt8? = nil) -> [UInt8] {
      [count ?? UInt8(bytes.count), 0, 0, 0, 0, 0, 0, 0] + bytes
    }
    func skipped(_ bytes: [UInt8], longest: UInt64 = 9) -> [Int] {
      bytes.withUnsafeBytes {
        var reader = ByteReader($0, name: "f")
        let count = reader.skipStrings(3, longest: longest)
        return [count, reader.offset]
      }
    }
    let good = text([0x61]) + text([])
    #expect(skipped(good + text([0xC3, 0xB6])) == [3, 27])
    #expect(skipped(good + text([0xC3])) == [2, 17])
    #expect(skipped(good + text([0x61], claiming: 2)) == [2, 17])
    #expect(skipped(good + [1, 0, 0]) == [2, 17])
    #expect(skipped(text([0x61, 0x62]) + good, longest: 1) == [0, 0])
    #expect(skipped(good + [UInt8](repeating: 0xFF, count: 8)) == [2, 17])
  }
}
