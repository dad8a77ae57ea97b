/// A binary heap of pairs, `rank << 32 | place`, the smallest first: the best rank, and of equal ranks the leftmost.
struct PairQueue {
  private let pairs: UnsafeMutablePointer<UInt64>
  private let capacity: Int
  private(set) var count = 0

  /// Memory that is never written costs nothing, so the room for the worst case is taken at once.
  init(capacity: Int) {
    self.capacity = max(1, capacity)
    pairs = .allocate(capacity: self.capacity)
  }

  func deallocate() { pairs.deallocate() }

  /// Appends without keeping the order; `order` must follow.
  mutating func appendUnordered(_ pair: UInt64) {
    precondition(count < capacity, "more than \(capacity) pairs of neighbours wait for merging")
    pairs[count] = pair
    count += 1
  }

  /// Makes a heap of what has been appended.
  mutating func order() {
    var place = count / 2
    while place > 0 {
      place -= 1
      sink(pairs[place], from: place)
    }
  }

  mutating func insert(_ pair: UInt64) {
    precondition(count < capacity, "more than \(capacity) pairs of neighbours wait for merging")
    var place = count
    count += 1
    while place > 0 {
      let parent = (place - 1) / 2
      guard pairs[parent] > pair else { break }
      pairs[place] = pairs[parent]
      place = parent
    }
    pairs[place] = pair
  }

  mutating func removeFirst() -> UInt64? {
    guard count > 0 else { return nil }
    let first = pairs[0]
    count -= 1
    if count > 0 { sink(pairs[count], from: 0) }
    return first
  }

  private func sink(_ pair: UInt64, from start: Int) {
    var place = start
    while true {
      var child = 2 * place + 1
      guard child < count else { break }
      if child + 1 < count, pairs[child + 1] < pairs[child] { child += 1 }
      guard pairs[child] < pair else { break }
      pairs[place] = pairs[child]
      place = child
    }
    pairs[place] = pair
  }
}
