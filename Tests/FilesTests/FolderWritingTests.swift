import Files
import Foundation
import Testing

/// Folders that are written whole or not at all.
@Suite struct FolderWritingTests {
  private func inFolder(_ run: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "chimera-folders-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try run(folder)
  }

  @Test("a folder is not there before all of it is, and nothing else is there afterwards")
  func whole() throws {
    try inFolder { folder in
      try writeFolderAtomically(to: folder + "/a/b/out/") { path in
        try writeAtomically("one", to: path + "/one")
        #expect(kind(ofPath: folder + "/a/b/out") == .nothing)
        try writeAtomically("two", to: path + "/two")
      }
      #expect(try namesInFolder(folder + "/a/b") == ["out"])
      #expect(try namesInFolder(folder + "/a/b/out") == ["one", "two"])
    }
  }

  @Test("where writing fails nothing is left, and an empty folder is taken the next time")
  func failing() throws {
    struct Stop: Error {}
    try inFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/out", withIntermediateDirectories: false)
      #expect(throws: Stop.self) {
        try writeFolderAtomically(to: folder + "/out") { path in
          try writeAtomically("one", to: path + "/one")
          throw Stop()
        }
      }
      #expect(try namesInFolder(folder) == ["out"])
      #expect(try namesInFolder(folder + "/out") == [])
      try writeFolderAtomically(to: folder + "/out") { try writeAtomically("one", to: $0 + "/one") }
      #expect(try namesInFolder(folder + "/out") == ["one"])
    }
  }

  @Test("a folder that holds something stays as it is") func full() throws {
    try inFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/out", withIntermediateDirectories: false)
      try writeAtomically("mine", to: folder + "/out/mine")
      let problem = #expect(throws: FileProblem.self) {
        try writeFolderAtomically(to: folder + "/out") { try writeAtomically("one", to: $0 + "/one") }
      }
      #expect(problem?.path == folder + "/out")
      #expect(try namesInFolder(folder + "/out") == ["mine"])
      #expect(try namesInFolder(folder) == ["out"])
    }
  }

  @Test("a link to an empty folder stays a link") func link() throws {
    try inFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/real", withIntermediateDirectories: false)
      try FileManager.default.createSymbolicLink(atPath: folder + "/out", withDestinationPath: folder + "/real")
      try writeFolderAtomically(to: folder + "/out") { try writeAtomically("one", to: $0 + "/one") }
      #expect(try namesInFolder(folder + "/real") == ["one"])
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/out") == folder + "/real")
    }
  }

  // No process has the number 2³¹ − 2: the largest that Linux gives is 2²² − 1.
  @Test("what a dead process left is cleared, what a living one writes and what others named so are not")
  func leftovers() throws {
    try inFolder { folder in
      let dead = "out.2147483646-abc.partial"
      let others = [
        "out.\(getpid())-abc.partial", "out.partial", "out.12x-a.partial", "another.2147483646-abc.partial",
      ]
      for name in [dead] + others {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(name)/in", withIntermediateDirectories: true)
        try writeAtomically("x", to: "\(folder)/\(name)/in/x")
      }
      try writeFolderAtomically(to: folder + "/out") { try writeAtomically("one", to: $0 + "/one") }
      #expect(try Set(namesInFolder(folder)) == Set(others + ["out"]))
    }
  }
}
