import Essentials

/// What stands at a path.
public enum PathKind: Sendable {
  case nothing, file, folder, other
}

/// What stands at `path`, links followed.
public func kind(ofPath path: String) -> PathKind {
  var status = stat()
  guard stat(path, &status) == 0 else { return .nothing }
  return switch status.st_mode & S_IFMT {
  case S_IFREG: .file
  case S_IFDIR: .folder
  default: .other
  }
}

/// The names in the folder at `path`, sorted by their bytes, without `.` and `..`.
public func namesInFolder(_ path: String) throws(FileProblem) -> [String] {
  guard let folder = opendir(path) else {
    throw FileProblem(
      path: path, sentence: "cannot list the folder: \(String(cString: strerror(errno)))",
      cause: errno == ENOENT ? .missing : .system)
  }
  defer { closedir(folder) }
  var names: [String] = []
  while let entry = readdir(folder) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
      name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

/// Makes the folder at `path`, and those above it, where they are missing.
public func makeFolder(_ path: String) throws(FileProblem) {
  guard kind(ofPath: path) != .folder else { return }
  if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeFolder(String(path[..<slash])) }
  if mkdir(path, 0o777) == 0 { return }
  let number = errno
  guard kind(ofPath: path) == .folder else {
    throw FileProblem.ofSystem(path: path, "cannot make the folder", number: number)
  }
}

/// Removes the file at `path`; nothing happens where there is none.
public func removeFile(_ path: String) throws(FileProblem) {
  guard unlink(path) == 0 || errno == ENOENT else {
    throw FileProblem.ofSystem(path: path, "cannot remove the file")
  }
}
