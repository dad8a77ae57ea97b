#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Whether `body` ends within half a minute of processor time on this thread.
///
/// It keeps quadratic growth out, not slowness: what it is asked of takes a second at most on a slow machine, and many
/// minutes if time grows with the square. Other tests and other programs do not lengthen a thread's processor time.
public func endsSoon(_ body: () throws -> Void) rethrows -> Bool {
  func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int(time.tv_sec)
  }
  let start = now()
  try body()
  return now() - start < 30
}
