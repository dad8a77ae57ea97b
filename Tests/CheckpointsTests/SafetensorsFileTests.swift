import Checkpoints
import Components
import Files
import Foundation
import SharedData
import Testing

/// A safetensors file of `header`, its length before it and `dataBytes` zeros after it.
private func file(_ header: String, dataBytes: Int = 0, length: UInt64? = nil) throws -> MappedFile {
  let length = length ?? UInt64(header.utf8.count)
  let bytes = withUnsafeBytes(of: length.littleEndian, Array.init) + Array(header.utf8)
  return try MappedFile(copying: bytes + [UInt8](repeating: 0, count: dataBytes), name: "f")
}

private func sentence(_ file: MappedFile) -> String? {
  do {
    _ = try SafetensorsFile(file)
    return nil
  } catch {
    return error.sentence
  }
}

private let one = #"{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}"#

/// The cases of the unit tests in huggingface/safetensors `safetensors/src/tensor.rs` (2026-05), written again, and more.
@Suite struct SafetensorsFileTests {
  @Test("a tensor is listed with its name, type, shape and bytes")
  func good() throws {
    let opened = try SafetensorsFile(file(one, dataBytes: 16))
    #expect(opened.tensors.count == 1)
    #expect(opened.tensors[0].name == "test")
    #expect(opened.tensors[0].typeName == "I32")
    #expect(opened.tensors[0].format == nil)
    #expect(opened.tensors[0].shape == [2, 2])
    #expect(opened.tensors[0].bytes.count == 16)
  }

