import Components

/// The order in which the windows of a text are trained on: every epoch each window once, shuffled anew.
///
/// Epoch e cuts the tokens into windows of `length` from an offset below `length` that the seed and e give, so that over
/// epochs a token stands at every position of a window. The order is a permutation by a Feistel network (Luby and Rackoff,
/// 1988) over the next power of four, walked until it falls among the windows: any entry of it is found by itself, so a
/// run goes on from a number.
package struct WindowOrder: Sendable {
  private let tokens: Int
  private let length: Int
  private let seed: UInt64
  /// Windows in an epoch.
  package let windows: Int

  /// Windows of `length` tokens, each with the token after it, in `tokens` tokens; there must be room for one.
  package init(tokens: Int, length: Int, seed: UInt64) {
    (self.tokens, self.length, self.seed) = (tokens, length, seed)
    // One window less than fits leaves room for the offset.
    windows = max(1, (tokens - 1) / length - 1)
  }

  /// The order of `items` things, each of which is trained on by itself; there must be one.
  package init(items: Int, seed: UInt64) { self.init(tokens: items + 2, length: 1, seed: seed) }

  /// Where window `index` of the run begins.
  package func start(of index: Int) -> Int {
    let (epoch, position) = index.quotientAndRemainder(dividingBy: windows)
    let random = CounterRandom(seed: seed, stream: UInt64(epoch) &* 2 &+ 1)
    let room = min(length - 1, tokens - 1 - windows * length)
    let offset = random.below(room + 1, at: 0)
    return offset + permuted(position, random) * length
  }

  private func permuted(_ position: Int, _ random: CounterRandom) -> Int {
    var half: UInt64 = 1
    while 1 << (2 * half) < UInt64(windows) { half += 1 }
    let mask: UInt64 = 1 << half - 1
    var value = UInt64(position)
    repeat {
      var (left, right) = (value >> half, value & mask)
      for round in 1...4 { (left, right) = (right, left ^ (random[UInt64(round) << 40 | right] & mask)) }
      value = left << half | right
    } while value >= UInt64(windows)
    return Int(value)
  }
}
