import Images
import Testing

/// PNG files that are written.
@Suite struct WritingPicturesTests {
  @Test("a written picture is read back as it was", arguments: [(1, 1), (3, 200), (37, 22), (300, 5)])
  func roundTrip(width: Int, height: Int) throws {
    let picture = Vectors.picture(width, height)
    #expect(try Picture(reading: picture.png) == picture)
  }

  @Test("long repetitions and pictures of one colour are written and read")
  func repetitions() throws {
    let flat = Picture(width: 500, height: 300, levels: [UInt8](repeating: 77, count: 450_000))
    #expect(flat.png.count < 4000)
    #expect(try Picture(reading: flat.png) == flat)
    let noise = (0..<30000).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 2_654_435_761 >> 7) }
    let rough = Picture(width: 100, height: 100, levels: noise)
    #expect(try Picture(reading: rough.png) == rough)
  }
}
