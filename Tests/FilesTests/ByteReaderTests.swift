import Files
import Testing

@Suite struct ByteReaderTests {
  @Test("integers are read little endian, one after another")
  func integers() throws {
    let bytes: [UInt8] = [1, 2, 0, 0xFF, 0xFF, 0xFF, 0xFF]
    try withBytes(bytes) { bytes throws in
      var reader = ByteReader(bytes, name: "f")
      #expect(try reader.read(UInt8.self) == 1)
      #expect(try reader.read(UInt16.self) == 2)
      #expect(try reader.read(Int32.self) == -1)
      #expect(reader.remaining == 0)
      #expect(reader.offset == 7)
    }
  }

  @Test("a read past the end names what is left and moves nothing")
  func pastTheEnd() throws {
    let bytes: [UInt8] = [1, 2, 3]
    try withBytes(bytes) { bytes throws in
      var reader = ByteReader(bytes, name: "f")
      let problem = #expect(throws: FileProblem.self) { _ = try reader.read(UInt64.self) }
      #expect(problem?.description == "f: byte 0: error: a number needs 8 bytes and the file has 3 left")
      #expect(throws: FileProblem.self) { _ = try reader.bytes(.max) }
      #expect(throws: FileProblem.self) { _ = try reader.bytes(1 << 63) }
      #expect(try reader.bytes(3).count == 3)
    }
  }

  @Test(
    "text that is not UTF-8 is refused at its byte",
    arguments: [
      ([0x61, 0xFF], 1), ([0x61, 0xC0, 0x80], 1), ([0xED, 0xA0, 0x80], 0), ([0xF4, 0x90, 0x80, 0x80], 0),
      ([0xE2, 0x82], 0), ([0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x80], 9),
    ] as [([UInt8], Int)])
  func utf8(_ bytes: [UInt8], place: Int) throws {
    try withBytes(bytes) { bytes throws in
      var reader = ByteReader(bytes, name: "f")
      let problem = #expect(throws: FileProblem.self) { _ = try reader.string(UInt64(bytes.count)) }
      #expect(problem?.offset == place)
    }
  }

  @Test("well-formed UTF-8 of every length passes")
  func goodUTF8() throws {
    let text = "plain, é, €, 𝄞, \u{D7FF}\u{E000}\u{10FFFF}"
    try withBytes(text.utf8) { bytes throws in
      var reader = ByteReader(bytes, name: "f")
      #expect(try reader.string(UInt64(bytes.count)) == text)
    }
  }
}
