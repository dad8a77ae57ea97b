import Files
import Foundation
import Images
import Testing

/// PNG and JPEG files, compared with Pillow 13.0.0 bit for bit; what cannot be read is told.
@Suite struct ReadingTests {
  static let files = Vectors.all("reading").filter { JPEGLibrary.isInstalled || !isJPEG($0) }
  static func isJPEG(_ vector: JSONValue) -> Bool { vector["name"]?.string?.hasPrefix("JPEG") == true }
  static func bytes(_ vector: JSONValue) -> [UInt8] {
    Data(base64Encoded: vector["file"]?.string ?? "").map(Array.init) ?? []
  }
  static func file(_ name: String) -> [UInt8] {
    Vectors.all("reading").first { $0["name"]?.string?.hasPrefix(name) == true }.map(bytes) ?? []
  }

  @Test("a file gives Pillow's levels, transparent pixels dropped or over white", arguments: files)
  func equalsPillow(vector: JSONValue) throws {
    for (key, policy) in [("dropped", Transparency.dropped), ("overWhite", .overWhite)] {
      let picture = try Picture(reading: Self.bytes(vector), policy)
      #expect([picture.width, picture.height] == [vector["width"]?.integer, vector["height"]?.integer])
      #expect(Vectors.check(picture.levels) == vector[key]?.integer, "\(key)")
    }
  }

  @Test("there are vectors of every kind of PNG and of JPEG")
  func vectorsAreThere() { #expect(Vectors.all("reading").count == 15 * 2 + 8 + 11) }

  @Test("a file that is no picture is told by what it begins with")
  func otherFormats() {
    #expect(problem([]) == "the file is empty; a PNG or JPEG picture is expected")
    #expect(problem(Array("GIF89a".utf8)) == "this is a GIF file; pictures are read from PNG and JPEG files")
    #expect(problem(Array("RIFF1234WEBP".utf8)) == "this is a WebP file; pictures are read from PNG and JPEG files")
    #expect(problem(Array("hello".utf8)) == "neither a PNG nor a JPEG file: it begins with the bytes 68 65 6c 6c")
    #expect(problem([0x89, 0x50]) == "the PNG file ends within its signature")
  }

  private func problem(_ bytes: [UInt8], limit: Int = Picture.pixelLimit) -> String? {
    do throws(PictureProblem) {
      _ = try Picture(reading: bytes, limit: limit)
      return nil
    } catch {
      return error.sentence
    }
  }

  // IHDR's width and height, with its checksum made anew.
  private func claiming(_ width: UInt32, _ height: UInt32) -> [UInt8] {
    var bytes = Self.file("PNG colour 2 depth 8 interlaced 0")
    func put(_ value: UInt32, _ at: Int) {
      for byte in 0..<4 { bytes[at + byte] = UInt8(value >> UInt32(24 - 8 * byte) & 255) }
    }
    put(width, 16)
    put(height, 20)
    put(UInt32(Vectors.check(bytes[12..<29])), 29)
    return bytes
  }

  @Test("a small file that claims a huge picture is refused before memory is taken")
  func bombs() {
    #expect(
      problem(claiming(60000, 60000)) == "the picture is 60000×60000 pixels, more than the 67108864 that are read")
    #expect(problem(claiming(.max, .max))?.hasPrefix("the picture is 4294967295×4294967295 pixels, more than") == true)
    #expect(problem(claiming(0, 5)) == "the picture is 0×5 pixels; neither side may be 0")
    // Within the limit, but more than so few bytes can hold.
    #expect(problem(claiming(8000, 8000))?.hasPrefix("the PNG file has only ") == true)
    #expect(
      problem(Self.file("PNG colour 2 depth 8"), limit: 98)
        == "the picture is 11×9 pixels, more than the 98 that are read")
    if JPEGLibrary.isInstalled {
      #expect(
        problem(Self.file("JPEG RGB"), limit: 37 * 22 - 1)
          == "the picture is 37×22 pixels, more than the 813 that are read")
    }
  }

  @Test("without libturbojpeg a JPEG file is refused with the command that installs it, and a PNG file is read")
  func withoutLibrary() {
    #expect(JPEGLibrary(names: ["libthere-is-none.so"]) == nil)
    #expect(
      JPEGLibrary.absence
        == "reading a JPEG file needs the library libturbojpeg, which is not installed; install it with "
        + "'apt-get install libturbojpeg0' (macOS: 'brew install jpeg-turbo'), or save the picture as PNG")
    let jpeg = Self.file("JPEG RGB []")
    let found = jpeg.withUnsafeBytes { bytes in
      Result { () throws(PictureProblem) in
        try Picture(bytes, transparency: .dropped, library: JPEGLibrary(names: ["libthere-is-none.so"]))
      }
    }
    #expect(throws: PictureProblem.self) { try found.get() }
    if case .failure(let problem) = found { #expect(problem.sentence == JPEGLibrary.absence) }
  }

  @Test(
    "a file that ends early is refused wherever it ends",
    arguments: ["PNG colour 2 depth 8", "PNG colour 3 depth 4", "JPEG RGB []", "JPEG RGB ['progressive']", "JPEG CMYK"])
  func truncated(name: String) {
    let bytes = Self.file(name)
    #expect(bytes.count > 50)
    for count in bytes.indices.dropFirst() where JPEGLibrary.isInstalled || name.hasPrefix("PNG") {
      #expect(problem(Array(bytes[..<count])) != nil, "after \(count) bytes of \(bytes.count)")
    }
  }

  @Test("a changed byte of a PNG file's picture is found by a checksum")
  func changedPNG() {
    let bytes = Self.file("PNG colour 6 depth 8 interlaced 0")
    // Behind the chunk gAMA, which nothing reads.
    for place in 49..<bytes.count {
      var changed = bytes
      changed[place] ^= 0x10
      #expect(problem(changed) != nil, "byte \(place)")
    }
  }

  @Test("no damaged file traps, and what is read of it has the size that it says", arguments: files)
  func mutated(vector: JSONValue) {
    var generator = Mutation(seed: 7)
    let bytes = Self.bytes(vector)
    // Over 10,000 files of each format.
    for round in 0..<(Self.isJPEG(vector) ? 1200 : 500) {
      var changed = bytes
      for _ in 0...generator.next(below: 4) {
        changed[generator.next(below: changed.count)] = UInt8(generator.next(below: 256))
      }
      if round % 5 == 0 { changed.removeLast(generator.next(below: changed.count)) }
      // Checksums made anew let the change reach what lies behind them.
      if round % 2 == 0, !Self.isJPEG(vector) { Mutation.mendChecksums(&changed) }
      guard let picture = try? Picture(reading: changed, .overWhite, limit: 1 << 20) else { continue }
      #expect(picture.levels.count == 3 * picture.width * picture.height)
    }
  }
}

/// Changes that a seed decides.
struct Mutation {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next(below bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % max(bound, 1)
  }

  /// Makes the checksums of a PNG file's chunks right, as far as its chunks can be followed.
  static func mendChecksums(_ bytes: inout [UInt8]) {
    var at = 8
    while at + 12 <= bytes.count {
      let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - at - 12 else { return }
      let check = Vectors.check(bytes[at + 4..<at + 8 + length])
      for byte in 0..<4 { bytes[at + 8 + length + byte] = UInt8(check >> (24 - 8 * byte) & 255) }
      at += 12 + length
    }
  }
}
