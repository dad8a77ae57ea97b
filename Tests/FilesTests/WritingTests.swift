import Files
import Foundation
import Testing

/// A folder that exists while `body` runs.
private func withFolder(_ body: (String) throws -> Void) throws {
  let folder = NSTemporaryDirectory() + "chimera-files-\(UUID().uuidString)"
  try makeFolder(folder)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try body(folder)
}

@Suite struct WritingTests {
  @Test("what is written is mapped back, small pieces and large ones")
  func roundTrip() throws {
    try withFolder { folder in
      let path = folder + "/a"
      try writeAtomically(to: path) { writer in
        for _ in 0..<100_000 { try writer.write(UInt32(0x0403_0201)) }
        try writer.write([UInt8](repeating: 7, count: 300_001))
        try writer.pad(to: 64)
        #expect(writer.count % 64 == 0)
      }
      let file = try MappedFile(path: path)
      #expect(file.bytes.count == 700_032)
      #expect(Array(file.bytes[399_996..<400_002]) == [1, 2, 3, 4, 7, 7])
      #expect(file.bytes[700_001] == 0)
      file.adviseUnneeded(0..<file.bytes.count)
      #expect(file.bytes[400_000] == 7)
      #expect(try namesInFolder(folder) == ["a"])
    }
  }

  @Test("a failure leaves the old file and nothing beside it")
  func failure() throws {
    struct Stop: Error {}
    try withFolder { folder in
      let path = folder + "/a"
      try writeAtomically("old", to: path)
      #expect(throws: Stop.self) {
        try writeAtomically(to: path) { writer in
          try writer.write("new")
          throw Stop()
        }
      }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
      #expect(try namesInFolder(folder) == ["a"])
    }
  }

  @Test("a mapped file keeps its bytes while it is replaced")
  func replacement() throws {
    try withFolder { folder in
      let path = folder + "/a"
      try writeAtomically("old", to: path)
      let file = try MappedFile(path: path)
      try writeAtomically("newer", to: path)
      #expect(Array(file.bytes) == Array("old".utf8))
    }
  }

  @Test("what cannot be mapped is refused with a sentence")
  func refusals() throws {
    try withFolder { folder in
      let missing = #expect(throws: FileProblem.self) { _ = try MappedFile(path: folder + "/none") }
      #expect(missing?.sentence == "cannot open the file: No such file or directory")
      let aFolder = #expect(throws: FileProblem.self) { _ = try MappedFile(path: folder) }
      #expect(aFolder?.sentence == "not a regular file")
      try writeAtomically("", to: folder + "/empty")
      #expect(try MappedFile(path: folder + "/empty").bytes.isEmpty)
      mkfifo(folder + "/pipe", 0o600)
      #expect(throws: FileProblem.self) { _ = try MappedFile(path: folder + "/pipe") }
      #expect(throws: FileProblem.self) { try writeAtomically("x", to: folder + "/none/file") }
    }
  }

  @Test("folders are told from files and listed in order")
  func folders() throws {
    try withFolder { folder in
      try makeFolder(folder + "/b/c")
      try writeAtomically("x", to: folder + "/a")
      #expect(kind(ofPath: folder + "/b/c") == .folder)
      #expect(kind(ofPath: folder + "/a") == .file)
      #expect(kind(ofPath: folder + "/none") == .nothing)
      #expect(try namesInFolder(folder) == ["a", "b"])
      #expect(throws: FileProblem.self) { try makeFolder(folder + "/a/d") }
    }
  }
}
