import Files
import Foundation
import HubCache

/// Bytes of a blob that have arrived so far: `blobs/HASH.XXXXXXXX.incomplete`, a name that no other process has.
///
/// What an earlier process left is gone on with: it is renamed, which only one can do, and hashed again. Used by one task.
final class PartialFile {
  let path: String
  private let descriptor: Int32
  private let like: String
  private let size: Int
  private(set) var count = 0
  private(set) var hash: BlobHash
  /// Whether some of it was not received in one piece.
  private(set) var isPieced = false

  /// `continues` where nobody else can be at it: where the lock of the file is held.
  init(for file: RepositoryFile, in folder: String, continues: Bool) throws {
    let own = "\(folder)/\(file.hash).\(Self.name()).incomplete"
    let left = try namesInFolder(folder).filter { $0.hasPrefix(file.hash + ".") && $0.hasSuffix(".incomplete") }
      .map { folder + "/" + $0 }.filter { (HubCache.size(ofFile: $0) ?? 0) > 0 }
      .max { (HubCache.size(ofFile: $0) ?? 0) < (HubCache.size(ofFile: $1) ?? 0) }
    if continues, let left { _ = rename(left, own) }
    path = own
    like = file.hash
    size = file.size
    hash = BlobHash(like: like, size: size)
    descriptor = Foundation.open(own, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else { throw Self.problem(own, "cannot write the file") }
    let there = HubCache.size(ofFile: own) ?? 0
    if there > file.size { try restart() } else if there > 0 { try hashAgain(there) }
  }

  deinit { close(descriptor) }

  private static func name() -> String {
    let digits = String(UInt32.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  private func hashAgain(_ there: Int) throws {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while count < there {
      let read = buffer.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress, min($0.count, there - count), off_t(count))
      }
      if read < 0, errno == EINTR { continue }
      guard read > 0 else { return try restart() }
      buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0.prefix(read))) }
      count += read
    }
    isPieced = true
  }

  /// Begins anew.
  func restart() throws {
    guard ftruncate(descriptor, 0) == 0 else { throw Self.problem(path, "cannot shorten the file") }
    (count, hash, isPieced) = (0, BlobHash(like: like, size: size), false)
  }

  /// Says that what comes next comes from another connection.
  func willContinue() { if count > 0 { isPieced = true } }

  /// Appends `bytes`.
  func append(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count {
        // At its own place, whatever another process does to the file where locks are not kept.
        let result = pwrite(
          descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written, off_t(count + written))
        if result < 0, errno == EINTR { continue }
        guard result > 0 else { throw Self.problem(path, "cannot write the file") }
        written += result
      }
      hash.update(bytes)
    }
    count += bytes.count
  }

  /// Gives the whole file its name in the cache, when its bytes are on the disk.
  func finish(as blob: String) throws {
    guard fsync(descriptor) == 0 else { throw Self.problem(path, "cannot bring the file to the disk") }
    try renameItem(path, to: blob)
  }

  /// Removes what arrived.
  func discard() { unlink(path) }

  private static func problem(_ path: String, _ sentence: String) -> FileProblem {
    FileProblem(path: path, sentence: "\(sentence): \(String(cString: strerror(errno)))", cause: .system)
  }
}
