import Checkpoints
import Components
import Files
import Formats
import Foundation
import Testing

/// Numbers in formats that no kernel computes with, and models in several files.
@Suite struct WidenedTensorTests {
  private static func inFolder<Result>(_ run: (String) throws -> Result) throws -> Result {
    let folder = NSTemporaryDirectory() + "chimera-widened-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try run(folder)
  }

  /// A safetensors file of tensors with their types and bytes, in the order of their sizes.
  private static func write(_ tensors: [(name: String, type: String, shape: [Int], bytes: [UInt8])], to path: String)
    throws
  {
    var end = 0
    let entries = tensors.map { tensor in
      let begin = end
      end += tensor.bytes.count
      return
        "\"\(tensor.name)\":{\"dtype\":\"\(tensor.type)\",\"shape\":\(tensor.shape),\"data_offsets\":[\(begin),\(end)]}"
    }
    let header = Array(("{" + entries.joined(separator: ",") + "}").utf8)
    var data = Data(withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header)
    for tensor in tensors { data.append(contentsOf: tensor.bytes) }
    try data.write(to: URL(fileURLWithPath: path))
  }

  private static func floats(_ values: [Float]) -> [UInt8] { values.flatMap { withUnsafeBytes(of: $0) { Array($0) } } }

  /// The numbers of the tensor `w.weight`, read for a plan of one matrix, and how they are held.
  private static func load(_ path: String, shape: [Int]) throws -> (values: [Float], format: StorageFormat) {
    let planned = [PlannedTensor(name: "w.weight", shape: shape, initialization: .zeros)]
    let match = try CheckpointMap.canonical(for: planned).match(planned, with: SafetensorsFile(path: path).tensors)
    let tensor = try #require(try match.load()["w.weight"])
    let wide = try tensor.stored(as: .f32)
    return withExtendedLifetime(wide.owner) {
      (
        (0..<shape.reduce(1, *)).map { wide.bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }, tensor.format
      )
    }
  }

  // torch.tensor([b], dtype=torch.uint8).view(torch.float8_e4m3fn).float(), and likewise float8_e5m2
  private static let known: [(type: String, bytes: [UInt8], values: [Float])] = [
    (
      "F8_E4M3", [0x00, 0x01, 0x07, 0x08, 0x38, 0x3C, 0x7E, 0x80, 0x81, 0xBA, 0xFE],
      [0, 0.001953125, 0.013671875, 0.015625, 1, 1.5, 448, -0, -0.001953125, -1.25, -448]
    ),
    (
      "F8_E5M2", [0x00, 0x01, 0x03, 0x04, 0x3C, 0x3D, 0x7B, 0x7C, 0x80, 0xC5, 0xFC],
      [0, 0.0000152587890625, 0.0000457763671875, 0.00006103515625, 1, 1.25, 57344, .infinity, -0, -5, -.infinity]
    ),
  ]

  @Test("numbers of eight bits are those that torch has, exactly", arguments: known)
  func eightBits(_ type: String, _ bytes: [UInt8], _ expected: [Float]) throws {
    try Self.inFolder { folder in
      try Self.write([("w.weight", type, [1, bytes.count], bytes)], to: folder + "/a.safetensors")
      let found = try Self.load(folder + "/a.safetensors", shape: [1, bytes.count])
      #expect(found.values == expected)
      #expect(found.format == .bf16)
      try Self.write([("w.weight", type, [1, 1], [0x7F])], to: folder + "/b.safetensors")
      #expect(try Self.load(folder + "/b.safetensors", shape: [1, 1]).values[0].isNaN)
    }
  }

