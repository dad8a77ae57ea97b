import CKernels

/// The time during which one thread has a pool to itself: jobs in a row, and memory that stays between sessions.
struct PoolSession {
  let pool: OpaquePointer
  /// The threads that take part.
  let threads: Int
  /// The most parts a job may have. Parts beyond one per thread let those that are done early help the others.
  var mostParts: Int { threads * Int(CK_POOL_SHARE) }

  /// Runs `body(part, thread)` for each part in `0..<parts` and returns when all are done. No two parts that run at once
  /// have the same thread, which is in `0..<threads`.
  func run(parts: Int, _ body: (Int, Int) -> Void) {
    precondition(parts <= mostParts, "\(parts) parts for \(threads) threads")
    if parts <= 1 || threads == 1 {
      for part in 0..<max(0, parts) { body(part, 0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      var job = body
      withUnsafeMutablePointer(to: &job) { job in
        ck_pool_run(
          pool, Int32(parts),
          { context, part, thread in
            context.assumingMemoryBound(to: ((Int, Int) -> Void).self).pointee(Int(part), Int(thread))
          }, job)
      }
    }
  }

  /// At least `count` floats that all threads share.
  func sharedFloats(_ count: Int) -> UnsafeMutablePointer<Float> { floats(count, slot: 0) }

  /// At least `count` floats of one thread.
  func floats(_ count: Int, thread: Int) -> UnsafeMutablePointer<Float> { floats(count, slot: 1 + thread) }

  private func floats(_ count: Int, slot: Int) -> UnsafeMutablePointer<Float> {
    let bytes = max(1, count) * MemoryLayout<Float>.stride
    guard let memory = ck_pool_scratch(pool, Int32(slot), bytes) else {
      preconditionFailure("no memory for \(bytes) bytes")
    }
    return memory.assumingMemoryBound(to: Float.self)
  }
}
