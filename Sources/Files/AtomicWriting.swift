import Essentials

/// Writes the file at `path` whole or not at all.
///
/// The bytes go to a sibling with a temporary name, which is synchronised and then renamed over `path`, and the folder
/// is synchronised after it. When `body` or the system fails, the sibling is removed and an older file at `path` stays
/// as it was; a file that is mapped meanwhile keeps its old bytes.
///
/// A link stays and its target is replaced; a device, a pipe or a descriptor of this process (`/dev/stdout`) stays and
/// is written to.
public func writeAtomically(to path: String, _ body: (FileWriter) throws -> Void) throws {
  switch try OutputPlace(path: path) {
  case .file(let target, let permissions): try replace(target, permissions, body)
  case .descriptor(let descriptor): try write(to: descriptor, path, body)
  case .device(let target):
    let descriptor = open(target, O_WRONLY | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else { throw FileProblem.ofSystem(path: path, "cannot open it for writing") }
    defer { close(descriptor) }
    try write(to: descriptor, path, body)
  }
}

/// Writes `text` to `path`, whole or not at all.
public func writeAtomically(_ text: String, to path: String) throws {
  try writeAtomically(to: path) { writer in try writer.write(text) }
}

private func write(to descriptor: Int32, _ path: String, _ body: (FileWriter) throws -> Void) throws {
  let writer = FileWriter(path: path, descriptor: descriptor)
  try body(writer)
  try writer.flush()
}

private func replace(_ path: String, _ permissions: mode_t?, _ body: (FileWriter) throws -> Void) throws {
  let folder = folderOfPath(path)
  var temporary = ""
  var descriptor: Int32 = -1
  // O_EXCL with a name of our own: two writers never share a sibling, and no link is followed.
  for _ in 0..<16 where descriptor < 0 {
    temporary = path + ".\(getpid())-\(String(UInt32.random(in: .min ... .max), radix: 36)).tmp"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    if descriptor < 0, errno != EEXIST { break }
  }
  guard descriptor >= 0 else { throw FileProblem.ofSystem(path: path, "cannot write in the folder '\(folder)'") }
  do {
    defer { close(descriptor) }
    if let permissions { fchmod(descriptor, permissions) }
    try write(to: descriptor, path, body)
    guard fsync(descriptor) == 0 else { throw FileProblem.ofSystem(path: path, "cannot bring the file to the disk") }
    guard rename(temporary, path) == 0 else {
      throw FileProblem.ofSystem(path: path, "cannot put the finished file in place")
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

private func folderOfPath(_ path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
