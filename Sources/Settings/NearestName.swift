/// The name of `names` that `word` was most likely meant to be, if one is near: by Damerau–Levenshtein distance over
/// lower-cased letters and digits, at most a third of the word's length away.
public func nearestName(to word: String, in names: some Sequence<String>) -> String? {
  let wanted = letters(of: word)
  var best: (name: String, distance: Int)?
  for name in names {
    let candidate = letters(of: name)
    if abs(candidate.count - wanted.count) > 1 + wanted.count / 3 { continue }
    let distance = editDistance(wanted, candidate)
    if distance < best?.distance ?? Int.max { best = (name, distance) }
  }
  guard let best, best.distance <= max(1, (wanted.count + 1) / 3) else { return nil }
  return best.name
}

/// Separators and case carry no meaning in a misspelling: `rms_norm` is `rmsnorm`.
package func letters(of word: String) -> [UInt8] {
  Array(word.lowercased().utf8.filter { !"_- ".utf8.contains($0) }.prefix(64))
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var before: [Int] = []
  var previous = Array(0...b.count)
  for i in a.indices {
    var current = [i + 1]
    for j in b.indices {
      var distance = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { distance = min(distance, before[j - 1] + 1) }
      current.append(distance)
    }
    before = previous
    previous = current
  }
  return previous[b.count]
}
