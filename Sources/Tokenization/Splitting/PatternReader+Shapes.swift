extension PatternReader {
  /// The alternatives that `sequence` stands for: several where a group of words closes it; nil for an unknown shape.
  static func classified(_ sequence: [Item]) -> [PatternAlternative]? {
    var items = sequence
    var suffixes: [[ScalarSet]] = []
    if case .group(let inner, let isOptional) = items.last {
      items.removeLast()
      if isOptional {
        for word in inner {
          guard let exact = exact(word) else { return nil }
          suffixes.append(exact)
        }
      } else {
        // The front of a group belongs to each of its words: '(?:re|ve).
        var result: [PatternAlternative] = []
        for word in inner {
          guard let found = classified(items + word) else { return nil }
          result += found
        }
        return result
      }
    }
    guard var alternative = single(items) else { return nil }
    alternative.suffixes = suffixes
    return [alternative]
  }

  private static func exact(_ items: [Item]) -> [ScalarSet]? {
    var sets: [ScalarSet] = []
    for item in items {
      guard case .set(let set, let count, _) = item, count.lowerBound == count.upperBound, count.lowerBound >= 1,
        sets.count + count.lowerBound <= 1024
      else { return nil }
      sets += Array(repeating: set, count: count.lowerBound)
    }
    return sets.isEmpty ? nil : sets
  }

  private static func single(_ items: [Item]) -> PatternAlternative? {
    var items = items
    var condition = PatternAlternative.Condition.none
    if case .condition(let found) = items.last {
      condition = found
      items.removeLast()
    }
    if let sets = exact(items), condition == .none { return PatternAlternative(shape: .exact(sets)) }

    var parts: [(set: ScalarSet, count: ClosedRange<Int>, isPossessive: Bool)] = []
    for item in items {
      guard case .set(let set, let count, let isPossessive) = item else { return nil }
      parts.append((set, count, isPossessive))
    }
    var lead = ScalarSet()
    var leadUse = PatternAlternative.LeadUse.none
    if parts.count > 1, let first = parts.first, first.count == 0...1 || first.count == 1...1 {
      lead = first.set
      leadUse = first.count == 1...1 ? .required : first.isPossessive ? .possessive : .optional
      parts.removeFirst()
    }
    guard let core = parts.first, let shape = shape(parts) else { return nil }
    if condition != .none {
      // Only a run that ends where its condition can be read off is matched without trying again.
      guard case .run(_, let count, nil) = shape, count.upperBound == Int.max else { return nil }
      guard condition == .atEnd || core.set == .space && leadUse == .none else { return nil }
    }
    return PatternAlternative(shape: shape, lead: lead, leadUse: leadUse, condition: condition)
  }

  private static func shape(
    _ parts: [(set: ScalarSet, count: ClosedRange<Int>, isPossessive: Bool)]
  ) -> PatternAlternative.Shape? {
    guard let core = parts.first else { return nil }
    let takesAll = core.count.upperBound == Int.max
    switch parts.count {
    case 1 where core.count.lowerBound >= 1:
      return .run(core: core.set, count: core.count, tail: nil)
    case 2 where core.count.lowerBound >= 1 && parts[1].count == 0...Int.max:
      return .run(core: core.set, count: core.count, tail: parts[1].set)
    case 2 where core.count.lowerBound == 0 && takesAll && !core.isPossessive && parts[1].count.lowerBound == 1:
      return .twoRuns(first: core.set, second: parts[1].set, secondLimit: parts[1].count.upperBound)
    default:
      return nil
    }
  }
}
