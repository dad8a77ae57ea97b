import Essentials

/// Brings what is in the folder at `path`, its names, to the disk. Some file systems cannot; that is no error.
public func synchronizeFolder(_ path: String) {
  let opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard opened >= 0 else { return }
  fsync(opened)
  close(opened)
}

/// Removes the temporary files in the folder at `path` that nobody has written to for a day: what processes that were
/// killed have left. What cannot be removed stays.
public func removeStaleFiles(in path: String) {
  let now = time(nil)
  for name in (try? namesInFolder(path)) ?? [] where name.hasSuffix(".tmp") {
    guard kind(ofPath: path + "/" + name) == .file, let stamp = FileStamp(path: path + "/" + name) else { continue }
    if now - stamp.written / 1_000_000_000 > 24 * 3600 { unlink(path + "/" + name) }
  }
}

/// Gives what stands at `path` the name `target`, at once; an older file or link there is replaced.
public func renameItem(_ path: String, to target: String) throws(FileProblem) {
  guard rename(path, target) == 0 else {
    throw FileProblem.ofSystem(path: target, "cannot put it in place")
  }
}

/// Removes the folder at `path` with all that is in it; links are removed, not followed. Nothing happens where there is
/// none.
public func removeFolder(_ path: String) throws(FileProblem) {
  guard kind(ofPath: path) == .folder else { return }
  for name in try namesInFolder(path) {
    let item = path + "/" + name
    var status = stat()
    if lstat(item, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      try removeFolder(item)
    } else {
      try removeFile(item)
    }
  }
  guard rmdir(path) == 0 || errno == ENOENT else {
    throw FileProblem.ofSystem(path: path, "cannot remove the folder")
  }
}

/// Makes a link at `path` that leads to `target`, in place of an older file or link, at once.
public func placeLink(at path: String, to target: String) throws(FileProblem) {
  let temporary = path + ".\(getpid()).tmp"
  unlink(temporary)
  guard symlink(target, temporary) == 0 else {
    throw FileProblem.ofSystem(path: path, "cannot make the link")
  }
  if rename(temporary, path) != 0 {
    let problem = FileProblem.ofSystem(path: path, "cannot put the link in place")
    unlink(temporary)
    throw problem
  }
}

/// A lock on the file at `path`, held while the object lives; nil when another process holds it.
public final class FileLock: Sendable {
  private let descriptor: Int32

  /// Takes the lock, making the file where it is missing; throws when the system cannot.
  public init?(path: String) throws(FileProblem) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileProblem.ofSystem(path: path, "cannot open the file") }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let isHeld = errno == EWOULDBLOCK
      close(descriptor)
      // A file system without locks has none that could be held.
      if isHeld { return nil }
      throw FileProblem.ofSystem(path: path, "cannot lock the file")
    }
  }

  deinit { close(descriptor) }
}

/// A file that grows at its end, each line whole or not at all as far as the system goes.
public final class AppendedFile {
  private let path: String
  private let descriptor: Int32

  /// Opens the file at `path`, making it where it is missing.
  public init(path: String) throws(FileProblem) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileProblem.ofSystem(path: path, "cannot open the file") }
  }

  deinit { close(descriptor) }

  /// Appends `bytes`, in one call to the system where it takes them at once.
  public func append(_ bytes: [UInt8]) throws(FileProblem) {
    if let number = bytes.withUnsafeBytes({ writeAll($0, to: descriptor) }) {
      throw FileProblem.ofSystem(path: path, "cannot write the file", number: number)
    }
  }

  /// Brings what was appended to the disk.
  public func synchronize() throws(FileProblem) {
    guard fsync(descriptor) == 0 else {
      throw FileProblem.ofSystem(path: path, "cannot bring the file to the disk")
    }
  }
}
