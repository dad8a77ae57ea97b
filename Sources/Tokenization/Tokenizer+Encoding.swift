extension Tokenizer {
  func encode(
    _ text: UnsafeBufferPointer<UInt8>, parseSpecialTokens: Bool, to output: inout IDBuffer,
    _ scratch: EncodingScratch
  ) {
    guard !text.isEmpty else { return }
    if parts.added.isEmpty(normalized: false) {
      encodePart(text, at: .init(), parseSpecialTokens: parseSpecialTokens, to: &output, scratch)
      return
    }
    var position = TextNormalizer.Position()
    parts.added.forEachPart(of: text, normalized: false, includingSpecial: parseSpecialTokens) { part, id in
      position.isFirst = part.lowerBound == 0
      position.isLast = part.upperBound == text.count
      guard let id else {
        let part = UnsafeBufferPointer(rebasing: text[part])
        encodePart(part, at: position, parseSpecialTokens: parseSpecialTokens, to: &output, scratch)
        position.beginsSentence = false
        return
      }
      appendToken(id, at: &position, to: &output, scratch)
    }
  }

  // A token found in the text; a user-defined one at the beginning stands behind the sentence's own space.
  private func appendToken(
    _ id: Int, at position: inout TextNormalizer.Position, to output: inout IDBuffer, _ scratch: EncodingScratch
  ) {
    let isMark = isSpecial(id)
    if position.beginsSentence, !isMark {
      for case .prependSpaceToSentence in parts.normalizer.steps {
        var space = position
        space.isLast = false
        encodePart(
          UnsafeBufferPointer(start: nil, count: 0), at: space, parseSpecialTokens: false, to: &output, scratch)
      }
    }
    output.append(Int32(truncatingIfNeeded: id))
    position.beginsSentence = isMark
  }

  private func encodePart(
    _ text: UnsafeBufferPointer<UInt8>, at position: TextNormalizer.Position, parseSpecialTokens: Bool,
    to output: inout IDBuffer, _ scratch: EncodingScratch
  ) {
    if parts.normalizer.steps.isEmpty {
      encodeNormalized(text, at: position, parseSpecialTokens: parseSpecialTokens, to: &output, scratch)
      return
    }
    let normalized = parts.normalizer.normalized(Array(text), at: position)
    normalized.withUnsafeBufferPointer {
      encodeNormalized($0, at: position, parseSpecialTokens: parseSpecialTokens, to: &output, scratch)
    }
  }

  private func encodeNormalized(
    _ text: UnsafeBufferPointer<UInt8>, at position: TextNormalizer.Position, parseSpecialTokens: Bool,
    to output: inout IDBuffer, _ scratch: EncodingScratch
  ) {
    if parts.added.isEmpty(normalized: true) {
      prepare(text, at: position, findsMarks: parseSpecialTokens, to: &output, scratch)
      return
    }
    parts.added.forEachPart(of: text, normalized: true, includingSpecial: parseSpecialTokens) { part, id in
      if let id {
        output.append(Int32(truncatingIfNeeded: id))
      } else {
        var inner = position
        inner.isFirst = position.isFirst && part.lowerBound == 0
        prepare(
          UnsafeBufferPointer(rebasing: text[part]), at: inner, findsMarks: parseSpecialTokens, to: &output, scratch)
      }
    }
  }

  private func prepare(
    _ text: UnsafeBufferPointer<UInt8>, at position: TextNormalizer.Position, findsMarks: Bool,
    to output: inout IDBuffer, _ scratch: EncodingScratch
  ) {
    if let chain = parts.chain {
      for piece in chain.pieces(of: text, isFirst: position.isFirst) {
        piece.withUnsafeBufferPointer { encodeWords($0, findsMarks: findsMarks, to: &output, scratch) }
      }
    } else if parts.preparation.steps.isEmpty {
      encodeWords(text, findsMarks: findsMarks, to: &output, scratch)
    } else {
      parts.preparation.normalized(Array(text), at: position).withUnsafeBufferPointer {
        encodeWords($0, findsMarks: findsMarks, to: &output, scratch)
      }
    }
  }

  // `findsMarks`: a mark that the added tokens did not find, for only normalising made it, is a piece as any other.
  private func encodeWords(
    _ text: UnsafeBufferPointer<UInt8>, findsMarks: Bool, to output: inout IDBuffer, _ scratch: EncodingScratch
  ) {
    guard let base = text.baseAddress, !text.isEmpty else { return }
    var cursor = parts.splitter.cursor(over: base, count: text.count, state: scratch.cursorState)
    if let words = scratch.words {
      while let (start, end) = cursor.next() { words(base + start, end - start) }
      return
    }
    switch parts.model {
    case .words(let model):
      while let (start, end) = cursor.next() {
        model.append(base + start, end - start, findsMarks: findsMarks, to: &output)
      }
    case .merging(let model) where model.marksWordEnds:
      while let (start, end) = cursor.next() {
        let word = text[start..<end] + [0x20]
        word.withUnsafeBufferPointer { word in
          guard let base = word.baseAddress else { return }
          model.append(base, word.count, isPadded: false, findsMarks: findsMarks, to: &output, scratch)
        }
      }
    case .merging(let model):
      // Up to this place 16 bytes can be read at once.
      let lastPadded = text.count - 16
      while let (start, end) = cursor.next() {
        model.append(
          base + start, end - start, isPadded: start <= lastPadded, findsMarks: findsMarks, to: &output, scratch)
      }
    case .unigram(let model):
      while let (start, end) = cursor.next() {
        model.append(base + start, end - start, findsMarks: findsMarks, to: &output)
      }
    case .characters(let model):
      while let (start, end) = cursor.next() { model.append(base + start, end - start, to: &output) }
    }
  }
}
