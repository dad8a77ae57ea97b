/// The ends by which some names are told from others.
struct NameEndings {
  /// Ends that all of some names have and none of the others, as few and as short as are found.
  let endings: [String]

  /// The ends of `own`, which none of `others` has.
  init(_ own: [String], against others: [String]) {
    var left = own
    var found: [String] = []
    while let name = left.first {
      var ending = name
      for candidate in Self.candidates(name) where !others.contains(where: { $0.hasSuffix(candidate) }) {
        ending = candidate
        break
      }
      left.removeAll { $0.hasSuffix(ending) }
      found.append(ending)
    }
    endings = found
  }

  /// Ends of `name`, the shortest first: the last word from its last underscore on, whole words, more of them.
  private static func candidates(_ name: String) -> [String] {
    let words = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    var candidates: [String] = []
    for count in 1...words.count {
      let ending = words.suffix(count).joined(separator: ".")
      if count > 1, let first = words.suffix(count).first, let line = first.lastIndex(of: "_") {
        candidates.append(String(first[first.index(after: line)...]) + ending.dropFirst(first.count))
      }
      candidates.append(ending)
    }
    return candidates
  }
}
