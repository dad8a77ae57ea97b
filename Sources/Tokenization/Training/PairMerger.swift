/// Words as lists of pieces, and how often which pieces stand side by side in them.
struct PairMerger {
  /// Two neighbours.
  struct Pair: Hashable {
    let left: Int32
    let right: Int32
  }

  private struct Word {
    var pieces: [Int32]
    let count: Int
  }

  private struct Candidate {
    let count: Int
    let pair: Pair

    /// Whether it comes before `other`: more frequent, or of smaller ids.
    func comesBefore(_ other: Candidate) -> Bool {
      if count != other.count { return count > other.count }
      return (pair.left, pair.right) < (other.pair.left, other.pair.right)
    }
  }

  private var words: [Word]
  private var counts: [Pair: Int] = [:]
  /// The words that a pair was ever seen in.
  private var places: [Pair: Set<Int>] = [:]
  /// A heap of candidates; a count that has changed since is put right when it comes up.
  private var heap: [Candidate] = []

  init(_ words: [([Int32], Int)]) {
    self.words = words.map { Word(pieces: $0.0, count: $0.1) }
    for index in self.words.indices { count(index, by: 1) }
    for (pair, count) in counts { push(Candidate(count: count, pair: pair)) }
  }

  /// The most frequent pair; nil when none was seen twice.
  mutating func next() -> Pair? {
    while let top = pop() {
      let count = counts[top.pair] ?? 0
      if count != top.count {
        if count > 1 { push(Candidate(count: count, pair: top.pair)) }
        continue
      }
      return count > 1 ? top.pair : nil
    }
    return nil
  }

  /// Puts `piece` for every `pair`.
  mutating func merge(_ pair: Pair, into piece: Int32) {
    var changed: Set<Pair> = []
    for index in places.removeValue(forKey: pair) ?? [] {
      count(index, by: -1)
      var merged: [Int32] = []
      let pieces = words[index].pieces
      var place = 0
      while place < pieces.count {
        if place + 1 < pieces.count, pieces[place] == pair.left, pieces[place + 1] == pair.right {
          merged.append(piece)
          place += 2
        } else {
          merged.append(pieces[place])
          place += 1
        }
      }
      words[index].pieces = merged
      count(index, by: 1)
      for (left, right) in zip(merged, merged.dropFirst()) where left == piece || right == piece {
        changed.insert(Pair(left: left, right: right))
      }
    }
    counts[pair] = nil
    for pair in changed { push(Candidate(count: counts[pair] ?? 0, pair: pair)) }
  }

  /// Adds the pairs of word `index` to the counts, or takes them away.
  private mutating func count(_ index: Int, by sign: Int) {
    let word = words[index]
    for (left, right) in zip(word.pieces, word.pieces.dropFirst()) {
      let pair = Pair(left: left, right: right)
      counts[pair, default: 0] += sign * word.count
      if sign > 0 { places[pair, default: []].insert(index) }
    }
  }

  private mutating func push(_ candidate: Candidate) {
    heap.append(candidate)
    var child = heap.count - 1
    while child > 0, heap[child].comesBefore(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func pop() -> Candidate? {
    guard let top = heap.first, let last = heap.popLast() else { return nil }
    if heap.isEmpty { return top }
    heap[0] = last
    var parent = 0
    while true {
      var first = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].comesBefore(heap[first]) {
        first = child
      }
      if first == parent { return top }
      heap.swapAt(parent, first)
      parent = first
    }
  }
}
