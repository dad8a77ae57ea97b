import Kernels

/// What all steps of a pass share.
public struct Pass {
  /// The rows of each axis of the plan, by index.
  public var batches: UnsafeMutableBufferPointer<AxisBatch>
  /// Whether gradients of learned tensors hold nothing before backward, rather than those of passes before.
  public var startsGradients = false
  /// For each sequence, its states by index of the plan's states; empty when nothing is cached.
  public var states: UnsafeBufferPointer<UnsafePointer<BoundState>>
  /// The workers.
  public var pool: ThreadPool
  /// The workers' scratch memory, `scratchWidth` elements for each.
  public var scratch: UnsafeMutablePointer<Float>
  /// Elements of scratch memory for each worker.
  public var scratchWidth: Int
  /// The scratch memory that all workers share; it is not the workers' own.
  public var sharedScratch: UnsafeMutablePointer<Float>
  /// The least work that is worth a worker, whatever a step says: 1 divides even small work, to see that it may be.
  public var mostGrain = Int.max

  /// A pass over this memory.
  public init(
    batches: UnsafeMutableBufferPointer<AxisBatch>, states: UnsafeBufferPointer<UnsafePointer<BoundState>>,
    pool: ThreadPool, scratch: UnsafeMutablePointer<Float>, scratchWidth: Int,
    sharedScratch: UnsafeMutablePointer<Float>
  ) {
    self.batches = batches
    self.states = states
    self.pool = pool
    self.scratch = scratch
    self.scratchWidth = scratchWidth
    self.sharedScratch = sharedScratch
  }

  func parallel(_ count: Int, grain: Int, _ body: (Range<Int>, Worker) -> Void) {
    let workers = max(1, min(pool.threads, count / max(1, min(grain, mostGrain))))
    if workers == 1 {
      if count > 0 { body(0..<count, Worker(index: 0, scratch: scratch)) }
      return
    }
    pool.run(workers) { indices in
      for index in indices {
        let range = count * index / workers..<count * (index + 1) / workers
        body(range, Worker(index: index, scratch: scratch + index * scratchWidth))
      }
    }
  }
}
