import Dispatch
import Synchronization

/// Work that another thread does while this one goes on.
final class Started<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, any Error>?>(nil)
  private let done = DispatchSemaphore(value: 0)

  /// Begins `work`.
  init(_ work: @escaping @Sendable () throws -> Value) {
    DispatchQueue.global(qos: .userInitiated).async {
      let value = Result(catching: work)
      self.result.withLock { $0 = value }
      self.done.signal()
    }
  }

  /// What the work gave, waited for; throws what it threw.
  var value: Value {
    get throws {
      while true {
        if let result = result.withLock({ $0 }) { return try result.get() }
        done.wait()
        done.signal()
      }
    }
  }
}
