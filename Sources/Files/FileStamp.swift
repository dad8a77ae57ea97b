import Essentials

/// What the system says of a file without reading it, by which a changed file shows.
public struct FileStamp: Sendable, Hashable {
  /// Bytes.
  public let size: Int
  /// The device and the file's number on it: a file that was replaced has another.
  public let identity: String
  /// When its contents were written, in nanoseconds since 1970.
  public let written: Int
  /// When anything of it was changed, its times too, in nanoseconds since 1970.
  public let changed: Int

  /// Of the file at `path`, links followed; nil where there is none.
  public init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    func nanoseconds(_ time: timespec) -> Int { time.tv_sec * 1_000_000_000 + time.tv_nsec }
    #if os(Linux)
      (written, changed) = (nanoseconds(status.st_mtim), nanoseconds(status.st_ctim))
    #else
      (written, changed) = (nanoseconds(status.st_mtimespec), nanoseconds(status.st_ctimespec))
    #endif
    size = Int(status.st_size)
    identity = "\(status.st_dev)/\(status.st_ino)"
  }
}
