#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Writes the file at `path` whole or not at all.
///
/// The bytes go to a sibling with a temporary name, which is synchronised and then renamed over `path`, and the folder
/// is synchronised after it. When `body` or the system fails, the sibling is removed and an older file at `path` stays
/// as it was; a file that is mapped meanwhile keeps its old bytes.
public func writeAtomically(to path: String, _ body: (FileWriter) throws -> Void) throws {
  let folder = folderOfPath(path)
  var temporary = ""
  var descriptor: Int32 = -1
  // O_EXCL with a name of our own: two writers never share a sibling, and no link is followed.
  for _ in 0..<16 where descriptor < 0 {
    temporary = path + ".\(getpid())-\(String(UInt32.random(in: .min ... .max), radix: 36)).tmp"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    if descriptor < 0, errno != EEXIST { break }
  }
  guard descriptor >= 0 else {
    throw FileProblem(path: path, sentence: "cannot write in the folder '\(folder)': \(lastSystemError())")
  }
  do {
    defer { close(descriptor) }
    let writer = FileWriter(path: path, descriptor: descriptor)
    try body(writer)
    try writer.flush()
    guard fsync(descriptor) == 0 else {
      throw FileProblem(path: path, sentence: "cannot bring the file to the disk: \(lastSystemError())")
    }
    guard rename(temporary, path) == 0 else {
      throw FileProblem(path: path, sentence: "cannot put the finished file in place: \(lastSystemError())")
    }
  } catch {
    unlink(temporary)
    throw error
  }
  let opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  if opened >= 0 {
    // Some file systems cannot synchronise a folder; the file itself is on the disk by now.
    fsync(opened)
    close(opened)
  }
}

/// Writes `text` to `path`, whole or not at all.
public func writeAtomically(_ text: String, to path: String) throws {
  try writeAtomically(to: path) { writer in try writer.write(text) }
}

private func folderOfPath(_ path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
