import CKernels

/// Threads that share the work of one loop; the caller is one of them.
///
/// Workers spin for some 80 µs after a job and then sleep, so a chain of short jobs pays no wake-up and an idle pool
/// costs nothing. The pieces of a loop depend on the count and the number of threads alone, so results do too. Threads
/// that call `run` at once take turns; a `run` inside a piece runs there, on its own thread.
public final class ThreadPool: Sendable {
  /// The number of threads that take part, the caller included.
  public let threads: Int

  // The pointer never changes, and the pool behind it orders its users by its own lock and atomics.
  private nonisolated(unsafe) let pool: OpaquePointer

  /// A pool of `threads` threads, at least one and at most 1,024.
  public init(threads: Int) {
    guard let pool = ck_pool_create(Int32(clamping: threads)) else {
      preconditionFailure("no memory for a thread pool")
    }
    self.pool = pool
    self.threads = Int(ck_pool_threads(pool))
  }

  deinit { ck_pool_destroy(pool) }

  /// One thread per core this process may use, within the share of time its container is given.
  public static func preferredThreadCount() -> Int { Int(ck_processor_count()) }

  /// Splits `0..<count` into at most `threads` pieces of at least `grain` and runs `body` on each; returns when all are
  /// done. Runs inline when `count <= grain` or there is one thread.
  public func run(_ count: Int, grain: Int = 1, _ body: (Range<Int>) -> Void) {
    guard count > 0 else { return }
    let parts = min(threads, max(1, count / max(1, grain)))
    if parts == 1 { return body(0..<count) }
    exclusively { session in
      if session.threads == 1 { return body(0..<count) }
      runClosure(session.pool, Int32(parts)) { part in body(piece(part, of: parts, count: count)) }
    }
  }

  /// Keeps the pool for several jobs in a row and their memory. Inside another job the session has one thread.
  func exclusively(_ body: (PoolSession) -> Void) {
    if ck_pool_enter(pool) {
      defer { ck_pool_leave(pool) }
      body(PoolSession(pool: pool, threads: threads))
    } else {
      let alone = ThreadPool(threads: 1)
      body(PoolSession(pool: alone.pool, threads: 1))
    }
  }
}

/// Piece `part` of `parts` nearly equal ones of `0..<count`, each but the last starting at a multiple of `multiple`.
func piece(_ part: Int, of parts: Int, count: Int, multiple: Int = 1) -> Range<Int> {
  let units = (count + multiple - 1) / multiple
  let (each, extra) = units.quotientAndRemainder(dividingBy: parts)
  let first = part * each + min(part, extra)
  let last = first + each + (part < extra ? 1 : 0)
  return min(count, first * multiple)..<min(count, last * multiple)
}

/// Runs `body` for 0..<parts on the threads of `pool`, which this thread has entered.
///
/// A closure that does not outlive the call is two words, which C hands on to the threads; made escaping instead, it would
/// be an object on the heap for each loop of each step. The calling convention of both sides is Swift's own: `swiftcall`.
@_silgen_name("ck_pool_run_closure")
private func runClosure(_ pool: OpaquePointer, _ parts: Int32, _ body: (Int) -> Void)
