import CKernels

/// The time during which one thread has a pool to itself: jobs in a row, and memory that stays between sessions.
struct PoolSession {
  let pool: OpaquePointer
  /// The most parts a job may have.
  let threads: Int

  /// Runs `body` for each part in `0..<parts`, on as many threads, and returns when all are done.
  func run(parts: Int, _ body: (Int) -> Void) {
    if parts <= 1 || threads == 1 {
      for part in 0..<max(0, parts) { body(part) }
      return
    }
    withoutActuallyEscaping(body) { body in
      var job = body
      withUnsafeMutablePointer(to: &job) { job in
        ck_pool_run(
          pool, Int32(parts),
          { context, part in context.assumingMemoryBound(to: ((Int) -> Void).self).pointee(Int(part)) }, job)
      }
    }
  }

  /// At least `count` floats that all parts share.
  func sharedFloats(_ count: Int) -> UnsafeMutablePointer<Float> { floats(count, slot: 0) }

  /// At least `count` floats of one part.
  func floats(_ count: Int, part: Int) -> UnsafeMutablePointer<Float> { floats(count, slot: 1 + part) }

  private func floats(_ count: Int, slot: Int) -> UnsafeMutablePointer<Float> {
    let bytes = max(1, count) * MemoryLayout<Float>.stride
    guard let memory = ck_pool_scratch(pool, Int32(slot), bytes) else {
      preconditionFailure("no memory for \(bytes) bytes")
    }
    return memory.assumingMemoryBound(to: Float.self)
  }
}
