import Components

/// Sequences that begin alike: the second has the first rows of the first, which stay where they are.
extension SequenceState {
  /// Whether all states are still what they were when `count` tokens had been computed, or can be found again: one row for
  /// all tokens only at its very place, a window where it has not moved on.
  func holds(first count: Int, borders: [Int]) -> Bool {
    guard (0...position).contains(count), prefix == 0, second == Int.max, together.isEmpty,
      rowCounts.allSatisfy({ $0 == 0 }),
      !borders.contains(where: { count <= $0 && $0 < position })
    else { return false }
    return count == position
      || planned.indices.allSatisfy { index in
        switch planned[index].extent {
        case .perToken: true
        case .window(let window): states[index].firstPosition <= max(0, count - (window - 1))
        case .fixed: false
        }
      }
  }

  /// Begins with the first `count` tokens of `other`; false, and nothing is changed, where `other` does not hold them.
  func begin(with count: Int, of other: SequenceState, borders: [Int]) -> Bool {
    guard position == 0, lender == nil, borrowers == 0, count <= length, other !== self, other.planned == planned,
      planned.indices.allSatisfy({ states[$0].format == other.states[$0].format }),
      other.holds(first: count, borders: borders)
    else { return false }
    for (index, state) in planned.enumerated() {
      let (source, target, rowBytes) = (other.states[index], states[index], states[index].rowBytes)
      switch state.extent {
      case .perToken:
        let bytes = count * rowBytes
        // Where a text may begin anew its rows are written again, and are nobody else's therefore.
        let mapped = borders.isEmpty ? other.lend(StatePages.wholePages(bytes), of: index, to: self) : 0
        lentBytes += mapped
        (target.base + mapped).copyMemory(from: source.base + mapped, byteCount: bytes - mapped)
      case .window:
        // What a window holds beyond `count` is not taken, nor what is before it.
        let rows = min(count - source.firstPosition, capacities[index])
        let skipped = count - source.firstPosition - rows
        target.base.copyMemory(from: source.base + skipped * rowBytes, byteCount: rows * rowBytes)
        states[index].firstPosition = count - rows
      case .fixed:
        target.base.copyMemory(from: source.base, byteCount: rowBytes)
      }
    }
    (position, textLength, lent) = (count, count, count)
    history = Array(other.history.prefix(count))
    lender = other
    other.borrowers += 1
    return true
  }

  /// Maps whole pages of a state over those of `borrower`, from the sequences that they are of; gives how many bytes from the
  /// beginning on, fewer than `bytes` where the rest cannot be lent.
  private func lend(_ bytes: Int, of index: Int, to borrower: SequenceState) -> Int {
    let offset = states[index].base - pages.base
    let target = borrower.states[index].base - borrower.pages.base
    var done = 0
    if hasOverwritten { return 0 }
    if let lender {
      // The first pages are another's here, too. Behind them all are this one's own.
      let foreign = min(bytes, StatePages.wholePages(lent * states[index].rowBytes))
      done = lender.lend(foreign, of: index, to: borrower)
      if done < foreign { return done }
    }
    guard done < bytes,
      pages.lend(from: offset + done, count: bytes - done, to: borrower.pages, at: target + done)
    else { return done }
    return bytes
  }

  /// Gives back the memory of rows behind the first `count` tokens, which nobody asks for any more.
  public func forget(behind count: Int) {
    for (index, state) in planned.enumerated() where state.extent == .perToken {
      let start = states[index].base - pages.base
      pages.forget(start + count * states[index].rowBytes..<start + capacities[index] * states[index].rowBytes)
    }
  }
}
