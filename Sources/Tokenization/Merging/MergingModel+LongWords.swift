extension MergingModel {
  /// A symbol in a doubly linked list; `rank` is that of the merge with the next one.
  private struct Node {
    var id: Int32
    var start: Int32
    var previous: Int32
    var next: Int32  // -1 behind the last one; -2 when this node has been merged into its neighbour
    var rank: UInt32
  }

  // Ranks are positions in a list or ids, far below this.
  private static let noRank = UInt32.max
  private static let rankBits = UInt64.max << 32

  /// Merges a long word through a queue of pairs in O(n log n): quadratic time on a run of one character has stopped
  /// servers (openai/harmony issue 151, openai/tiktoken issue 195).
  @inline(never)
  func mergeLong(
    _ word: UnsafePointer<UInt8>, _ count: Int, findsMarks: Bool, _ hasMarks: inout Bool, to output: inout IDBuffer
  ) {
    // Places are 32-bit. Longer words are cut, which no text of a person's reaches: 2 GiB without a boundary.
    var done = 0
    while count - done > Int(Int32.max) - 16 {
      mergePart(word + done, 1 << 30, findsMarks: findsMarks, &hasMarks, to: &output)
      done += 1 << 30
    }
    mergePart(word + done, count - done, findsMarks: findsMarks, &hasMarks, to: &output)
  }

  private func mergePart(
    _ word: UnsafePointer<UInt8>, _ count: Int, findsMarks: Bool, _ hasMarks: inout Bool, to output: inout IDBuffer
  ) {
    let ids = UnsafeMutablePointer<Int32>.allocate(capacity: count)
    let starts = UnsafeMutablePointer<Int32>.allocate(capacity: count + 1)
    let symbolCount = fillSymbols(word, count, ids: ids, starts: starts, findsMarks: findsMarks, &hasMarks)
    let nodes = UnsafeMutablePointer<Node>.allocate(capacity: max(1, symbolCount))
    for place in 0..<symbolCount {
      let next = place + 1 < symbolCount ? Int32(truncatingIfNeeded: place + 1) : -1
      (nodes + place).initialize(
        to: Node(
          id: ids[place], start: starts[place], previous: Int32(truncatingIfNeeded: place) - 1, next: next,
          rank: Self.noRank))
    }
    ids.deallocate()
    starts.deallocate()
    defer { nodes.deallocate() }
    guard symbolCount > 0 else { return }

    let end = Int32(truncatingIfNeeded: count)
    func endOf(_ place: Int32) -> Int32 {
      let next = nodes[Int(place)].next
      return next < 0 ? end : nodes[Int(next)].start
    }
    func mergeWithNext(_ place: Int) -> UInt64 {
      let next = nodes[place].next
      guard next >= 0 else { return PairTable.none }
      return merge(nodes[place].id, nodes[Int(next)].id, word, nodes[place].start, endOf(next))
    }

    // Every merge takes one pair out of the queue and brings at most two, so it never holds more than two per symbol.
    var queue = PairQueue(capacity: 2 * symbolCount)
    defer { queue.deallocate() }
    for place in 0..<symbolCount {
      let found = mergeWithNext(place)
      guard found != PairTable.none else { continue }
      nodes[place].rank = UInt32(truncatingIfNeeded: found >> 32)
      queue.appendUnordered(found & Self.rankBits | UInt64(place))
    }
    queue.order()

    func renew(_ place: Int32) {
      guard place >= 0 else { return }
      let found = mergeWithNext(Int(place))
      nodes[Int(place)].rank = found == PairTable.none ? Self.noRank : UInt32(truncatingIfNeeded: found >> 32)
      if found != PairTable.none { queue.insert(found & Self.rankBits | UInt64(place)) }
    }
    while let pair = queue.removeFirst() {
      let place = Int(pair & 0xFFFF_FFFF)
      // A pair whose neighbours have changed since is stale.
      guard nodes[place].next >= 0, nodes[place].rank == UInt32(truncatingIfNeeded: pair >> 32) else { continue }
      let made = mergeWithNext(place)
      guard made != PairTable.none else { continue }
      let right = Int(nodes[place].next)
      let behind = nodes[right].next
      nodes[place].id = Int32(truncatingIfNeeded: made)
      nodes[place].next = behind
      nodes[right].next = -2
      if behind >= 0 { nodes[Int(behind)].previous = Int32(truncatingIfNeeded: place) }
      renew(nodes[place].previous)
      renew(Int32(truncatingIfNeeded: place))
    }

    var place: Int32 = 0
    var lastWasUnknown = false
    while place >= 0 {
      settle(
        nodes[Int(place)].id, word, Int(nodes[Int(place)].start), Int(endOf(place)), &lastWasUnknown, to: &output)
      place = nodes[Int(place)].next
    }
  }
}
