import Formats
import Foundation
import Kernels
import Synchronization
import Testing

/// What pieces a loop was given.
private final class Record: Sendable {
  private let pieces = Mutex<[Range<Int>]>([])
  func add(_ piece: Range<Int>) { pieces.withLock { $0.append(piece) } }
  var sorted: [Range<Int>] { pieces.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } } }
}

private final class Counter: Sendable {
  let value = Atomic<Int>(0)
}

@Suite struct ThreadPoolTests {
  @Test("every index is given exactly once, in the same pieces each time", arguments: [1, 2, 3, 4, 7])
  func everyIndexOnce(threads: Int) {
    let pool = ThreadPool(threads: threads)
    #expect(pool.threads == threads)
    for count in [0, 1, 2, 3, 7, 8, 31, 64, 65, 1000] {
      for grain in [0, 1, 3, 16, 1000] {
        var seen: [[Range<Int>]] = []
        for _ in 0..<5 {
          let record = Record()
          pool.run(count, grain: grain) { record.add($0) }
          seen.append(record.sorted)
        }
        #expect(seen[0].flatMap { Array($0) } == Array(0..<count))
        #expect(seen.allSatisfy { $0 == seen[0] })
        #expect(seen[0].count <= threads && (seen[0].count <= 1 || seen[0].allSatisfy { $0.count >= grain }))
      }
    }
  }

  @Test("a loop no larger than its grain runs on the caller")
  func inline() {
    let pool = ThreadPool(threads: 2), caller = pthread_self()
    pool.run(8, grain: 8) { _ in #expect(pthread_equal(pthread_self(), caller) != 0) }
  }

  @Test("a loop inside a piece runs there, and a product inside a piece works")
  func nested() {
    let pool = ThreadPool(threads: 3), record = Record()
    pool.run(6) { outer in
      for i in outer { pool.run(10) { for j in $0 { record.add(10 * i + j..<10 * i + j + 1) } } }
      let w: [Float] = [1, 2, 3, 4], x = [Float](repeating: 1, count: 40)
      var y = [Float](repeating: 0, count: 40)
      w.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        matmul(
          x, stride: 2, rows: 20, by: WeightMatrix(base: base, format: .f32, rows: 2, columns: 2), bias: nil, into: &y,
          stride: 2, accumulate: false, in: .stored, pool: pool)
      }
      #expect(y == (0..<40).map { $0 % 2 == 0 ? 3 : 7 })
    }
    #expect(record.sorted.map(\.lowerBound) == Array(0..<60))
  }

  @Test("threads that run loops at once take turns")
  func twoCallers() {
    let pool = ThreadPool(threads: 2), total = Counter(), within = Counter()
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      for _ in 0..<500 {
        pool.run(2) { piece in
          let others = within.value.add(1, ordering: .sequentiallyConsistent).newValue
          #expect(others <= 2)
          total.value.add(piece.count, ordering: .relaxed)
          within.value.subtract(1, ordering: .sequentiallyConsistent)
        }
      }
    }
    #expect(total.value.load(ordering: .relaxed) == 4000)
  }

  // Each piece waits until the others have begun, so a worker that misses its wake-up is missed. The pauses fall
  // before, around and after the moment at which workers go to sleep.
  @Test("no wake-up is lost", arguments: [2, 3])
  func wakeUps(threads: Int) {
    let finished = DispatchSemaphore(value: 0), met = Counter(), rounds = 600
    Thread.detachNewThread {
      let pool = ThreadPool(threads: threads)
      var numbers = Numbers(seed: 50)
      for _ in 0..<rounds {
        let begun = Counter()
        pool.run(threads) { _ in
          begun.value.add(1, ordering: .sequentiallyConsistent)
          let patience = Date(timeIntervalSinceNow: 20)
          while begun.value.load(ordering: .sequentiallyConsistent) < threads && Date() < patience {}
          if begun.value.load(ordering: .sequentiallyConsistent) == threads { met.value.add(1, ordering: .relaxed) }
        }
        usleep(UInt32(numbers.bits() % 200))
      }
      finished.signal()
    }
    #expect(finished.wait(timeout: .now() + 100) == .success, "the pool hangs")
    #expect(met.value.load(ordering: .relaxed) == rounds * threads, "some pieces never met the others")
  }

  @Test("pools come and go")
  func manyPools() {
    for round in 0..<200 {
      let pool = ThreadPool(threads: 1 + round % 5), total = Counter()
      if round % 3 > 0 { pool.run(100) { total.value.add($0.count, ordering: .relaxed) } }
      #expect(total.value.load(ordering: .relaxed) == (round % 3 > 0 ? 100 : 0))
    }
    #expect(ThreadPool(threads: -3).threads == 1)
    #expect(ThreadPool.preferredThreadCount() >= 1)
  }
}
