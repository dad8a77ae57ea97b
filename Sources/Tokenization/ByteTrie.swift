/// Finds which of many byte strings begin at a place of a text, longest or all.
final class ByteTrie: Sendable {
  private let slots: FrozenArray<UInt64>  // [size × 2]: (node << 8 | byte) + 1, or 0 where free; the child node
  private let mask: UInt64
  private let values: FrozenArray<Int32>  // [node]: the string's number, or -1
  private let begins: FrozenArray<Bool>  // [256]: whether a string begins with the byte
  let isEmpty: Bool

  /// Longer strings are refused by those who build a trie, for each place of a text is walked so far.
  static let longestString = 1024

  /// A trie of strings with their numbers. Of equal strings the first counts; empty ones are left out.
  init(_ strings: some Sequence<(bytes: [UInt8], value: Int32)>) {
    var slots = [UInt64](repeating: 0, count: 64)
    var values: [Int32] = [-1]
    var begins = [Bool](repeating: false, count: 256)
    for (bytes, value) in strings {
      guard let first = bytes.first else { continue }
      begins[Int(first)] = true
      var node: UInt64 = 0
      for byte in bytes {
        if values.count * 4 >= slots.count { slots = Self.enlarged(slots) }
        let key = (node << 8 | UInt64(byte)) + 1
        let slot = Self.slot(of: key, in: slots)
        if slots[slot] == 0 {
          slots[slot] = key
          slots[slot + 1] = UInt64(values.count)
          values.append(-1)
        }
        node = slots[slot + 1]
      }
      if values[Int(node)] < 0 { values[Int(node)] = value }
    }
    isEmpty = values.count == 1
    self.slots = FrozenArray(slots)
    mask = UInt64(slots.count / 2 - 1)
    self.values = FrozenArray(values)
    self.begins = FrozenArray(begins)
  }

  private static func hash(_ key: UInt64) -> UInt64 { (key &* 0x9E37_79B9_7F4A_7C15) >> 29 }

  private static func slot(of key: UInt64, in slots: [UInt64]) -> Int {
    let mask = UInt64(slots.count / 2 - 1)
    var place = hash(key) & mask
    while slots[Int(place) * 2] != 0, slots[Int(place) * 2] != key { place = (place + 1) & mask }
    return Int(place) * 2
  }

  private static func enlarged(_ slots: [UInt64]) -> [UInt64] {
    var larger = [UInt64](repeating: 0, count: slots.count * 2)
    for old in stride(from: 0, to: slots.count, by: 2) where slots[old] != 0 {
      let slot = slot(of: slots[old], in: larger)
      larger[slot] = slots[old]
      larger[slot + 1] = slots[old + 1]
    }
    return larger
  }

  @inline(__always)
  func begins(with byte: UInt8) -> Bool { begins.base[Int(byte)] }

  // The child of `node` for `byte`, or 0, which is the root and nobody's child.
  @inline(__always)
  private func child(of node: UInt64, _ byte: UInt8) -> UInt64 {
    let key = (node << 8 | UInt64(byte)) + 1
    var place = Self.hash(key) & mask
    while true {
      let found = slots.base[Int(place) * 2]
      if found == key { return slots.base[Int(place) * 2 + 1] }
      if found == 0 { return 0 }
      place = (place + 1) & mask
    }
  }

  /// Calls `body` with the end and the number of every string that begins at `start`, shortest first.
  @inline(__always)
  func forEachMatch(
    at start: Int, in text: UnsafePointer<UInt8>, end: Int, _ body: (_ end: Int, _ value: Int32) -> Void
  ) {
    var node: UInt64 = 0
    var place = start
    while place < end {
      node = child(of: node, text[place])
      if node == 0 { return }
      place += 1
      let value = values.base[Int(node)]
      if value >= 0 { body(place, value) }
    }
  }

  /// The longest string at `start` that `isWanted`, with its end.
  func longestMatch(
    at start: Int, in text: UnsafePointer<UInt8>, end: Int, where isWanted: (Int32) -> Bool
  ) -> (end: Int, value: Int32)? {
    var found: (Int, Int32)?
    forEachMatch(at: start, in: text, end: end) { matchEnd, value in
      if isWanted(value) { found = (matchEnd, value) }
    }
    return found
  }
}
