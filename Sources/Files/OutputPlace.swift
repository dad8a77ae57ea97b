import Essentials

/// Where the bytes go that are written to a path.
///
/// Only a plain file is replaced. A link is followed, and what it leads to is replaced; a device or a pipe is written
/// to, as a shell does; `/dev/stdout` and its like are this process's own descriptors, which are not opened anew: a file
/// behind them goes on where it is.
enum OutputPlace {
  /// A plain file that is made or replaced, links followed, with the permissions of the file that was there.
  case file(path: String, permissions: mode_t?)
  /// Something that takes bytes and cannot be replaced.
  case device(path: String)
  /// A descriptor of this process.
  case descriptor(Int32)

  /// The place that `path` means; throws when it is a folder, or links lead nowhere.
  init(path: String) throws(FileProblem) {
    var path = path
    // As many links as Linux follows.
    for _ in 0..<40 {
      if let number = Self.ownDescriptor(path) {
        self = .descriptor(number)
        return
      }
      var status = stat()
      guard lstat(path, &status) == 0 else {
        self = .file(path: path, permissions: nil)
        return
      }
      switch status.st_mode & S_IFMT {
      case S_IFREG:
        self = .file(path: path, permissions: status.st_mode & 0o777)
        return
      case S_IFDIR:
        throw FileProblem(path: path, sentence: "it is a folder, and a file is to be written", cause: .system)
      case S_IFLNK: path = try Self.target(ofLink: path)
      default:
        self = .device(path: path)
        return
      }
    }
    throw FileProblem(path: path, sentence: "links lead in a circle", cause: .system)
  }

  /// Whether what is written there stays at a path of its own.
  var isFile: Bool { if case .file = self { true } else { false } }

  /// The descriptor of this process that `path` stands for, before links are followed: those links lead to no path.
  private static func ownDescriptor(_ path: String) -> Int32? {
    switch path {
    case "/dev/stdin": return 0
    case "/dev/stdout": return 1
    case "/dev/stderr": return 2
    default: break
    }
    guard let slash = path.lastIndex(of: "/"), let number = Int32(path[path.index(after: slash)...]),
      let folder = realpath(String(path[..<slash]), nil)
    else { return nil }
    defer { free(folder) }
    let name = String(cString: folder)
    return name == "/proc/\(getpid())/fd" || name == "/dev/fd" ? number : nil
  }

  private static func target(ofLink path: String) throws(FileProblem) -> String {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink(path, &bytes, bytes.count - 1)
    guard count > 0 else { throw FileProblem.ofSystem(path: path, "cannot follow the link") }
    let target = String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    if target.hasPrefix("/") { return target }
    guard let slash = path.lastIndex(of: "/") else { return target }
    return path[...slash] + target
  }
}

/// Whether a file written to `path` would stay there: not so for a device, a pipe or a descriptor of this process.
public func isFilePlace(_ path: String) -> Bool {
  (try? OutputPlace(path: path))?.isFile ?? true
}
