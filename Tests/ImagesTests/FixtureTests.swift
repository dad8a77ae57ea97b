import Files
import Foundation
import Images
import SharedData
import Testing

/// The pictures and families of the multimodal fixtures: `pixel_values` of the processors on Pillow, bit for bit.
@Suite(.needs("fixtures-multimodal"), .enabled(if: JPEGLibrary.isInstalled)) struct FixtureTests {
  private static let root = SharedData.folder + "/fixtures-multimodal/"

  static let families = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted().filter {
    FileManager.default.fileExists(atPath: root + $0 + "/preprocessor_config.json")
  }

  @Test("a family's processor gives the numbers that its model was run with", arguments: families)
  func family(name: String) throws {
    let folder = Self.root + name
    let expected = try Tensors(folder + "/expected.safetensors").tensor("pixel_values")
    let processor = try ImageProcessor(folder: folder)
    let rows = try #require(JSONValue(contentsOf: folder + "/meta.json")["images"]?.array)
    // What is padded with zeros up to the row with the most tiles, or the picture with the most, is not ours to make.
    let axes = expected.shape.count - 3
    var compared = 0
    for (index, row) in rows.enumerated() {
      let names = (row.array ?? [row]).compactMap(\.string)
      let processed = try processor.process(files: names.map { Self.root + "images/" + $0 })
      var start = axes >= 2 ? index * expected.count(from: 1) : compared
      for (place, picture) in processed.enumerated() {
        if axes == 3 { start = (index * expected.shape[1] + place) * expected.count(from: 2) }
        #expect(expected.values[start..<start + picture.values.count].elementsEqual(picture.values))
        start += picture.values.count
        compared += picture.values.count
      }
    }
    let padding = expected.values.count - compared
    #expect(axes >= 2 || padding == 0)
    #expect(expected.values.count { $0 == 0 } >= padding)
  }

  @Test("a file's numbers are the processor's", arguments: ["clip", "idefics3", "qwen2_vl"])
  func preprocessing(name: String) throws {
    let folder = Self.root + "preprocess/" + name
    let tensors = try Tensors(folder + "/expected-pil.safetensors")
    let processor = try ImageProcessor(folder: folder)
    for key in tensors.names where key.hasSuffix("/pixel_values") {
      let file = String(key.dropLast("/pixel_values".count))
      let processed = try processor.process(files: [Self.root + "images/" + file])
      #expect(try tensors.tensor(key).values == processed[0].values, "\(file)")
    }
  }

  @Test("a JPEG file's levels are Pillow's")
  func jpeg() throws {
    let picture = try Picture(contentsOf: Self.root + "images/j-rgb-160x100.jpg", transparency: .dropped)
    let file = try MappedFile(path: Self.root + "images/decoded-jpg.safetensors")
    #expect(file.bytes.suffix(3 * 160 * 100).elementsEqual(picture.levels))
  }
}

/// The tensors of a safetensors file, float32.
private struct Tensors {
  let header: JSONObject
  private let file: MappedFile
  private let start: Int

  struct Tensor {
    let shape: [Int]
    let values: [Float]
    func count(from axis: Int) -> Int { shape[axis...].reduce(1, *) }
  }

  init(_ path: String) throws {
    file = try MappedFile(path: path)
    let length = Int(file.bytes.loadUnaligned(as: UInt64.self))
    start = 8 + length
    header = try #require(
      JSONValue(parsing: UnsafeRawBufferPointer(rebasing: file.bytes[8..<8 + length]), name: path).object)
  }

  var names: [String] { header.keys }

  func tensor(_ name: String) throws -> Tensor {
    let entry = try #require(header[name])
    let offsets = try #require(entry["data_offsets"]?.sides)
    let bytes = file.bytes[start + offsets[0]..<start + offsets[1]]
    let values = stride(from: bytes.startIndex, to: bytes.endIndex, by: 4).map {
      file.bytes.loadUnaligned(fromByteOffset: $0, as: Float.self)
    }
    return Tensor(shape: try #require(entry["shape"]?.sides), values: values)
  }
}
