import Checkpoints
import Components
import Files
import Foundation
import SharedData
import Testing

@Suite struct GGUFWritingTests {
  @Test("a written file reads back: metadata, shapes, formats and bytes")
  func roundTrip() throws {
    try withFolder { folder throws in
      let tensors = try [
        tensor("a.weight", [2, 3], [1, 2, 3, 4, 5, 6]), tensor("b.weight", [1, 32], .q8_0, (0..<34).map(UInt8.init)),
        tensor("c.weight", [3], .bf16, [1, 2, 3, 4, 5, 6]),
      ]
      let configuration: JSONValue = [
        "general": ["architecture": "x"],
        "x": ["n": 5, "eps": 1e-5, "flag": true, "big": .integer(1 << 40), "negative": -3],
        "list": [1, -2], "texts": ["a", ""], "scores": [0.5, 1.5], "nothing": .null,
      ]
      try GGUFFile.write(tensors, metadata: GGUFFile.metadata(of: configuration), to: folder + "/f.gguf")
      let file = try GGUFFile(path: folder + "/f.gguf")
      #expect(
        file.keys == [
          "general.architecture", "x.n", "x.eps", "x.flag", "x.big", "x.negative", "list", "texts", "scores",
        ])
      #expect(file["x.n"]?.integer == 5)
      #expect(file["x.eps"]?.number == 1e-5)
      #expect(file["x.flag"]?.bool == true)
      #expect(file["x.big"]?.integer == 1 << 40)
      #expect(file["x.negative"]?.integer == -3)
      #expect(file["list"]?.integers == [1, -2])
      #expect(file["texts"]?.strings == ["a", ""])
      #expect(file["scores"]?.numbers == [0.5, 1.5])
      #expect(file.tensors.map(\.name) == tensors.map(\.name))
      #expect(file.tensors.map(\.shape) == tensors.map(\.shape))
      #expect(file.tensors.map(\.format) == tensors.map(\.format))
      #expect(file.tensors.map(\.contents) == tensors.map(\.contents))
    }
  }

  @Test("a real file rewritten holds the same tensors and metadata", .needs("llama/stories260K"))
  func realFile() throws {
    let file = try GGUFFile(path: SharedData.path("llama/stories260K/stories260K.gguf"))
    let tensors = file.tensors.compactMap { entry in
      entry.format.map {
        StoredTensor(name: entry.name, shape: entry.shape, format: $0, bytes: entry.bytes, owner: entry.file)
      }
    }
    try withFolder { folder throws in
      let metadata = file.keys.compactMap { key in file[key].map { (key: key, value: $0) } }
      try GGUFFile.write(tensors, metadata: metadata, to: folder + "/f.gguf")
      let again = try GGUFFile(path: folder + "/f.gguf")
      #expect(again.keys == file.keys)
      for key in file.keys { #expect(again[key]?.json == file[key]?.json, "\(key)") }
      #expect(again.tensors.map(\.contents) == file.tensors.map(\.contents))
    }
  }

  @Test("what GGUF cannot hold is not written")
  func refusals() throws {
    try withFolder { folder throws in
      let path = folder + "/f"
      #expect(throws: FileProblem.self) {
        try GGUFFile.write([tensor(String(repeating: "n", count: 64), [1], [1])], metadata: [], to: path)
      }
      #expect(throws: FileProblem.self) {
        try GGUFFile.write([tensor("a", [1, 1, 1, 1, 1], [1])], metadata: [], to: path)
      }
      #expect(throws: FileProblem.self) { try GGUFFile.write([tensor("a", [2], [1])], metadata: [], to: path) }
      #expect(throws: FileProblem.self) {
        try GGUFFile.write([tensor("a", [1], [1]), tensor("a", [1], [1])], metadata: [], to: path)
      }
      #expect(throws: FileProblem.self) {
        try GGUFFile.write([], metadata: [("k", .bool(true)), ("k", .bool(true))], to: path)
      }
      #expect(try namesInFolder(folder).isEmpty)
    }
  }
}
