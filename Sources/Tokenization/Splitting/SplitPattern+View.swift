extension SplitPattern {
  /// The tables of a pattern without ownership, for inner loops; valid while the pattern lives.
  ///
  /// Sendable although it holds pointers: they lead to memory that is only read.
  struct View: @unchecked Sendable {
    let alternatives: UnsafePointer<PackedAlternative>
    let count: Int
    let sets: UnsafePointer<PackedSet>
    let sequences: UnsafePointer<Range<Int32>>
    let ranges: UnsafePointer<ClosedRange<UInt32>>
    /// [128]: bit k says that alternative k can begin with the character.
    let candidates: UnsafePointer<UInt32>
    let wordKind: WordKind

    /// The end of the match that begins at `start`, or `start` when none does.
    ///
    /// `dead[2k]..<dead[2k + 1]` is the last stretch that alternative k has walked in vain, so that none is walked
    /// again and again.
    @inline(__always)
    func matchEnd(
      at start: Int, in text: UnsafePointer<UInt8>, end: Int, dead: UnsafeMutablePointer<Int>
    ) -> Int {
      if wordKind == .spaced { return spacedWordEnd(at: start, in: text, end: end) }
      if wordKind != .none {
        let word = asciiWordEnd(at: start, in: text, end: end)
        if word > start { return word }
      }
      return anyMatchEnd(at: start, in: text, end: end, dead: dead)
    }

    @inline(__always)
    private func spacedWordEnd(at start: Int, in text: UnsafePointer<UInt8>, end: Int) -> Int {
      var place = start
      while place < end, text[place] == 0x20 { place += 1 }
      // Eight bytes at a time: a byte that differs from a space in no bit shows in its high bit.
      while place + 8 <= end {
        let bytes = UnsafeRawPointer(text + place).loadUnaligned(as: UInt64.self).littleEndian
        let difference = bytes ^ 0x2020_2020_2020_2020
        let low = (difference & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7F7F_7F7F_7F7F_7F7F
        let spaces = ~(low | difference) & 0x8080_8080_8080_8080
        if spaces != 0 { return place + spaces.trailingZeroBitCount / 8 }
        place += 8
      }
      while place < end, text[place] != 0x20 { place += 1 }
      return place
    }

    // An ASCII word that what follows cannot lengthen; `start` when this is none.
    @inline(__always)
    private func asciiWordEnd(at start: Int, in text: UnsafePointer<UInt8>, end: Int) -> Int {
      var place = start
      if text[place] == 0x20 { place += 1 }
      let first = place
      if wordKind == .letters {
        place = asciiLettersEnd(at: place, in: text, end: end)
        guard place > first, place == end || text[place] < 0x80 else { return start }
        return place
      }
      while place < end, text[place] &- 0x41 < 26 { place += 1 }
      let lower = place
      while place < end, text[place] &- 0x61 < 26 { place += 1 }
      // An apostrophe may begin a suffix.
      guard place > lower, place == end || text[place] < 0x80 && text[place] != 0x27 else { return start }
      return place
    }

    @inline(never)
    private func anyMatchEnd(
      at start: Int, in text: UnsafePointer<UInt8>, end: Int, dead: UnsafeMutablePointer<Int>
    ) -> Int {
      let lead = text[start]
      var bits = lead < 0x80 ? candidates[Int(lead)] : UInt32((1 as UInt64 &<< UInt64(count)) &- 1)
      while bits != 0 {
        let place = bits.trailingZeroBitCount
        bits &= bits &- 1
        let found = matchEnd(of: place, at: start, in: text, end: end, dead: dead)
        if found > start { return found }
      }
      return start
    }

    // The end of alternative `place`'s match, or -1.
    private func matchEnd(
      of place: Int, at start: Int, in text: UnsafePointer<UInt8>, end: Int, dead: UnsafeMutablePointer<Int>
    ) -> Int {
      let alternative = alternatives + place
      if alternative.pointee.kind == .exact {
        return sequenceEnd(Int(alternative.pointee.sequence), at: start, in: text, end: end)
      }
      var found = -1
      let leadUse = alternative.pointee.leadUse
      if leadUse != .none {
        let (value, length) = scalar(at: start, in: text, end: end)
        if contains(alternative.pointee.lead, value) {
          found = bodyEnd(place, at: start + length, in: text, end: end, dead: dead)
          if found < 0, leadUse != .optional { return -1 }
        } else if leadUse == .required {
          return -1
        }
      }
      if found < 0 { found = bodyEnd(place, at: start, in: text, end: end, dead: dead) }
      guard found >= 0 else { return -1 }
      for suffix in alternative.pointee.suffixes {
        let longer = sequenceEnd(Int(suffix), at: found, in: text, end: end)
        if longer > found { return longer }
      }
      return found
    }

    private func bodyEnd(
      _ place: Int, at start: Int, in text: UnsafePointer<UInt8>, end: Int, dead: UnsafeMutablePointer<Int>
    ) -> Int {
      alternatives[place].kind == .run
        ? runEnd(place, at: start, in: text, end: end, dead: dead)
        : twoRunsEnd(place, at: start, in: text, end: end, dead: dead)
    }

    private func runEnd(
      _ place: Int, at start: Int, in text: UnsafePointer<UInt8>, end: Int, dead: UnsafeMutablePointer<Int>
    ) -> Int {
      let alternative = alternatives + place
      let condition = alternative.pointee.condition
      if condition == .atEnd, dead[2 * place] <= start, start < dead[2 * place + 1] { return -1 }
      var found = start
      var last = start
      var taken = 0
      let most = alternative.pointee.most
      while found < end, taken < most {
        let (value, length) = scalar(at: found, in: text, end: end)
        guard contains(alternative.pointee.first, value) else { break }
        last = found
        found += length
        taken += 1
      }
      switch condition {
      case .none: break
      case .beforeSpace where found < end:
        // One white space more stands behind the shorter run.
        taken -= 1
        found = last
      case .atEnd where found < end:
        dead[2 * place] = start
        dead[2 * place + 1] = found
        return -1
      default: break
      }
      guard taken >= alternative.pointee.least else { return -1 }
      if alternative.pointee.hasSecond {
        while found < end {
          let (value, length) = scalar(at: found, in: text, end: end)
          guard contains(alternative.pointee.second, value) else { break }
          found += length
        }
      }
      return found
    }

    private func twoRunsEnd(
      _ place: Int, at start: Int, in text: UnsafePointer<UInt8>, end: Int, dead: UnsafeMutablePointer<Int>
    ) -> Int {
      if dead[2 * place] <= start, start < dead[2 * place + 1] { return -1 }
      let alternative = alternatives + place
      var found = start
      // The last character of the first run that could as well begin the second, and its end.
      var lastEnd = -1
      while found < end {
        let (value, length) = scalar(at: found, in: text, end: end)
        guard contains(alternative.pointee.first, value) else { break }
        found += length
        if contains(alternative.pointee.second, value) { lastEnd = found }
      }
      var taken = 0
      let firstEnd = found
      while found < end, taken < alternative.pointee.most {
        let (value, length) = scalar(at: found, in: text, end: end)
        guard contains(alternative.pointee.second, value) else { break }
        found += length
        taken += 1
      }
      if taken > 0 { return found }
      // Behind that last character none of the run is in the second set, so the second run is that character alone.
      if lastEnd < 0 {
        dead[2 * place] = start
        dead[2 * place + 1] = firstEnd
      }
      return lastEnd
    }

    private func sequenceEnd(_ sequence: Int, at start: Int, in text: UnsafePointer<UInt8>, end: Int) -> Int {
      var place = start
      for index in sequences[sequence] {
        guard place < end else { return -1 }
        let (value, length) = scalar(at: place, in: text, end: end)
        guard contains(sets[Int(index)], value) else { return -1 }
        place += length
      }
      return place
    }

    @inline(__always)
    private func contains(_ set: PackedSet, _ value: UInt32) -> Bool {
      value < 0x80 ? set.containsASCII(UInt8(truncatingIfNeeded: value)) : set.containsWide(value, ranges)
    }
  }
}

/// The end of the ASCII letters that begin at `start`.
@inline(__always)
func asciiLettersEnd(at start: Int, in text: UnsafePointer<UInt8>, end: Int) -> Int {
  var place = start
  // Eight characters at a time: the loop's exit is what costs, so most words should leave it on the first round.
  while place + 8 <= end {
    let bytes = UnsafeRawPointer(text + place).loadUnaligned(as: UInt64.self).littleEndian
    // In each byte the high bit of `lower + 0x1F` says "at least a", that of `lower + 0x05` "past z"; no byte carries,
    // for the high bits are cleared before.
    let lower = (bytes | 0x2020_2020_2020_2020) & 0x7F7F_7F7F_7F7F_7F7F
    let letters = (lower &+ 0x1F1F_1F1F_1F1F_1F1F) & ~(lower &+ 0x0505_0505_0505_0505) & ~bytes
    let others = ~letters & 0x8080_8080_8080_8080
    if others != 0 { return place + others.trailingZeroBitCount / 8 }
    place += 8
  }
  while place < end, (text[place] | 0x20) &- 0x61 < 26 { place += 1 }
  return place
}
