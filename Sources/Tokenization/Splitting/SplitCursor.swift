/// Walks over text from word to word; each byte is in one word, in order, unless a stage drops it.
struct SplitCursor {
  /// Words of state for each stage: where its piece ends, a match found ahead, and what its alternatives sought in
  /// vain.
  static let stateOfStage = 3 + 64

  private let views: UnsafePointer<StageView>
  private let stageCount: Int
  private let text: UnsafePointer<UInt8>
  private let count: Int
  // [stage]: end of the piece, start and end of a match found ahead, [32 × 2] stretches without a match.
  private let state: UnsafeMutablePointer<Int>
  private var place = 0

  init(
    views: UnsafePointer<StageView>, stageCount: Int, text: UnsafePointer<UInt8>, count: Int,
    state: UnsafeMutablePointer<Int>
  ) {
    self.views = views
    self.stageCount = stageCount
    self.text = text
    self.count = count
    self.state = state
    state.update(repeating: 0, count: stageCount * Self.stateOfStage)
    for stage in 0..<stageCount { state[stage * Self.stateOfStage + 1] = -1 }
  }

  /// The next word, or nil at the end of the text.
  @inline(__always)
  mutating func next() -> (start: Int, end: Int)? {
    guard place < count else { return nil }
    if stageCount == 1, views.pointee.isPlain, views.pointee.bytes == nil {
      let start = place
      // A match found ahead of a stretch without one is taken up by `segmentEnd`.
      if state[1] != start {
        place = views.pointee.pattern.matchEnd(at: start, in: text, end: count, dead: state + 3)
        if place > start { return (start, place) }
      }
      place = segmentEnd(stage: 0, from: start, limit: count).end
      return (start, place)
    }
    return nextOfStages()
  }

  private mutating func nextOfStages() -> (start: Int, end: Int)? {
    if stageCount == 0 {
      let start = place
      place = count
      return (start, count)
    }
    while place < count {
      let start = place
      // The stages whose piece ends here give a new one, the outermost first; each cuts the piece of the one before.
      var limit = count
      var stage = 0
      while stage < stageCount, state[stage * Self.stateOfStage] > start {
        limit = state[stage * Self.stateOfStage]
        stage += 1
      }
      var isDropped = false
      while stage < stageCount, !isDropped {
        (limit, isDropped) = pieceEnd(stage: stage, from: start, limit: limit)
        state[stage * Self.stateOfStage] = limit
        stage += 1
      }
      place = limit
      if isDropped {
        // The inner stages have not seen this piece; they begin again behind it.
        for inner in stage..<max(stage, stageCount) { state[inner * Self.stateOfStage] = limit }
        continue
      }
      return (start, limit)
    }
    return nil
  }

  private func pieceEnd(stage: Int, from start: Int, limit: Int) -> (Int, isDropped: Bool) {
    let behavior = views[stage].behavior
    var (end, isMatch) = segmentEnd(stage: stage, from: start, limit: limit)
    switch behavior {
    case .isolated:
      return (end, false)
    case .removed:
      return (end, isMatch)
    case .contiguous:
      while isMatch, end < limit {
        let (further, continues) = segmentEnd(stage: stage, from: end, limit: limit)
        guard continues else { break }
        end = further
      }
      return (end, false)
    case .mergedWithPrevious:
      if !isMatch, end < limit { (end, isMatch) = segmentEnd(stage: stage, from: end, limit: limit) }
      return (end, false)
    case .mergedWithNext:
      if isMatch, end < limit {
        let (further, continues) = segmentEnd(stage: stage, from: end, limit: limit)
        if !continues { end = further }
      }
      return (end, false)
    }
  }

  // The match that begins at `start`, or the stretch up to the next one.
  private func segmentEnd(stage: Int, from start: Int, limit: Int) -> (end: Int, isMatch: Bool) {
    let view = views + stage
    let ahead = state + (stage * Self.stateOfStage + 1)
    let isMatch = !view.pointee.isInverted
    if ahead[0] == start, ahead[1] <= limit { return (ahead[1], isMatch) }
    var place = start
    while place < limit {
      let end = matchEnd(view, at: place, limit: limit, dead: ahead + 2)
      if end > place {
        if place == start { return (end, isMatch) }
        ahead[0] = place
        ahead[1] = end
        break
      }
      place += view.pointee.bytes == nil ? characterLength(at: place, in: text, end: limit) : 1
    }
    return (place, !isMatch)
  }

  private func matchEnd(
    _ view: UnsafePointer<StageView>, at place: Int, limit: Int, dead: UnsafeMutablePointer<Int>
  ) -> Int {
    if let bytes = view.pointee.bytes { return bytes[Int(text[place])] ? place + 1 : place }
    return view.pointee.pattern.matchEnd(at: place, in: text, end: limit, dead: dead)
  }
}
