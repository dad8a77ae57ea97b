/// Which tokens are allowed: a bit for each id.
public struct TokenMask: Sendable, Hashable {
  /// Bit `id % 64` of word `id / 64`.
  public private(set) var words: [UInt64]
  /// One more than the largest id.
  public let count: Int

  /// No token of `count`.
  public init(count: Int) {
    self.count = count
    words = Array(repeating: 0, count: (count + 63) / 64)
  }

  /// All tokens of `count` but those in `forbidden`.
  public init(count: Int, without forbidden: Set<Int>) {
    self.init(count: count)
    for place in words.indices { words[place] = place == count >> 6 ? (1 << UInt64(count & 63)) - 1 : .max }
    for id in forbidden { self[id] = false }
  }

  /// Whether `id` is allowed; assigning allows or forbids it. An id that there is none of is not allowed.
  public subscript(id: Int) -> Bool {
    get { id >= 0 && id < count && words[id >> 6] & (1 << UInt64(id & 63)) != 0 }
    set {
      guard id >= 0, id < count else { return }
      if newValue { words[id >> 6] |= 1 << UInt64(id & 63) } else { words[id >> 6] &= ~(1 << UInt64(id & 63)) }
    }
  }

  /// Whether no token is allowed.
  public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
  /// How many tokens are allowed.
  public var allowedCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  mutating func formUnion(_ other: [UInt64]) {
    for place in words.indices { words[place] |= other[place] }
  }

  /// Allows a token that is known to be one of `count`.
  @inline(__always)
  mutating func allow(_ id: Int32) { words[Int(id) >> 6] |= 1 << UInt64(id & 63) }

  /// Makes the logits of tokens that are not allowed −∞; those behind `count` too.
  public func apply(to logits: UnsafeMutableBufferPointer<Float>) {
    for (place, word) in words.enumerated() where word != .max {
      let first = place * 64
      for bit in 0..<min(64, max(0, logits.count - first)) where word & (1 << UInt64(bit)) == 0 {
        logits[first + bit] = -.infinity
      }
    }
    for id in stride(from: words.count * 64, to: logits.count, by: 1) { logits[id] = -.infinity }
  }
}
