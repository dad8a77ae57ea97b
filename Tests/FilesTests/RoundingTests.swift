import Files
import Foundation
import Testing

@Suite("numbers that do not fit") struct RoundingTests {
  @Test(
    "any number becomes the nearest integer there is",
    arguments: [
      (0.0, 0), (-0.4, 0), (2.5, 3), (-2.5, -3), (1e19, Int.max), (-1e19, Int.min), (1e308, Int.max),
      (.infinity, Int.max),
      (-.infinity, Int.min), (.nan, 0), (9.007199254740993e15, 9_007_199_254_740_992), (.leastNonzeroMagnitude, 0),
    ])
  func rounding(_ value: Double, _ expected: Int) { #expect(Int(rounding: value) == expected) }

  @Test("and by the rule that is asked for") func rules() {
    #expect(Int(rounding: 2.9, .towardZero) == 2 && Int(rounding: 2.1, .up) == 3 && Int(rounding: -2.1, .down) == -3)
  }

  @Test("products end at the largest integer") func products() {
    #expect(3.multiplied(upTo: 5) == 15 && Int.max.multiplied(upTo: 2) == Int.max)
    #expect(Int.max.multiplied(upTo: -2) == Int.min && 0.multiplied(upTo: Int.max) == 0)
  }

  @Test("temporary files are removed when nobody has written to them for a day, and no others") func stale() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "stale-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, age) in [("a.1-x.tmp", 90_000.0), ("b.1-x.tmp", 80_000), ("c.tokens", 900_000)] {
      let file = folder.appending(path: name)
      try Data("x".utf8).write(to: file)
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: file.path)
    }
    removeStaleFiles(in: folder.path)
    #expect(try namesInFolder(folder.path) == ["b.1-x.tmp", "c.tokens"])
  }
}