  @Test(
    "a scalar, an empty tensor, an empty header and white space around it are allowed",
    arguments: [
      (#"{"test":{"dtype":"I32","shape":[],"data_offsets":[0,4]}}"#, 4, 1),
      (#"{"test":{"dtype":"I32","shape":[2,0],"data_offsets":[0, 0]}}"#, 0, 1),
      ("{}\r \t\n", 0, 0), ("\t\n{}\r ", 0, 0), ("{}", 0, 0),
      (#"{"a":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]}}"#, 3, 1),
      (#"{"__metadata__":{"format":"pt"},"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}}"#, 3, 1),
    ])
  func allowed(_ header: String, data: Int, count: Int) throws {
    #expect(try SafetensorsFile(file(header, dataBytes: data)).tensors.count == count)
  }

  @Test(
    "every element type has its size",
    arguments: [
      ("BOOL", 1), ("U8", 1), ("I8", 1), ("F8_E5M2", 1), ("F8_E4M3", 1), ("F8_E8M0", 1), ("F8_E4M3FNUZ", 1),
      ("F8_E5M2FNUZ", 1), ("I16", 2), ("U16", 2), ("F16", 2), ("BF16", 2), ("I32", 4), ("U32", 4), ("F32", 4),
      ("C64", 8),
      ("F64", 8), ("I64", 8), ("U64", 8),
    ])
  func types(_ name: String, size: Int) throws {
    let header = #"{"a":{"dtype":"\#(name)","shape":[8],"data_offsets":[0,\#(size * 8)]}}"#
    #expect(try SafetensorsFile(file(header, dataBytes: size * 8)).tensors[0].typeName == name)
  }

  @Test(
    "each broken header is refused with its reason",
    arguments: [
      (one, 50, "34 bytes after the last tensor belong to nothing"),
      (one, 14, "tensor 'test' ends at byte 16 of the data, which has 14"),
      (
        #"{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0, 4]}}"#, 4,
        "tensor 'test' of I32 with shape [2, 2] needs 16 bytes; its data_offsets span 4"
      ),
      (
        #"{"test":{"dtype":"I32","shape":[2,18446744073709551614],"data_offsets":[0,16]}}"#, 16,
        "tensor 'test' has a 'shape' with 1.8446744073709552e+19; expected sizes"
      ),
      (
        #"{"test":{"dtype":"I32","shape":[2,9223372036854775807],"data_offsets":[0,16]}}"#, 16,
        "tensor 'test' of I32 with shape [2, 9223372036854775807] has no whole, countable number of bytes"
      ),
      (
        #"{"test":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}"#, 0,
        "tensor 'test' of F64 with shape [2305843009213693952] has no whole, countable number of bytes"
      ),
      (
        #"{"test":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}"#, 1,
        "tensor 'test' of F4 with shape [3] has no whole, countable number of bytes"
      ),
      (
        #"{"test":{"dtype":"I32","shape":[-1],"data_offsets":[0,0]}}"#, 0,
        "tensor 'test' has a 'shape' with -1; expected sizes"
      ),
      (
        #"{"test":{"dtype":"I32","shape":[1.0],"data_offsets":[0,4]}}"#, 4,
        "tensor 'test' has a 'shape' with 1.0; expected sizes"
      ),
      (#"{"test":{"dtype":"I33","shape":[1],"data_offsets":[0,4]}}"#, 4, "tensor 'test' has the unknown dtype 'I33'"),
      (#"{"test":{"shape":[1],"data_offsets":[0,4]}}"#, 4, "tensor 'test' has no dtype"),
      (#"{"test":{"dtype":"I32","data_offsets":[0,4]}}"#, 4, "tensor 'test' has no list 'shape'"),
      (
        #"{"test":{"dtype":"I32","shape":[1],"data_offsets":[4,0]}}"#, 4,
        "tensor 'test' has data_offsets [4, 0]; expected a begin and an end"
      ),
      (
        #"{"test":{"dtype":"I32","shape":[1],"data_offsets":[0]}}"#, 4,
        "tensor 'test' has data_offsets [0]; expected a begin and an end"
      ),
      (#"{"test":{"dtype":"I32","shape":[1],"data_offsets":[0,4],"x":1}}"#, 4, "tensor 'test' has an unknown key 'x'"),
      (#"{"test":[]}"#, 0, "the header's 'test' is an array; expected an object"),
      (#"{"__metadata__":{"a":1}}"#, 0, "the metadata 'a' is an integer; only strings are allowed"),
      ("[]", 0, "the header is an array; expected an object"),
      ("{", 0, "in the header: expected a key in quotes, found the end of the file"),
      ("{} x", 0, "in the header: the JSON document has ended, and more follows"),
      (
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
        2,
        "in the header: the key 'a' appears twice in one object"
      ),
      (
        #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
        3,
        "tensor 'b' begins at byte 1 of the data; the one before ends at 2"
      ),
      (
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#,
        3,
        "tensor 'b' begins at byte 2 of the data; the one before ends at 1"
      ),
      (
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, 2,
        "tensor 'a' begins at byte 1 of the data; the one before ends at 0"
      ),
      (
        #"{"a":{"dtype":"U8","shape":[],"data_offsets":[9223372036854775806,9223372036854775807]}}"#, 0,
        "tensor 'a' ends at byte 9223372036854775807 of the data, which has 0"
      ),
    ])
  func refusals(_ header: String, data: Int, reason: String) throws {
    #expect(try sentence(file(header, dataBytes: data)) == reason)
  }

  @Test(
    "a header length that cannot be is refused",
    arguments: [
      (UInt64(100_000_001), "the header claims 100000001 bytes; at most 100000000 are allowed. Is this safetensors?"),
      (UInt64.max, "the header claims 18446744073709551615 bytes; at most 100000000 are allowed. Is this safetensors?"),
      (
        0xFFFF_FF00_0000_003C,
        "the header claims 18446742974197923900 bytes; at most 100000000 are allowed. Is this safetensors?"
      ),
      (60, "the header needs 60 bytes and the file has 2 left"),
      (0, "in the header: the file ends where a value is expected"),
    ])
  func headerLength(_ length: UInt64, reason: String) throws {
    #expect(try sentence(file("{}", length: length)) == reason)
  }

  @Test("many tensors on the same bytes are refused")
  func sameBytes() throws {
    let entries = (0..<10).map { #""weight_\#($0)":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}"# }
    let reason = try sentence(file("{" + entries.joined(separator: ",") + "}", dataBytes: 16))
    #expect(reason?.hasSuffix("begins at byte 0 of the data; the one before ends at 16") == true)
  }

  @Test("empty and tiny files, and a header that is not UTF-8, are refused")
  func tiny() throws {
    #expect(
      try sentence(MappedFile(copying: [], name: "f"))
        == "a safetensors file begins with 8 bytes of header length; this one has 0")
    let notUTF8 = try MappedFile(copying: [1, 0, 0, 0, 0, 0, 0, 0, 0xFF], name: "f")
    #expect(sentence(notUTF8) == "in the header: expected a value, found the byte 0xff")
  }

  @Test("a file cut at any byte is refused")
  func truncation() throws {
    let whole = try file(one, dataBytes: 16).contents
    for count in whole.indices {
      #expect(try sentence(MappedFile(copying: Array(whole[..<count]), name: "f")) != nil)
    }
  }

  @Test("written bytes are those of the reference writer")
  func writing() throws {
    // The literals of `test_serialization`, `test_empty` and `test_serialization_forced_alignement`.
    func written(_ tensors: [StoredTensor], _ metadata: [String: String]) throws -> [UInt8] {
      var bytes: [UInt8] = []
      try withFolder { folder throws in
        try SafetensorsFile.write(tensors, metadata: metadata, to: folder + "/f")
        bytes = Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/f")))
      }
      return bytes
    }
    let values: [Float] = [0, 1, 2, 3, 4, 5]
    let data = values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
    #expect(try written([], [:]) == [8, 0, 0, 0, 0, 0, 0, 0] + Array("{}      ".utf8))
    #expect(
      try written([], ["framework": "pt"])
        == [40, 0, 0, 0, 0, 0, 0, 0] + Array(#"{"__metadata__":{"framework":"pt"}}     "#.utf8))
    #expect(
      try written([tensor("attn.0", [1, 2, 3], values)], [:])
        == [64, 0, 0, 0, 0, 0, 0, 0]
        + Array(#"{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}"#.utf8) + data)
    #expect(
      try written([tensor("attn0", [1, 1, 2, 3], values)], [:])
        == [72, 0, 0, 0, 0, 0, 0, 0]
        + Array(#"{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}       "#.utf8) + data)
  }

  @Test("larger elements are written first, then by name, and read back the same")
  func order() throws {
    try withFolder { folder throws in
      try SafetensorsFile.write(
        [
          tensor("b", [1], .bf16, [1, 2]), tensor("a", [2], .f16, [3, 4, 5, 6]), tensor("z", [1], [1]),
          tensor("y", [0, 4], []),
        ], to: folder + "/f")
      let opened = try SafetensorsFile(path: folder + "/f")
      #expect(opened.tensors.map(\.name) == ["y", "z", "a", "b"])
      #expect(opened.tensors.map(\.contents) == [[], [0, 0, 0x80, 0x3F], [3, 4, 5, 6], [1, 2]])
      #expect(opened.metadata == ["format": "pt"])
      #expect(opened.tensors[1].range.lowerBound % 8 == 0)
    }
  }

  @Test("a quantised tensor, a name twice and a wrong byte count are not written")
  func unwritable() throws {
    try withFolder { folder throws in
      let path = folder + "/f"
      let problem = #expect(throws: FileProblem.self) {
        try SafetensorsFile.write([tensor("q", [32], .q8_0, [UInt8](repeating: 0, count: 34))], to: path)
      }
      #expect(problem?.sentence == "tensor 'q' is stored as q8_0, which safetensors cannot hold")
      #expect(throws: FileProblem.self) {
        try SafetensorsFile.write([tensor("a", [1], [1]), tensor("a", [1], [1])], to: path)
      }
      #expect(throws: FileProblem.self) { try SafetensorsFile.write([tensor("a", [2], [1])], to: path) }
      #expect(try namesInFolder(folder).isEmpty)
    }
  }

  @Test("every fixture opens", .needs("fixtures"))
  func fixtures() throws {
    for name in try namesInFolder(SharedData.path("fixtures")) where name != "README.md" {
      let folder = try CheckpointFolder(path: SharedData.path("fixtures/\(name)"))
      #expect(folder.tensors.count > 20)
      #expect(folder.tensors.allSatisfy { $0.format == .f32 })
    }
  }
}
