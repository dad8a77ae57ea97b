#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Counts the objects that Swift allocates on one thread: arrays, closures' contexts, boxes.
///
/// By the runtime's own hook for instruments, which stays in place afterwards and passes everything on. Installing it while
/// other threads run ends the process, so the tests that count run by themselves:
/// `CHIMERA_COUNT_ALLOCATIONS=1 swift test -c release --disable-testable-imports --filter AllocationTests`.
enum AllocationCounter {
  fileprivate typealias Allocate = @convention(c) (UnsafeRawPointer, Int, Int) -> UnsafeMutableRawPointer

  /// Whether this Swift runtime has the hook.
  static let isAvailable: Bool = {
    guard getenv("CHIMERA_COUNT_ALLOCATIONS") != nil,
      let hook = dlsym(nil, "_swift_allocObject"),
      let enable = dlsym(nil, "_swift_enableSwizzlingOfAllocationAndRefCountingFunctions_forInstrumentsOnly")
    else { return false }
    let function = hook.assumingMemoryBound(to: Allocate.self)
    original = function.pointee
    function.pointee = { metadata, size, alignment in
      if let watched, pthread_equal(watched, pthread_self()) != 0 { counted += 1 }
      guard let original else { abort() }
      return original(metadata, size, alignment)
    }
    enable.assumingMemoryBound(to: Bool.self).pointee = true
    return true
  }()

  /// The objects that this thread allocates in `body`, where the hook is; one test at a time.
  static func objects(allocatedIn body: () -> Void) -> Int {
    counted = 0
    watched = pthread_self()
    body()
    watched = nil
    return counted
  }
}

// Written by the one test that counts, and by its thread alone; other threads compare themselves with `watched`.
nonisolated(unsafe) private var original: AllocationCounter.Allocate?
nonisolated(unsafe) private var watched: pthread_t?
nonisolated(unsafe) private var counted = 0
