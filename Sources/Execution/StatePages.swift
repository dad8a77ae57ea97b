import Essentials
import Kernels

/// Zeroed memory of a sequence's states, whose first pages another sequence can have, too, without a copy.
///
/// Pages that are never touched take none. What can be lent is a file that has no name; a borrower maps pages of it over its
/// own, and would get a page of its own where it wrote. A careful reader's mistake: rows do not end where pages do, so the
/// last rows that are lent are copied.
final class StatePages {
  let base: UnsafeMutableRawPointer
  let byteCount: Int
  /// The file; −1 where its pages cannot be lent.
  private let file: Int32

  /// `bytes` zeros, to be lent if the system can; throws when it has no room for them.
  init(bytes: Int, lending: Bool) throws(ExecutionProblem) {
    byteCount = max(Self.pageBytes, bytes)
    let file = lending ? fileOfPages(bytes: byteCount) ?? -1 : -1
    let flags = file >= 0 ? MAP_SHARED : MAP_PRIVATE | anonymous
    guard let memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, file, 0), memory != MAP_FAILED else {
      if file >= 0 { close(file) }
      if let available = AvailableMemory.bytes { throw .tooLittleMemory(needed: byteCount, available: available) }
      throw .memory(bytes: byteCount)
    }
    (base, self.file) = (memory, file)
  }

  deinit {
    munmap(base, byteCount)
    if file >= 0 { close(file) }
  }

  /// Bytes of a page.
  static let pageBytes = max(4096, Int(sysconf(Int32(_SC_PAGESIZE))))
  /// The whole pages of the first `bytes`.
  static func wholePages(_ bytes: Int) -> Int { bytes / pageBytes * pageBytes }

  /// Maps `count` bytes from `start` on over those of `other` from `place` on, all of them whole pages; false, and nothing is
  /// changed, where that cannot be.
  func lend(from start: Int, count: Int, to other: StatePages, at place: Int) -> Bool {
    guard file >= 0, count > 0, start + count <= byteCount, place + count <= other.byteCount else { return false }
    let mapped = mmap(
      other.base + place, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file, off_t(start))
    return mapped != MAP_FAILED
  }

  /// Gives back the memory of the bytes `range`, in whole pages, that nobody reads any more.
  func forget(_ range: Range<Int>) {
    let from = (range.lowerBound + Self.pageBytes - 1) / Self.pageBytes * Self.pageBytes
    let to = Self.wholePages(range.upperBound)
    guard file >= 0, from < to else { return }
    #if os(Linux)
      madvise(base + from, to - from, Int32(MADV_REMOVE))
    #endif
  }
}

#if os(Linux)
  private let anonymous = Int32(MAP_ANONYMOUS)
#else
  private let anonymous = Int32(MAP_ANON)
#endif
