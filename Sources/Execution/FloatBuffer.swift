import Essentials

/// Zeroed numbers in memory of its own; pages that are never touched take none.
///
/// Sendable although it holds a pointer: whoever shares a buffer decides who writes which part of it.
final class FloatBuffer: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  let count: Int
  private let byteCount: Int

  /// From here on it is asked first whether there is memory: 64 MiB.
  static let largeBytes = 1 << 26

  /// `count` zeros; throws when the system has no room for them.
  init(count: Int) throws(ExecutionProblem) {
    let (bytes, overflow) = max(1, count).multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
    if overflow || count < 0 { throw .memory(bytes: Int.max) }
    // The system gives addresses that it has no memory for, and ends the process when they are used.
    if bytes >= Self.largeBytes { try AvailableMemory.require(bytes) }
    guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | anonymous, -1, 0), memory != MAP_FAILED
    else {
      if let available = AvailableMemory.bytes { throw .tooLittleMemory(needed: bytes, available: available) }
      throw .memory(bytes: bytes)
    }
    self.base = memory.bindMemory(to: Float.self, capacity: max(1, count))
    self.count = count
    byteCount = bytes
  }

  deinit { munmap(base, byteCount) }

  /// Asks for huge pages, which are first written several times as fast as small ones.
  func useHugePages() {
    #if os(Linux)
      madvise(base, byteCount, Int32(MADV_HUGEPAGE))
    #endif
  }
}

#if os(Linux)
  private let anonymous = Int32(MAP_ANONYMOUS)
#else
  private let anonymous = Int32(MAP_ANON)
#endif
