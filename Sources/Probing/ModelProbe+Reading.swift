import Components
import Generation

extension PreparedChanges {
  /// All of `parts` give zeros: layers are skipped, sublayers and heads give nothing.
  public static func zeroing(_ parts: [ProbedPart]) -> PreparedChanges {
    PreparedChanges(
      list: parts.flatMap(\.sites).map { SiteChange(site: $0, replacement: .zeros, positions: nil) })
  }
}

extension ModelProbe {
  /// How likely each of `tokens` but the first is given those before it, with `changes`, and the `count` likeliest in its place.
  public func probabilities(
    of tokens: [Int], changing changes: PreparedChanges = .none, mostLikely count: Int
  ) throws -> [TokenProbability] {
    var probabilities: [TokenProbability] = []
    _ = try run(tokens, changing: changes.list) { position, logits in
      guard position + 1 < tokens.count else { return }
      probabilities.append(TokenProbability(of: tokens[position + 1], among: logits, mostLikely: count))
    }
    return probabilities
  }

  /// The weights that the head `part` gives each key for each query of `tokens`, with `changes`; nil where it is no head of
  /// softmax attention.
  public func attention(
    of part: ProbedPart, over tokens: [Int], changing changes: PreparedChanges = .none
  ) throws -> [[Float]]? {
    guard part.kind == .head, let site = part.sites.first,
      let name = map.attention.first(where: { $0.step == site.step })?.name
    else { return nil }
    let head = site.columns.lowerBound / site.columns.count
    guard let weights = try record([name], of: tokens, changing: changes).first else { return nil }
    let count = tokens.count
    return (0..<count).map { query in
      let start = (head * count + query) * count
      return Array(weights.numbers[start..<start + count])
    }
  }
}
