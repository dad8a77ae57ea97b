import Files

/// The variants of a model's layers as a spec's pattern has them, and the ways to write them.
///
/// A spec says `[5*local, global]` and repeats it; other readers want a word for every layer.
struct LayerPattern {
  /// The path in a spec of the pattern.
  static let path = "layers.pattern"

  private let items: JSONValue
  /// The variant of each layer; nil where the items are no pattern.
  let names: [String]?

  /// The pattern of `items`, repeated for `layers` layers.
  init(_ items: JSONValue, layers: Int) {
    self.items = items
    var names: [String] = []
    // No model has more layers, and a count in a file may be anything.
    let limit = 1 << 16
    for item in items.array ?? [] {
      guard names.count < limit else { break }
      let words = item.word.split(separator: "*", maxSplits: 1)
      guard words.count == 2, let count = Int(words[0].filter { $0 != " " }), count >= 0 else {
        names.append(item.word)
        continue
      }
      names += Array(repeating: words[1].filter { $0 != " " }, count: min(count, limit))
    }
    guard !names.isEmpty, layers > 0, layers <= limit else {
      self.names = names.isEmpty ? nil : names
      return
    }
    self.names = (0..<layers).map { names[$0 % names.count] }
  }

  /// A word for every layer; then runs of equal layers with their lengths; then as it was written.
  var spellings: [JSONValue] {
    guard let names else { return [items] }
    var runs: [(name: String, count: Int)] = []
    for name in names {
      if runs.last?.name == name { runs[runs.count - 1].count += 1 } else { runs.append((name, 1)) }
    }
    return [
      .array(names.map(JSONValue.string)), .array(runs.map { .string("\($0.count)*\($0.name)") }), items,
    ]
  }
}
