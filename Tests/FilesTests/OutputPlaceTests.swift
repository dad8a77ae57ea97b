import Files
import Foundation
import Testing

/// A folder that exists while `body` runs.
private func withFolder(_ body: (String) throws -> Void) throws {
  let folder = NSTemporaryDirectory() + "chimera-places-\(UUID().uuidString)"
  try makeFolder(folder)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try body(folder)
}

private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

@Suite("what is written to a path")
struct OutputPlaceTests {
  @Test("replaces the file that links lead to, and leaves the links; a link to nothing makes its target")
  func links() throws {
    try withFolder { folder in
      try makeFolder(folder + "/real")
      try writeAtomically("old", to: folder + "/real/page")
      try placeLink(at: folder + "/near", to: "real/page")
      try placeLink(at: folder + "/far", to: folder + "/near")
      try writeAtomically("new", to: folder + "/far")
      #expect(try text(folder + "/real/page") == "new")
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/far") == folder + "/near")
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/near") == "real/page")
      try placeLink(at: folder + "/dangling", to: "real/made")
      try writeAtomically("made", to: folder + "/dangling")
      #expect(try text(folder + "/real/made") == "made")
      try placeLink(at: folder + "/round", to: "round")
      #expect(throws: FileProblem.self) { try writeAtomically("x", to: folder + "/round") }
      #expect(try namesInFolder(folder + "/real") == ["made", "page"])
    }
  }

  @Test("goes into a pipe, which stays one")
  func pipe() throws {
    try withFolder { folder in
      let path = folder + "/pipe"
      #expect(mkfifo(path, 0o600) == 0)
      // Both ends open here: a pipe without a reader would make the writer wait.
      let reader = open(path, O_RDONLY | O_NONBLOCK)
      defer { close(reader) }
      try writeAtomically("through", to: path)
      var bytes = [UInt8](repeating: 0, count: 16)
      #expect(read(reader, &bytes, bytes.count) == 7)
      #expect(kind(ofPath: path) == .other && !isFilePlace(path))
      #expect(try namesInFolder(folder) == ["pipe"])
    }
  }

  @Test("to one's own descriptor is not opened anew: it goes on where that is")
  func descriptor() throws {
    try withFolder { folder in
      let path = folder + "/log"
      let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
      defer { close(descriptor) }
      try writeAtomically("one ", to: "/dev/fd/\(descriptor)")
      try writeAtomically("two", to: "/proc/self/fd/\(descriptor)")
      #expect(try text(path) == "one two")
      #expect(!isFilePlace("/dev/stdout") && !isFilePlace("/dev/null") && isFilePlace(path))
      try writeAtomically("nowhere", to: "/dev/null")
      #expect(kind(ofPath: "/dev/null") == .other)
    }
  }

  @Test("keeps the permissions of the file that it replaces")
  func permissions() throws {
    try withFolder { folder in
      try writeAtomically("old", to: folder + "/a")
      #expect(chmod(folder + "/a", 0o640) == 0)
      try writeAtomically("new", to: folder + "/a")
      var status = stat()
      #expect(stat(folder + "/a", &status) == 0 && status.st_mode & 0o777 == 0o640)
    }
  }

  @Test("is the system's fault when it cannot be written, and the file's when it cannot be understood")
  func causes() throws {
    func cause(_ body: () throws -> Void) -> FileProblem.Cause? {
      do { try body() } catch { return (error as? FileProblem)?.cause }
      return nil
    }
    #expect(cause { try writeAtomically("x", to: "/proc/nothing") } == .system)
    #expect(cause { try writeAtomically("x", to: "/no/such/folder/x") } == .system)
    #expect(cause { try makeFolder("/proc/nothing") } == .system)
    #expect(cause { _ = try MappedFile(path: "/no/such/file") } == .missing)
    #expect(cause { _ = try namesInFolder("/no/such/folder") } == .missing)
    #expect(cause { _ = try JSONValue(parsing: "{", name: "a") } == .content)
  }

  // That it waits rather than spins is seen where the program is: `OutputTests`.
  @Test("comes through a descriptor that does not wait, though it is full at first")
  func fullPipe() async throws {
    var ends: [Int32] = [0, 0]
    #expect(Foundation.pipe(&ends) == 0)
    let (reader, writer) = (ends[0], ends[1])
    _ = fcntl(writer, F_SETFL, fcntl(writer, F_GETFL) | O_NONBLOCK)
    let bytes = [UInt8](repeating: 7, count: 1 << 20)
    let done = Task.detached { bytes.withUnsafeBytes { writeAll($0, to: writer) } }
    try await Task.sleep(for: .milliseconds(100))
    var read = 0
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while read < bytes.count {
      let count = Foundation.read(reader, &buffer, buffer.count)
      if count <= 0 { break }
      read += count
    }
    #expect(read == bytes.count)
    #expect(await done.value == nil)
    close(writer)
    close(reader)
  }
}

@Suite("text for terminals")
struct TerminalTextTests {
  @Test("has nothing that a terminal acts on, and all else")
  func safe() {
    #expect("a\u{1B}[31mb\u{7}\u{7F}\u{9B}c".safeForTerminals == "a\u{FFFD}[31mb\u{FFFD}\u{FFFD}\u{FFFD}c")
    #expect("x\u{202E}y\u{2066}z\u{2028}".safeForTerminals == "x\u{FFFD}y\u{FFFD}z\u{FFFD}")
    #expect("a\rb".safeForTerminals == "a\u{FFFD}b")
    let good = "línea\n\t你好 — 👩‍👩‍👧 “q” é ½\n"
    #expect(good.safeForTerminals == good)
  }

  @Test("as JSON, such characters are escaped, and read back as they were")
  func json() throws {
    let text = "\u{1B}\u{7F}\u{85}\u{9B}\u{202E}\u{2028}\u{0}"
    let written = JSONValue.string(text).serialized()
    #expect(written == #""\u001b\u007f\u0085\u009b\u202e\u2028\u0000""#)
    #expect(try JSONValue(parsing: written).string == text)
  }
}
