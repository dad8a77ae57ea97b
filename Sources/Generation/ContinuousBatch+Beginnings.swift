import Execution

/// What prompts that begin alike have in common.
extension ContinuousBatch {
  /// Gives `entry`, which has read nothing, the longest beginning that another has; the probabilities of a prompt are
  /// computed with it, so that one that wants them reads all of it.
  func share(with entry: Entry) {
    guard shares, entry.done == 0, entry.request.promptProbabilities == nil else { return }
    let prompt = entry.request.prompt
    func holds(_ sequence: SequenceState, _ count: Int) -> Bool { executor.holds(sequence, first: count) }
    var best = beginnings.longest(of: prompt, beyond: 0, piece: piece, holds: holds)
    for other in reading + texts.lazy.filter({ $0.place == 0 }).map(\.entry) where other !== entry {
      let common = PromptBeginnings.common(other.request.prompt, prompt, piece: piece)
      let count = min(common, other.done / piece * piece)
      if count > best?.count ?? 0, holds(other.sequence, count) { best = (other.sequence, count) }
    }
    guard let best, executor.begin(entry.sequence, with: best.count, of: best.sequence) else { return }
    (entry.done, entry.reused) = (best.count, best.count)
  }

  /// Keeps what `entry` has read, where that is not found again when more is read.
  func keepBeginning(of entry: Entry) throws {
    guard shares, !isRewindable, entry.done % piece == 0, entry.done < entry.request.prompt.count else { return }
    let tokens = Array(entry.request.prompt.prefix(entry.done))
    let bytes = executor.plan.stateBytes(length: entry.done, in: executor.stateFormat)
    guard beginnings.hasRoom(for: bytes), !beginnings.isServed(tokens) else { return }
    let copy = try executor.openSequence(length: entry.done, lending: true)
    guard executor.begin(copy, with: entry.done, of: entry.sequence) else { return }
    beginnings.keep(tokens, copy, bytes: bytes - copy.lentBytes)
  }

  /// Keeps the beginning of a prompt that is over, as far as it is whole pieces.
  func retire(_ entry: Entry) {
    let count = entry.done / piece * piece
    guard shares, isRewindable && count > 0 || entry.sequence.borrowers > 0 else { return }
    entry.sequence.forget(behind: count)
    let bytes = executor.plan.stateBytes(length: count, in: executor.stateFormat)
    beginnings.keep(
      Array(entry.request.prompt.prefix(count)), entry.sequence, bytes: max(0, bytes - entry.sequence.lentBytes))
  }
}
