import Checkpoints
import Files
import Foundation
import SharedData
import Testing

private func open(_ bytes: [UInt8]) throws -> GGUFFile {
  try GGUFFile(MappedFile(copying: bytes, name: "f"))
}

private func sentence(_ bytes: [UInt8]) throws -> String? {
  do {
    _ = try open(bytes)
    return nil
  } catch let problem as FileProblem {
    return problem.sentence
  }
}

/// A file with one key of each type and two tensors.
private func wellFormed() -> GGUFBytes {
  var file = GGUFBytes()
  file.key("u8", 0, [200])
  file.key("i8", 1, [200])
  file.key("u16", 2, GGUFBytes.number(UInt16(60000)))
  file.key("i16", 3, GGUFBytes.number(Int16(-2)))
  file.key("u32", 4, GGUFBytes.number(UInt32.max))
  file.key("i32", 5, GGUFBytes.number(Int32.min))
  file.key("f32", 6, GGUFBytes.number(Float(1e-5).bitPattern))
  file.key("bool", 7, [1])
  file.key("string", 8, GGUFBytes.string("é"))
  file.list("strings", of: 8, claiming: 2, GGUFBytes.string("a") + GGUFBytes.string(""))
  file.list(
    "floats", of: 6, claiming: 2, GGUFBytes.number(Float(1.5).bitPattern) + GGUFBytes.number(Float(-1).bitPattern))
  file.list("ints", of: 5, claiming: 2, GGUFBytes.number(Int32(3)) + GGUFBytes.number(Int32(-4)))
  file.list("bools", of: 7, claiming: 2, [0, 1])
  file.key("u64", 10, GGUFBytes.number(UInt64.max))
  file.key("i64", 11, GGUFBytes.number(Int64.min))
  file.key("f64", 12, GGUFBytes.number(0.1.bitPattern))
  file.tensor("a.weight", [3, 2], 0, offset: 0)
  file.tensor("b.weight", [32], 8, offset: 32)
  file.data = [UInt8](0..<66)
  return file
}

@Suite struct GGUFFileTests {
  @Test("metadata of every type is read")
  func metadata() throws {
    let file = try open(wellFormed().bytes)
    #expect(file.version == 3)
    #expect(file.keys.first == "u8" && file.keys.count == 16)
    #expect(file["u8"]?.integer == 200)
    #expect(file["i8"]?.integer == -56)
    #expect(file["u16"]?.integer == 60000)
    #expect(file["i16"]?.integer == -2)
    #expect(file["u32"]?.integer == 4_294_967_295)
    #expect(file["i32"]?.integer == -2_147_483_648)
    #expect(file["f32"]?.number == 1e-5)
    #expect(file["bool"]?.bool == true)
    #expect(file["string"]?.string == "é")
    #expect(file["strings"]?.strings == ["a", ""])
    #expect(file["floats"]?.numbers == [1.5, -1])
    #expect(file["ints"]?.integers == [3, -4])
    #expect(file["bools"]?.json == [false, true])
    #expect(file["u64"]?.number == 18_446_744_073_709_551_616)
    #expect(file["i64"]?.integer == .min)
    #expect(file["f64"]?.number == 0.1)
    #expect(file["none"] == nil)
  }

  @Test("tensors are listed outermost axis first with their bytes")
  func tensors() throws {
    let file = try open(wellFormed().bytes)
    #expect(file.tensors.map(\.name) == ["a.weight", "b.weight"])
    #expect(file.tensors.map(\.shape) == [[2, 3], [32]])
    #expect(file.tensors.map(\.typeName) == ["F32", "Q8_0"])
    #expect(file.tensors[0].contents == [UInt8](0..<24))
    #expect(file.tensors[1].contents == [UInt8](32..<66))
    #expect(file.tensors[0].range.lowerBound % 32 == 0)
  }

