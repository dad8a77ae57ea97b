import Execution

/// Beginnings of prompts whose states are kept, for prompts that begin alike: in whole pieces, for then their rows are those
/// that any such prompt has, to the last bit.
///
/// Of a plan whose states all have rows for each token, a prompt that is over leaves one beginning, which serves shorter
/// ones, too. Where a state has moved on (one row for all tokens, a window), there is one for each piece.
final class PromptBeginnings {
  private final class Kept {
    let tokens: [Int]
    var sequence: SequenceState
    let bytes: Int
    var lastUse: Int

    init(_ tokens: [Int], _ sequence: SequenceState, bytes: Int, lastUse: Int) {
      (self.tokens, self.sequence, self.bytes, self.lastUse) = (tokens, sequence, bytes, lastUse)
    }
  }

  /// Whether a beginning serves shorter ones, too.
  private let servesShorter: Bool
  private var kept: [Kept] = []
  private var uses = 0
  /// Bytes of the states that are kept.
  private(set) var bytes = 0
  /// How many bytes are kept at most.
  private var limit = 0
  /// Each is a file as long as it is kept.
  private static let mostKept = 128

  /// Nothing yet.
  init(servesShorter: Bool) { self.servesShorter = servesShorter }

  /// Keeps `limit` bytes at most. What others read is kept until they are over.
  func keep(atMost limit: Int) {
    self.limit = limit
    makeRoom(for: 0)
  }

  /// Whether `bytes` more could be kept at all.
  func hasRoom(for bytes: Int) -> Bool { bytes <= limit }

  /// The longest beginning of `prompt` in pieces of `piece` that `holds` says to be held, of more than `done` tokens and fewer
  /// than all.
  func longest(
    of prompt: [Int], beyond done: Int, piece: Int, holds: (_ sequence: SequenceState, _ count: Int) -> Bool
  ) -> (sequence: SequenceState, count: Int)? {
    var best: (one: Kept, count: Int)?
    for one in kept {
      let count = Self.common(one.tokens, prompt, piece: piece)
      if count > max(done, best?.count ?? 0), holds(one.sequence, count) { best = (one, count) }
    }
    guard let best else { return nil }
    uses += 1
    best.one.lastUse = uses
    return (best.one.sequence, best.count)
  }

  /// How many of the first tokens are alike, in pieces; of `prompt` all but the last at most.
  static func common(_ tokens: [Int], _ prompt: [Int], piece: Int) -> Int {
    let most = min(tokens.count, prompt.count - 1) / piece * piece
    var count = 0
    while count < most, tokens[count] == prompt[count] { count += 1 }
    return count / piece * piece
  }

  /// Keeps `sequence`, whose first tokens are `tokens` and which takes `bytes`: where there is room and no other serves
  /// as well, or where others have rows of it.
  func keep(_ tokens: [Int], _ sequence: SequenceState, bytes: Int) {
    if sequence.borrowers == 0 {
      guard !tokens.isEmpty, bytes <= limit, !isServed(tokens) else { return }
      makeRoom(for: bytes)
      guard self.bytes + bytes <= limit else { return }
    }
    uses += 1
    kept.append(Kept(tokens, sequence, bytes: bytes, lastUse: uses))
    self.bytes += bytes
  }

  /// Whether a beginning that is kept serves as `tokens` would.
  func isServed(_ tokens: [Int]) -> Bool {
    kept.contains { servesShorter ? $0.tokens.starts(with: tokens) : $0.tokens == tokens }
  }

  /// Forgets what was not used for the longest time, as far as nobody has its rows.
  private func makeRoom(for more: Int) {
    while bytes + more > limit || kept.count + (more > 0 ? 1 : 0) > Self.mostKept {
      let free = kept.indices.filter { kept[$0].sequence.borrowers == 0 }
      guard let oldest = free.min(by: { kept[$0].lastUse < kept[$1].lastUse }) else { return }
      bytes -= kept[oldest].bytes
      kept.remove(at: oldest)
    }
  }
}
