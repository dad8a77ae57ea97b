import Files
import Images
import Testing

/// Resizing, compared with Pillow 13.0.0 bit for bit.
@Suite struct ResamplingTests {
  @Test("resizing gives Pillow's levels", arguments: Vectors.all("resizing"))
  func equalsPillow(vector: JSONValue) throws {
    let (source, target) = (try #require(vector["from"]?.sides), try #require(vector["to"]?.sides))
    let filter = try #require(ResamplingFilter(name: vector["filter"]?.string ?? ""))
    let resized = Vectors.picture(source[0], source[1])
      .resized(to: PictureSize(width: target[0], height: target[1]), filter)
    #expect(resized.size == PictureSize(width: target[0], height: target[1]))
    #expect(Vectors.check(resized.levels) == vector["crc"]?.integer)
  }

  @Test("there are vectors of every filter")
  func vectorsAreThere() {
    #expect(Vectors.all("resizing").count == 60)
    #expect(Set(Vectors.all("resizing").compactMap { $0["filter"]?.string }).count == ResamplingFilter.allCases.count)
  }

  @Test("a picture of one colour stays of that colour", arguments: ResamplingFilter.allCases)
  func keepsColour(filter: ResamplingFilter) {
    let picture = Picture(width: 5, height: 7, levels: (0..<35).flatMap { _ in [UInt8(3), 200, 255] })
    let resized = picture.resized(to: PictureSize(width: 40, height: 2), filter)
    #expect(resized.levels == (0..<80).flatMap { _ in [UInt8(3), 200, 255] })
  }

  @Test("a picture resized to its own size is the same")
  func keepsSize() {
    let picture = Vectors.picture(9, 4)
    for filter in ResamplingFilter.allCases { #expect(picture.resized(to: picture.size, filter) == picture) }
  }
}
