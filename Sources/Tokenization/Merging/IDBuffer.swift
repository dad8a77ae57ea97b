/// Ids on their way out; grows by doubling and is kept between texts.
struct IDBuffer {
  private(set) var base: UnsafeMutablePointer<Int32>
  private(set) var count = 0
  private var capacity = 1024

  init() { base = .allocate(capacity: capacity) }

  func deallocate() { base.deallocate() }

  mutating func removeAll() { count = 0 }

  /// Takes back what was appended since there were `earlier` ids.
  mutating func truncate(to earlier: Int) { count = min(count, earlier) }

  /// Gives back the room that one long text needed.
  mutating func shrink() {
    guard capacity > 1 << 16 else { return }
    base.deallocate()
    capacity = 1024
    base = .allocate(capacity: capacity)
    count = 0
  }

  @inline(__always)
  mutating func append(_ id: Int32) {
    if count == capacity { grow(to: count + 1) }
    base[count] = id
    count += 1
  }

  mutating func append(contentsOf ids: UnsafePointer<Int32>, _ more: Int) {
    if count + more > capacity { grow(to: count + more) }
    (base + count).update(from: ids, count: more)
    count += more
  }

  @inline(never)
  private mutating func grow(to least: Int) {
    capacity = max(least, capacity * 2)
    let larger = UnsafeMutablePointer<Int32>.allocate(capacity: capacity)
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
  }
}
