import Components

/// Gathers what does not match between a checkpoint and a plan, in sentences with both names and shapes.
struct MatchReport {
  private(set) var problems: [Problem] = []
  private let stored: [String]
  private let expected: [String]
  private var counts: [String: Int] = [:]

  /// More problems of one kind say nothing new.
  private static let limit = 40
  /// Nearest names are looked for this often: each looks at every name.
  private static let hintLimit = 8

  init(stored: [String], expected: [String]) {
    self.stored = stored
    self.expected = expected
  }

  /// The one problem of a checkpoint that has none of the expected tensors.
  static func nothing(expected: String, stored: [StoredTensorEntry], at place: Place?) -> Problem {
    let found = stored.isEmpty ? "it has no tensors" : "its \(stored.count) tensors have names like '\(stored[0].name)'"
    return Problem(
      "the checkpoint has none of the tensors that the map expects, such as '\(expected)'; \(found)", at: place,
      hint: stored.isEmpty ? nil : "it may be a checkpoint of another family")
  }

  mutating func missing(_ tensor: PlannedTensor, _ name: String, at place: Place?) {
    add("missing", at: place, hint: stored, word: name) {
      "\(Self.words(tensor)) needs '\(name)', which the checkpoint does not have"
    }
  }

  mutating func incomplete(_ tensor: PlannedTensor, _ name: String) {
    add("incomplete") {
      "\(Self.words(tensor)) would be in '\(name)', which also holds tensors that the model does not have"
    }
  }

  mutating func unmapped(_ tensor: PlannedTensor) {
    add("unmapped") { "the checkpoint's map has no rule for \(Self.words(tensor))" }
  }

  mutating func duplicate(_ tensor: PlannedTensor, _ names: [String]) {
    add("duplicate") { "\(Self.words(tensor)) is stored more than once: \(names.joined(separator: ", "))" }
  }

  mutating func wrongShape(_ entry: StoredTensorEntry, _ wanted: [Int], _ tensors: [PlannedTensor], at place: Place?) {
    add("shape", at: place) {
      "'\(entry.name)' has shape \(entry.shape); \(tensors.map(Self.words).joined(separator: ", ")) "
        + (tensors.count == 1 ? "needs" : "need") + " \(wanted)"
    }
  }

  mutating func wrongType(_ entry: StoredTensorEntry) {
    add("type") { "'\(entry.name)' is stored as \(entry.typeName), which is not computed with" }
  }

  mutating func unused(_ entry: StoredTensorEntry, canonical: String?) {
    if let canonical {
      add("unused") { "'\(entry.name)' \(entry.shape) would be '\(canonical)', which the model does not have" }
    } else {
      add("unused", hint: expected, word: entry.name) { "nothing uses '\(entry.name)' \(entry.shape)" }
    }
  }

  private mutating func add(
    _ kind: String, at place: Place? = nil, hint names: [String] = [], word: String = "", _ sentence: () -> String
  ) {
    counts[kind, default: 0] += 1
    let count = counts[kind] ?? 0
    if count > Self.limit {
      if count == Self.limit + 1 { problems.append(Problem("and more of the kind: \(sentence())", at: place)) }
      return
    }
    let near = count <= Self.hintLimit && !names.isEmpty ? nearestName(to: word, in: names) : nil
    problems.append(Problem(sentence(), at: place, hint: near.map { "the nearest name is '\($0)'" }))
  }

  private static func words(_ tensor: PlannedTensor) -> String { "'\(tensor.name)' \(tensor.shape)" }
}
