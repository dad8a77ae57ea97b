/// Remembers the ids of words of at most 15 bytes and 3 ids, which are nearly all words of a text.
///
/// An open-addressed table of 32-byte entries; it begins with a page's worth and grows while words keep coming. When it
/// has its full size, a new word takes the place where its search began, so the most frequent words stay or come back
/// at once.
struct WordCache {
  /// The longest word that is remembered, in bytes.
  static let longestWord = 15
  /// The largest number of ids a remembered word has.
  static let mostIDs = 3

  private struct Entry {
    // The bytes, and in the top byte of `high` their number, which is never 0: a free entry has 0 there.
    var low: UInt64 = 0
    var high: UInt64 = 0
    var ids: (Int32, Int32, Int32) = (0, 0, 0)
    var count: Int32 = 0
  }

  private var entries: UnsafeMutablePointer<Entry>
  private var mask: Int
  private var used = 0
  private let seed = UInt64.random(in: .min ... .max)

  private static let firstSize = 1 << 9
  private static let lastSize = 1 << 16  // 2 MiB: about what a core's second cache holds

  init() {
    mask = Self.firstSize - 1
    entries = .allocate(capacity: Self.firstSize)
    entries.initialize(repeating: Entry(), count: Self.firstSize)
  }

  func deallocate() { entries.deallocate() }

  /// A word as two numbers.
  struct Key {
    let low: UInt64
    let high: UInt64

    /// The key of the `count` bytes at `bytes`, 1 to 15; up to 16 bytes are read when `isPadded`.
    @inline(__always)
    init(_ bytes: UnsafePointer<UInt8>, _ count: Int, isPadded: Bool) {
      let raw = UnsafeRawPointer(bytes)
      let bits = UInt64(truncatingIfNeeded: count)
      if isPadded {
        let first = raw.loadUnaligned(as: UInt64.self).littleEndian
        let second = raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian
        // Keeps the low `count` bytes of the sixteen; a shift by 64 gives 0, which is wanted.
        low = count >= 8 ? first : first & ~(UInt64.max << (bits * 8))
        high = (count > 8 ? second & ~(UInt64.max << (bits * 8 - 64)) : 0) | bits << 56
      } else {
        var low: UInt64 = 0
        var high = bits << 56
        for place in 0..<count {
          let byte = UInt64(bytes[place])
          if place < 8 { low |= byte << UInt64(place * 8) } else { high |= byte << UInt64(place * 8 - 64) }
        }
        self.low = low
        self.high = high
      }
    }
  }

  @inline(__always)
  private func home(of key: Key) -> Int {
    Int(truncatingIfNeeded: mixBits(key.low ^ seed, key.high)) & mask
  }

  /// Appends the word's ids to `output`; false when the word is not known.
  @inline(__always)
  func appendIDs(of key: Key, to output: inout IDBuffer) -> Bool {
    var slot = home(of: key)
    while true {
      let entry = entries + slot
      if entry.pointee.low == key.low, entry.pointee.high == key.high {
        output.append(entry.pointee.ids.0)
        if entry.pointee.count > 1 {
          output.append(entry.pointee.ids.1)
          if entry.pointee.count > 2 { output.append(entry.pointee.ids.2) }
        }
        return true
      }
      if entry.pointee.high == 0 { return false }
      slot = (slot + 1) & mask
    }
  }

  /// Remembers the word's 1 to 3 ids.
  mutating func insert(_ key: Key, _ ids: UnsafePointer<Int32>, _ count: Int) {
    let entry = Entry(
      low: key.low, high: key.high, ids: (ids[0], count > 1 ? ids[1] : 0, count > 2 ? ids[2] : 0), count: Int32(count))
    if used * 2 > mask {
      if mask + 1 < Self.lastSize {
        grow()
      } else {
        let slot = home(of: key)
        if entries[slot].high == 0 {
          // A quarter stays free, or searches for unknown words would not end.
          guard used * 4 < (mask + 1) * 3 else { return }
          used += 1
        }
        entries[slot] = entry
        return
      }
    }
    place(entry)
  }

  private mutating func place(_ entry: Entry) {
    var slot = home(of: Key(low: entry.low, high: entry.high))
    while entries[slot].high != 0 { slot = (slot + 1) & mask }
    entries[slot] = entry
    used += 1
  }

  private mutating func grow() {
    let old = UnsafeMutableBufferPointer(start: entries, count: mask + 1)
    let size = old.count * 4
    entries = .allocate(capacity: size)
    entries.initialize(repeating: Entry(), count: size)
    mask = size - 1
    used = 0
    for entry in old where entry.high != 0 { place(entry) }
    old.baseAddress?.deallocate()
  }
}

extension WordCache.Key {
  fileprivate init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }
}
