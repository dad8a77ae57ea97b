/// Numbers that are written once and then only read, at an address that stays.
///
/// Sendable although it holds a pointer: nothing writes through it after `init`.
final class FrozenArray<Element: Sendable>: @unchecked Sendable {
  let base: UnsafePointer<Element>
  let count: Int

  init(_ elements: some Collection<Element>) {
    count = elements.count
    // One element at least: an empty collection needs an address too.
    let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(1, count))
    var next = memory
    for element in elements {
      next.initialize(to: element)
      next += 1
    }
    base = UnsafePointer(memory)
  }

  /// `count` times `element`, then changed by `fill` before anyone reads.
  init(repeating element: Element, count: Int, _ fill: (UnsafeMutablePointer<Element>) -> Void) {
    self.count = count
    let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(1, count))
    memory.initialize(repeating: element, count: count)
    fill(memory)
    base = UnsafePointer(memory)
  }

  deinit {
    UnsafeMutablePointer(mutating: base).deinitialize(count: count)
    base.deallocate()
  }
}
