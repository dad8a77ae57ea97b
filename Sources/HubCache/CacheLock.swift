import Essentials
import Files

/// A lock on a file of the cache's folder `.locks`, held while the object lives: by `flock`, as the Hugging Face tools take
/// it. It is a courtesy, not a proof: file systems of clusters are known to grant it twice, so nothing is right only
/// because it is held.
public final class CacheLock: Sendable {
  private let descriptor: Int32
  /// Whether the file system has locks at all.
  public let isHeld: Bool

  /// Takes the lock at `path`, making its file and its folder; `waiting` is called once, before it waits for another
  /// process. With `isShared` others may hold it shared too. Nil when it is held elsewhere and `waits` is false.
  public init?(path: String, isShared: Bool = false, waits: Bool = true, waiting: () -> Void = {}) throws(FileProblem) {
    if let slash = path.lastIndex(of: "/") { try makeFolder(String(path[..<slash])) }
    var told = false
    while true {
      let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      guard opened >= 0 else {
        throw FileProblem(
          path: path, sentence: "cannot open the lock: \(String(cString: strerror(errno)))", cause: .system)
      }
      let kind = isShared ? LOCK_SH : LOCK_EX
      var result = flock(opened, kind | LOCK_NB)
      if result != 0, errno == EWOULDBLOCK {
        guard waits else {
          close(opened)
          return nil
        }
        if !told { waiting() }
        told = true
        repeat { result = flock(opened, kind) } while result != 0 && errno == EINTR
      }
      if result != 0 {
        // No locks here: each process writes a file of its own and puts it in place by renaming, which needs none.
        (descriptor, isHeld) = (opened, false)
        return
      }
      // Whoever held it may have removed the file; then another process could lock another file of the same name.
      var (own, there) = (stat(), stat())
      if fstat(opened, &own) == 0, stat(path, &there) == 0, own.st_ino == there.st_ino, own.st_dev == there.st_dev {
        (descriptor, isHeld) = (opened, true)
        return
      }
      close(opened)
    }
  }

  deinit { close(descriptor) }
}

extension SharedCache {
  /// The lock that is held while the bytes called `hash` arrive.
  public func lockPath(_ hash: String, of repository: RepositoryName) -> String {
    "\(root)/.locks/\(repository.folder)/\(hash).lock"
  }

  /// The lock that a fetch holds shared and a removal exclusively; the Hugging Face tools have none like it.
  public func repositoryLockPath(_ repository: RepositoryName) -> String {
    "\(root)/.locks/\(repository.folder)/chimera.lock"
  }
}
