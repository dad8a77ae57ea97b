import Files
import Foundation
import Images
import Testing

/// `Vectors.json`: what Pillow and transformers' processors on Pillow make of small pictures.
///
/// Written by `python3 Tests/Interop/images/vectors.py Tests/ImagesTests/Vectors.json`.
enum Vectors {
  static func all(_ part: String) -> [JSONValue] {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Vectors.json"
    return (try? JSONValue(contentsOf: path))?[part]?.array ?? []
  }

  /// The picture that the vectors were made from.
  static func picture(_ width: Int, _ height: Int) -> Picture {
    var levels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        for c in 0..<3 { levels.append(UInt8((x * 7 + y * 13 + c * 29 + x * y * (c + 1)) % 256)) }
      }
    }
    return Picture(width: width, height: height, levels: levels)
  }

  /// CRC-32 as zlib computes it.
  static func check(_ bytes: some Sequence<UInt8>) -> Int {
    var value = UInt32.max
    for byte in bytes {
      value ^= UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }
    return Int(~value)
  }

  static func check(_ values: [Float]) -> Int { values.withUnsafeBytes { check($0) } }
}

extension Picture {
  /// The picture in `bytes`.
  init(reading bytes: [UInt8], _ transparency: Transparency = .dropped, limit: Int = pixelLimit) throws(PictureProblem)
  {
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(PictureProblem) in try Picture(bytes, transparency: transparency, limit: limit) }
    }
    self = try result.get()
  }
}

// What a test case is called: the whole of its vector would fill pages.
extension JSONValue: CustomTestStringConvertible {
  public var testDescription: String { self["name"]?.string ?? String(serialized().prefix(100)) }

  var sides: [Int] { array?.compactMap(\.integer) ?? [] }
}
