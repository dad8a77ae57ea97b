import Synchronization

/// A number that several tasks add to.
final class Counter: Sendable {
  private let number: Mutex<Int>

  init(_ value: Int) { number = Mutex(value) }

  func add(_ value: Int) { number.withLock { $0 += value } }
  var value: Int { number.withLock { $0 } }
}