  @Test("scales belong to the whole, to rows, or to blocks")
  func scales() throws {
    try Self.inFolder { folder in
      // 0x38 is 1 and 0x40 is 2.
      let bytes: [UInt8] = [0x38, 0x40, 0x38, 0x40, 0x38, 0x40, 0x38, 0x40, 0x38]
      let cases: [(String, [Int], [Float], [Float])] = [
        ("weight_scale", [], [3], [3, 6, 3, 6, 3, 6, 3, 6, 3]),
        ("weight_scale", [3, 1], [1, 10, 100], [1, 2, 1, 20, 10, 20, 100, 200, 100]),
        ("weight_scale_inv", [2, 2], [1, 10, 100, 1000], [1, 2, 10, 2, 1, 20, 100, 200, 1000]),
      ]
      for (name, shape, factors, expected) in cases {
        try Self.write(
          [("w.\(name)", "F32", shape, Self.floats(factors)), ("w.weight", "F8_E4M3", [3, 3], bytes)],
          to: folder + "/a.safetensors")
        let found = try Self.load(folder + "/a.safetensors", shape: [3, 3])
        #expect(found.values == expected, "\(name) \(shape)")
        #expect(found.format == .f32)
      }
      try Self.write(
        [("w.weight_scale", "F32", [7], Self.floats([1, 2, 3, 4, 5, 6, 7])), ("w.weight", "F8_E4M3", [3, 3], bytes)],
        to: folder + "/a.safetensors")
      let problems = #expect(throws: Problems.self) { try Self.load(folder + "/a.safetensors", shape: [3, 3]) }
      #expect(
        problems?.list.first?.sentence == "'w.weight_scale' [7] F32 are no scales of 'w.weight' [3, 3]")
    }
  }

  @Test("numbers of 64 bits are rounded to 32, and one that is too large is told")
  func doubles() throws {
    try Self.inFolder { folder in
      func bytes(_ values: [Double]) -> [UInt8] { values.flatMap { withUnsafeBytes(of: $0) { Array($0) } } }
      try Self.write([("w.weight", "F64", [1, 3], bytes([1, -0.1, 1e-50]))], to: folder + "/a.safetensors")
      #expect(try Self.load(folder + "/a.safetensors", shape: [1, 3]).values == [1, -0.1, 0])
      try Self.write([("w.weight", "F64", [1, 1], bytes([1e300]))], to: folder + "/a.safetensors")
      let problems = #expect(throws: Problems.self) { try Self.load(folder + "/a.safetensors", shape: [1, 1]) }
      #expect(problems?.list.first?.sentence == "'w.weight' has the number 1e+300, which f32 cannot hold")
    }
  }

  @Test("a model in several GGUF files is opened by the first, and what is wrong with the others is told")
  func parts() throws {
    try Self.inFolder { folder in
      func tensor(_ name: String, _ value: Float) throws -> StoredTensor {
        StoredTensor(name: name, shape: [2], numbers: [value, value + 1])
      }
      func write(_ number: Int, _ name: String, total: Int = 3) throws {
        try GGUFFile.write(
          [tensor(name, Float(number))],
          metadata: [
            ("split.no", .integer(number - 1)), ("split.count", .integer(3)), ("split.tensors.count", .integer(total)),
          ], to: folder + "/m-0000\(number)-of-00003.gguf")
      }
      for (number, name) in [(1, "a"), (2, "b"), (3, "c")] { try write(number, name) }
      let first = folder + "/m-00001-of-00003.gguf"
      let file = try GGUFFile(path: first)
      #expect(file.tensors.map(\.name) == ["a", "b", "c"])
      #expect(file.tensors[2].bytes.loadUnaligned(as: Float.self) == 3)
      func sentence(_ path: String) -> String {
        do {
          _ = try GGUFFile(path: path)
          return ""
        } catch { return "\(error)" }
      }
      #expect(
        sentence(folder + "/m-00002-of-00003.gguf").contains(
          "part 2 of 3 of a model; name the first, …-00001-of-00003.gguf"))
      try write(3, "b")
      #expect(sentence(first).contains("the tensor 'b' is in another part too"))
      try write(3, "c", total: 3)
      try write(1, "a", total: 4)
      #expect(sentence(first).contains("split.tensors.count is 4; the 3 files have 3"))
      try FileManager.default.removeItem(atPath: folder + "/m-00002-of-00003.gguf")
      #expect(sentence(first).contains("m-00002-of-00003.gguf"))
    }
  }
}
