/// One thing that is wrong with what a user wrote: where it is, what was found, and what would be right.
public struct Problem: Error, Sendable, Hashable {
  /// Where it is, when it was written anywhere.
  public let place: Place?
  /// What was found and what was expected, as one sentence without a full stop.
  public let sentence: String
  /// What would be right: the nearest word, or the next thing to do.
  public let hint: String?

  /// A problem at `place`.
  public init(_ sentence: String, at place: Place?, hint: String? = nil) {
    self.place = place
    self.sentence = sentence
    self.hint = hint
  }
}

/// Every problem found in one piece of work; thrown once, after all were looked for.
public struct Problems: Error, Sendable {
  /// What all of them come from, in one sentence, when they have one cause; it is told first.
  public var headline: String?
  /// The problems, in the order they were found, each once.
  public private(set) var list: [Problem] = []
  private var seen: Set<Problem> = []

  /// No problem yet, or those of `list`.
  public init(_ list: [Problem] = [], headline: String? = nil) {
    self.headline = headline
    for problem in list { add(problem) }
  }

  /// Adds `problem` unless it is already there: layers that share a setting share its problems.
  public mutating func add(_ problem: Problem) {
    if seen.insert(problem).inserted { list.append(problem) }
  }

  /// The same problems as they stand in their files, from the top down; files in the order in which they were first named, and
  /// what stands nowhere last.
  public var inFileOrder: Problems {
    var sources: [String] = []
    for place in list.compactMap(\.place) where !sources.contains(place.source) { sources.append(place.source) }
    let ordered = list.enumerated().sorted { a, b in
      func key(_ item: (offset: Int, element: Problem)) -> [Int] {
        guard let place = item.element.place else { return [sources.count, 0, 0, item.offset] }
        return [sources.firstIndex(of: place.source) ?? 0, place.line, place.column, item.offset]
      }
      return key(a).lexicographicallyPrecedes(key(b))
    }
    return Problems(ordered.map(\.element), headline: headline)
  }

  /// Whether nothing was found.
  public var isEmpty: Bool { list.isEmpty }

  /// Throws all of them when there are any.
  public func check() throws(Problems) {
    if !isEmpty { throw self }
  }
}
