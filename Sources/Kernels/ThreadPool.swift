/// Threads that share the work of one loop. For now the caller does it all.
public final class ThreadPool: Sendable {
  /// The number of threads that take part, the caller included.
  public let threads: Int

  /// A pool of `threads` threads, at least one.
  public init(threads: Int) { self.threads = max(1, threads) }

  /// The number of threads that suits this machine.
  public static func preferredThreadCount() -> Int { 1 }

  /// Splits `0..<count` over the threads in pieces of at least `grain` and runs `body` on each piece.
  public func run(_ count: Int, grain: Int = 1, _ body: (Range<Int>) -> Void) {
    if count > 0 { body(0..<count) }
  }
}
