/// Finds a piece's id by its bytes: open addressing over 32 bits of hash and the id, compared with the bytes on a hit.
///
/// Sendable although it holds pointers: nothing writes after `init`.
final class PieceTable: @unchecked Sendable {
  /// The length of the longest piece in the table, in bytes.
  let longest: Int
  private let slots: FrozenArray<UInt64>
  private let mask: Int
  private let storage: FrozenArray<UInt8>
  private let offsets: FrozenArray<Int>
  private let seed: UInt64

  /// A table of the pieces `ids`, whose bytes lie in `storage` at `offsets[id]..<offsets[id + 1]`. Of pieces with the
  /// same bytes the first keeps its place. Empty pieces are left out.
  init(_ ids: some Sequence<Int32>, count: Int, storage: FrozenArray<UInt8>, offsets: FrozenArray<Int>) {
    var size = 16
    while size < count * 2 { size *= 2 }
    let mask = size - 1
    // Seeded, so that no file can be made whose pieces all fall into one place. Nothing seen outside depends on it.
    let seed = UInt64.random(in: .min ... .max)
    var longest = 0
    slots = FrozenArray(repeating: 0, count: size) { slots in
      for id in ids {
        let start = offsets.base[Int(id)]
        let length = offsets.base[Int(id) + 1] - start
        guard length > 0 else { continue }
        let bytes = storage.base + start
        let hash = hashBytes(bytes, length, seed: seed)
        var slot = Int(truncatingIfNeeded: hash) & mask
        var isNew = true
        while slots[slot] != 0 {
          if slots[slot] >> 32 == hash >> 32 {
            let other = Int(slots[slot] & 0xFFFF_FFFF) - 1
            let otherStart = offsets.base[other]
            if offsets.base[other + 1] - otherStart == length, sameBytes(storage.base + otherStart, bytes, length) {
              isNew = false
              break
            }
          }
          slot = (slot + 1) & mask
        }
        guard isNew else { continue }
        slots[slot] = hash & ~0xFFFF_FFFF | UInt64(id + 1)
        longest = max(longest, length)
      }
    }
    self.mask = mask
    self.seed = seed
    self.longest = longest
    self.storage = storage
    self.offsets = offsets
  }

  /// The id of the piece with these bytes, or -1.
  @inline(__always)
  func id(of bytes: UnsafePointer<UInt8>, _ length: Int) -> Int32 {
    guard length <= longest else { return -1 }
    let hash = hashBytes(bytes, length, seed: seed)
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let entry = slots.base[slot]
      if entry == 0 { return -1 }
      if entry >> 32 == hash >> 32 {
        let id = Int(entry & 0xFFFF_FFFF) - 1
        let start = offsets.base[id]
        if offsets.base[id + 1] - start == length, sameBytes(storage.base + start, bytes, length) {
          return Int32(truncatingIfNeeded: id)
        }
      }
      slot = (slot + 1) & mask
    }
  }

  /// The id of the piece with these bytes, or -1.
  func id(of bytes: [UInt8]) -> Int32 {
    bytes.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return -1 }
      return id(of: base, buffer.count)
    }
  }
}

/// Mixes bytes into 64 bits by folded multiplication (the construction of wyhash, Wang Yi 2019).
@inline(__always)
func hashBytes(_ bytes: UnsafePointer<UInt8>, _ count: Int, seed: UInt64) -> UInt64 {
  let raw = UnsafeRawPointer(bytes)
  var state = seed ^ UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
  var place = 0
  while place + 8 <= count {
    state = mixBits(state, raw.loadUnaligned(fromByteOffset: place, as: UInt64.self))
    place += 8
  }
  if place < count { state = mixBits(state, tailBits(raw + place, count - place)) }
  return mixBits(state, 0xD6E8_FEB8_6659_FD93)
}

/// The 1 to 7 bytes at `raw` as one number; none behind them is read.
@inline(__always)
func tailBits(_ raw: UnsafeRawPointer, _ count: Int) -> UInt64 {
  if count >= 4 {
    let low = UInt64(raw.loadUnaligned(as: UInt32.self))
    let high = UInt64(raw.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
    return low | high &<< UInt64(truncatingIfNeeded: (count - 4) * 8)
  }
  var value = UInt64(raw.load(as: UInt8.self))
  if count > 1 { value |= UInt64(raw.load(fromByteOffset: 1, as: UInt8.self)) << 8 }
  if count > 2 { value |= UInt64(raw.load(fromByteOffset: 2, as: UInt8.self)) << 16 }
  return value
}

@inline(__always)
func mixBits(_ a: UInt64, _ b: UInt64) -> UInt64 {
  let product = (a ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: b ^ 0xE703_7ED1_A0B4_28DB)
  return product.high ^ product.low
}

@inline(__always)
func sameBytes(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
  let a = UnsafeRawPointer(a)
  let b = UnsafeRawPointer(b)
  var place = 0
  while place + 8 <= count {
    if a.loadUnaligned(fromByteOffset: place, as: UInt64.self)
      != b.loadUnaligned(fromByteOffset: place, as: UInt64.self)
    {
      return false
    }
    place += 8
  }
  return place == count || tailBits(a + place, count - place) == tailBits(b + place, count - place)
}
