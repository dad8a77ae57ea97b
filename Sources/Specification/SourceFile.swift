import Components

import Essentials

/// Files that hold specifications.
enum SourceFile {
  /// The bytes of the file at `path`, which must be a plain file within the reader's budget.
  ///
  /// Opened without waiting, so that a pipe or a device is refused instead of read.
  static func read(_ path: String, askedAt place: Place? = nil) throws(Problem) -> [UInt8] {
    func fail(_ sentence: String) -> Problem { Problem("\(sentence): \(path)", at: place) }
    guard !path.utf8.contains(0) else { throw Problem("the path holds a NUL byte", at: place) }
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw fail("cannot open the file (\(String(cString: strerror(errno))))") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw fail("this is not a file") }
    let limit = YAMLReader.byteLimit
    guard status.st_size <= limit else {
      throw fail("the file has \(status.st_size) bytes, and a specification has at most \(limit)")
    }
    // One byte more than the size said, to notice a file that grows while it is read.
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size) + 1)
    var count = 0
    while count < bytes.count {
      let room = bytes.count - count
      #if canImport(Glibc)
        let received = bytes.withUnsafeMutableBytes {
          Glibc.read(descriptor, $0.baseAddress?.advanced(by: count), room)
        }
      #elseif canImport(Musl)
        let received = bytes.withUnsafeMutableBytes { Musl.read(descriptor, $0.baseAddress?.advanced(by: count), room) }
      #else
        let received = bytes.withUnsafeMutableBytes {
          Darwin.read(descriptor, $0.baseAddress?.advanced(by: count), room)
        }
      #endif
      if received < 0 {
        if errno == EINTR { continue }
        throw fail("cannot read the file (\(String(cString: strerror(errno))))")
      }
      if received == 0 { break }
      count += received
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// The path without links, `.` and `..`; nil when nothing is there.
  static func canonicalPath(_ path: String) -> String? {
    guard !path.utf8.contains(0), let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}

/// The folder of the file at `path`, as written; "." for a name alone.
func folder(of path: String) -> String {
  // By bytes: looking for characters is slow, and a slash is part of none.
  guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The last part of `path`, without the ending of a YAML file.
func baseName(of path: String) -> String {
  let name = path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? path
  for ending in [".yaml", ".yml"] where name.hasSuffix(ending) { return String(name.dropLast(ending.count)) }
  return name
}
