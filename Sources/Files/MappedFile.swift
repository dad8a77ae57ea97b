import Essentials

/// A file's bytes, mapped read-only: nothing is read before it is used, and nothing is copied.
///
/// The bytes are valid while this object lives: whoever keeps a pointer into them keeps the object too. A file that
/// another program shortens while it is mapped ends this process (SIGBUS), which no reader of mapped memory can
/// prevent; files that this package writes are replaced by rename and never shortened.
///
/// Sendable although it holds a pointer: the memory is read-only and the address never changes.
public final class MappedFile: @unchecked Sendable {
  /// The path the file was opened by.
  public let path: String
  /// Every byte of the file.
  public let bytes: UnsafeRawBufferPointer
  /// Bytes without a file behind them would be lost when given back.
  private let isFile: Bool

  /// Maps the file at `path`; throws when it is missing, unreadable or not a regular file.
  public init(path: String) throws(FileProblem) {
    // O_NONBLOCK: opening a named pipe must not wait for a writer.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      let isMissing = errno == ENOENT || errno == ENOTDIR
      throw FileProblem(
        path: path, sentence: "cannot open the file: \(String(cString: strerror(errno)))",
        cause: isMissing ? .missing : .system)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FileProblem.ofSystem(path: path, "cannot read the file's size")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FileProblem(path: path, sentence: "not a regular file")
    }
    let count = Int(status.st_size)
    self.path = path
    isFile = true
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
      throw FileProblem.ofSystem(path: path, "cannot map the file's \(count) bytes")
    }
    bytes = UnsafeRawBufferPointer(start: base, count: count)
  }

  /// Bytes that lie in memory only, called `name` in messages; for content that was made rather than read.
  public init(copying content: [UInt8], name: String) throws(FileProblem) {
    path = name
    isFile = false
    guard !content.isEmpty else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, content.count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      base != MAP_FAILED
    else {
      throw FileProblem.ofSystem(path: name, "cannot hold \(content.count) bytes")
    }
    base.copyMemory(from: content, byteCount: content.count)
    mprotect(base, content.count, PROT_READ)
    bytes = UnsafeRawBufferPointer(start: base, count: content.count)
  }

  /// Tells the system that the bytes in `range` are not needed for now: their memory may be reused, their content
  /// stays.
  public func adviseUnneeded(_ range: Range<Int>) {
    guard isFile, let base = bytes.baseAddress else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let range = range.clamped(to: 0..<bytes.count)
    // Only whole pages: the first and last may be shared with a neighbour that is still in use.
    let first = (range.lowerBound + page - 1) / page * page
    let last = range.upperBound == bytes.count ? range.upperBound : range.upperBound / page * page
    guard first < last else { return }
    _ = madvise(UnsafeMutableRawPointer(mutating: base + first), last - first, Int32(MADV_DONTNEED))
  }

  deinit {
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
  }
}
