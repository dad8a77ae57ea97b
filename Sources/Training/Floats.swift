import Essentials
import Execution

/// Zeroed numbers in memory of their own.
package final class Floats {
  package let base: UnsafeMutablePointer<Float>
  package let count: Int

  /// `count` zeros; throws when the system has no room for them.
  package init(count: Int) throws(ExecutionProblem) {
    // calloc, and not Swift's own allocation, which ends the process when it fails.
    guard let memory = calloc(max(1, count), MemoryLayout<Float>.stride) else {
      throw .memory(bytes: count * MemoryLayout<Float>.stride)
    }
    base = memory.bindMemory(to: Float.self, capacity: max(1, count))
    self.count = count
  }

  deinit { free(base) }
}