  @Test("a file cut at any byte of its header or data is refused")
  func truncation() throws {
    let bytes = wellFormed().bytes
    for count in bytes.indices { #expect(try sentence(Array(bytes[..<count])) != nil, "cut at \(count)") }
    #expect(try sentence(bytes) == nil)
  }

  @Test("a type that is recognised but not computed with is listed without a format")
  func otherTypes() throws {
    var file = GGUFBytes()
    file.tensor("a", [256], 10, offset: 0)
    file.data = [UInt8](repeating: 0, count: 84)
    let opened = try open(file.bytes)
    #expect(opened.tensors[0].typeName == "Q2_K")
    #expect(opened.tensors[0].format == nil)
  }

  @Test("the alignment of the file is followed")
  func alignment() throws {
    var file = GGUFBytes()
    file.alignment = 64
    file.key("general.alignment", 4, GGUFBytes.number(UInt32(64)))
    file.tensor("a", [1], 0, offset: 0)
    file.tensor("b", [1], 0, offset: 64)
    file.data = [UInt8](repeating: 7, count: 68)
    let opened = try open(file.bytes)
    #expect(opened.tensors.map { $0.range.lowerBound % 64 } == [0, 0])
  }

  struct Broken: Sendable, CustomTestStringConvertible {
    let reason: String
    let bytes: [UInt8]
    var testDescription: String { reason }
    init(_ reason: String, _ change: (inout GGUFBytes) -> Void) {
      var file = GGUFBytes()
      change(&file)
      self.reason = reason
      bytes = file.bytes
    }
  }

  static let broken: [Broken] = [
    Broken("a GGUF file begins with the bytes GGUF; this one does not") { $0.magic = Array("GGML".utf8) },
    Broken("GGUF version 1; only 2 and 3 are read") { $0.version = 1 },
    Broken("GGUF version 4; only 2 and 3 are read") { $0.version = 4 },
    Broken("the version reads 50331648: the file is big endian, which is not read") {
      $0.version = UInt32(3).byteSwapped
    },
    Broken("the file claims 18446744073709551615 tensors and has no room to list them") { $0.tensorCount = .max },
    Broken("the file claims 9223372036854775808 metadata keys and has no room for them") { $0.keyCount = 1 << 63 },
    Broken("a metadata key is empty") { $0.key("", 0, [1]) },
    Broken("the metadata key 'k' appears twice") {
      $0.key("k", 0, [1])
      $0.key("k", 0, [1])
    },
    Broken("the metadata key 'k' has the unknown type 13") { $0.key("k", 13, [0]) },
    Broken("the value of 'k' claims 67108865 bytes; at most 67108864 are read") {
      $0.key("k", 8, GGUFBytes.string("", claiming: (64 << 20) + 1))
    },
    Broken("the value of 'k' claims 18446744073709551615 bytes; at most 67108864 are read") {
      $0.key("k", 8, GGUFBytes.string("", claiming: .max))
    },
    Broken("the value of 'k' needs 5 bytes and the file has 1 left") {
      $0.key("k", 8, GGUFBytes.string("a", claiming: 5))
    },
    Broken("the value of 'k' is not valid UTF-8") { $0.key("k", 8, GGUFBytes.number(UInt64(1)) + [0xFF]) },
    Broken("the metadata key 'k' is a list of lists, which is not read") { $0.list("k", of: 9, claiming: 0, []) },
    Broken("the metadata key 'k' is a list of the unknown type 77") { $0.list("k", of: 77, claiming: 0, []) },
    Broken("the list 'k' claims 9223372036854775808 u8 items; the file has 0 bytes left") {
      $0.list("k", of: 0, claiming: 1 << 63, [])
    },
    Broken("the list 'k' claims 2305843009213693952 string items; the file has 8 bytes left") {
      $0.list("k", of: 8, claiming: 1 << 61, GGUFBytes.string(""))
    },
    Broken("the list 'k' claims 16777217 u8 items; the file has 16777217 bytes left") {
      $0.list("k", of: 0, claiming: (1 << 24) + 1, [UInt8](repeating: 0, count: (1 << 24) + 1))
    },
    Broken("the list 'k' has an item beyond 63 bits") {
      $0.list("k", of: 10, claiming: 1, GGUFBytes.number(UInt64.max))
    },
    Broken("general.alignment is 33; expected a power of two up to 1048576, as u32") {
      $0.key("general.alignment", 4, GGUFBytes.number(UInt32(33)))
    },
    Broken("general.alignment is 0; expected a power of two up to 1048576, as u32") {
      $0.key("general.alignment", 4, GGUFBytes.number(UInt32(0)))
    },
    Broken("general.alignment is 2147483648; expected a power of two up to 1048576, as u32") {
      $0.key("general.alignment", 4, GGUFBytes.number(UInt32(1) << 31))
    },
    Broken("general.alignment is 32; expected a power of two up to 1048576, as u32") {
      $0.key("general.alignment", 10, GGUFBytes.number(UInt64(32)))
    },
    Broken("a tensor's name claims 64 bytes; at most 63 are allowed") {
      $0.tensor(String(repeating: "n", count: 64), [1], 0, offset: 0)
    },
    Broken("tensor 'a' has 5 axes; at most 4 are allowed") { $0.tensor("a", [1, 1, 1, 1, 1], 0, offset: 0) },
    Broken("tensor 'a' has 4294967295 axes; at most 4 are allowed") {
      $0.tensor("a", [1], 0, offset: 0, claimingAxes: .max)
    },
    Broken("tensor 'a' has an axis of length -1") { $0.tensor("a", [-1], 0, offset: 0) },
    Broken("tensor 'a' has the unknown type 99") { $0.tensor("a", [1], 99, offset: 0) },
    Broken("tensor 'a' of Q8_0 has rows of 33; whole blocks of 32 are needed") { $0.tensor("a", [33], 8, offset: 0) },
    Broken("tensor 'a' of Q8_0 has rows of 1; whole blocks of 32 are needed") { $0.tensor("a", [], 8, offset: 0) },
    Broken("tensor 'a' with shape [4, 9223372036854775807] has more elements than can be counted") {
      $0.tensor("a", [.max, 4], 0, offset: 0)
    },
    Broken("tensor 'a' with shape [4611686018427387904] has more bytes than can be counted") {
      $0.tensor("a", [1 << 62], 0, offset: 0)
    },
    Broken("two tensors are named 'a'") {
      $0.tensor("a", [8], 0, offset: 0)
      $0.tensor("a", [8], 0, offset: 32)
      $0.data = [UInt8](repeating: 0, count: 64)
    },
    Broken("tensor 'b' is at 64 of the data; after the tensors before it 32 is expected") {
      $0.tensor("a", [8], 0, offset: 0)
      $0.tensor("b", [8], 0, offset: 64)
      $0.data = [UInt8](repeating: 0, count: 96)
    },
    Broken("tensor 'a' is at 18446744073709551615 of the data; after the tensors before it 0 is expected") {
      $0.tensor("a", [8], 0, offset: .max)
    },
    Broken("tensor 'a' of F32 with shape [8] needs 32 bytes; the file has 31 left for it") {
      $0.tensor("a", [8], 0, offset: 0)
      $0.data = [UInt8](repeating: 0, count: 31)
    },
    // ggml-org/ggml's two tensors whose padded sizes wrap (`DATA_MEM_SIZE_OVERFLOW`).
    Broken(
      "tensor 'a' of I8 with shape [9223372036854775744] needs 9223372036854775744 bytes; the file has 0 left for it"
    ) {
      $0.tensor("a", [.max - 63], 24, offset: 0)
      $0.tensor("b", [.max - 63], 24, offset: UInt64(Int64.max) - 63)
    },
  ]

  @Test("each broken file is refused with its reason", arguments: broken)
  func refusals(_ file: Broken) throws {
    #expect(try sentence(file.bytes) == file.reason)
  }

  @Test("every count and length set to a boundary is refused or read, and nothing traps")
  func boundaries() throws {
    let whole = wellFormed()
    let bytes = whole.bytes
    let values: [UInt64] = [0, 1, .max, .max - 1, 1 << 31, 1 << 32, 1 << 63, (1 << 63) - 1, (1 << 63) - 64]
    for place in 0...(whole.header.count - 8) {
      for value in values {
        var changed = bytes
        changed.replaceSubrange(place..<place + 8, with: GGUFBytes.number(value))
        _ = try sentence(changed)
      }
    }
  }

  @Test("a 51-byte file that claims 2^63 elements is refused at once and costs no memory")
  func bomb() throws {
    // As in ggml-org/llama.cpp #27188: one list of 2^63 items.
    var file = GGUFBytes()
    file.list("arr", of: 0, claiming: 1 << 63, [])
    let bytes = file.bytes
    #expect(bytes.count == 51)
    _ = try sentence(bytes)
    let before = residentBytes()
    var refused = 0
    let soon = try endsSoon {
      for _ in 0..<1000 where try sentence(bytes) != nil { refused += 1 }
    }
    #expect(soon && refused == 1000)
    // Other tests run meanwhile; what the file claims would be beyond any machine.
    #expect(residentBytes() - before < 256 << 20)
  }

  @Test("the real files open, and their metadata is there", .needs(SharedData.smolLM2, "tokenizers/ggml-vocab"))
  func realFiles() throws {
    // Counts printed by PyPI gguf 0.19.0: GGUFReader(path).tensors, .fields.
    let smol = try GGUFFile(
      path: SharedData.path(SharedData.smolLM2))
    #expect(smol.tensors.count == 272)
    #expect(smol.tensors.filter { $0.typeName == "Q4_1" }.count == 210)
    #expect(smol["general.architecture"]?.string == "llama")
    #expect(smol["llama.embedding_length"]?.integer == 576)
    #expect(smol["tokenizer.ggml.tokens"]?.strings?.count == 49152)
    #expect(smol["llama.rope.freq_base"]?.number == 100_000)
    for name in try namesInFolder(SharedData.path("tokenizers/ggml-vocab")) where name.hasSuffix(".gguf") {
      let vocabulary = try GGUFFile(path: SharedData.path("tokenizers/ggml-vocab/\(name)"))
      #expect(vocabulary["tokenizer.ggml.tokens"]?.strings?.isEmpty == false)
      #expect(vocabulary.tensors.isEmpty)
    }
  }
}
