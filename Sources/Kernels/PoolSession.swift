import CKernels

/// What the threads of a pool do together, in numbered parts.
///
/// A value rather than a closure: a closure that other threads call would be a new object for each job.
protocol PoolJob {
  /// Does part `part` as thread `thread`.
  func run(part: Int, thread: Int)
  /// The same for the job at `job`; the default is right.
  static func run(_ job: UnsafeRawPointer, part: Int, thread: Int)
}

extension PoolJob {
  static func run(_ job: UnsafeRawPointer, part: Int, thread: Int) {
    job.assumingMemoryBound(to: Self.self).pointee.run(part: part, thread: thread)
  }
}

/// A job whose type is not known.
private struct AnyPoolJob {
  let type: any PoolJob.Type
  let job: UnsafeRawPointer
}

/// The time during which one thread has a pool to itself: jobs in a row, and memory that stays between sessions.
struct PoolSession {
  let pool: OpaquePointer
  /// The threads that take part.
  let threads: Int
  /// The most parts a job may have. Parts beyond one per thread let those that are done early help the others.
  var mostParts: Int { threads * Int(CK_POOL_SHARE) }

  /// Runs `job` for each part in `0..<parts` and returns when all are done. No two parts that run at once have the same
  /// thread, which is in `0..<threads`.
  func run(parts: Int, _ job: some PoolJob) {
    precondition(parts <= mostParts, "\(parts) parts for \(threads) threads")
    if parts <= 1 || threads == 1 {
      for part in 0..<max(0, parts) { job.run(part: part, thread: 0) }
      return
    }
    withUnsafePointer(to: job) { pointer in
      var job = AnyPoolJob(type: type(of: job), job: UnsafeRawPointer(pointer))
      ck_pool_run(
        pool, Int32(parts),
        { context, part, thread in
          let job = context.assumingMemoryBound(to: AnyPoolJob.self).pointee
          job.type.run(job.job, part: Int(part), thread: Int(thread))
        }, &job)
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
