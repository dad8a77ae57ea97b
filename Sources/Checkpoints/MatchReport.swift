import Components

/// Gathers what does not match between a checkpoint and a plan, in sentences with both names and shapes.
///
/// What is the same in many layers is said once: `'layers.0–11.attn.q.weight' [768, 768] needs 'h.0–11.q.weight'`.
struct MatchReport {
  /// Tensors of which the same is to be said, whatever their numbers.
  private struct Group {
    let place: Place?
    /// The name that others are compared with for a hint; empty for no hint.
    let word: String
    /// Where the hint is looked for.
    let others: [String]
    /// The sentence, with names as `show` writes them.
    let sentence: (_ show: (String) -> String) -> String
    /// The numbers in each name that was given, by the name's pattern.
    var numbers: [String: [[Int]]] = [:]
  }

  private var groups: [Group] = []
  private var places: [String: Int] = [:]
  private let stored: [String]
  private let expected: [String]

  /// More problems say nothing new.
  private static let limit = 40
  /// Nearest names are looked for this often: each looks at every name.
  private static let hintLimit = 8

  init(stored: [String], expected: [String]) {
    self.stored = stored
    self.expected = expected
  }

  /// The one problem of a checkpoint that has none of the expected tensors, or none of the expected ones of layers.
  static func nothing(
    expected: String, stored: [StoredTensorEntry], ofLayers: Bool, at place: Place?
  ) -> Problem {
    let similar = stored.first { !ofLayers || !TensorNamePattern.generalizing($0.name).numbers.isEmpty }
    let names = (similar ?? stored.first).map { "has names like '\($0.name)'" } ?? "has no tensors"
    return Problem(
      "the checkpoint has none of the tensors\(ofLayers ? " of layers" : "") that the map expects, such as '\(expected)'; it \(names)",
      at: place, hint: stored.isEmpty ? nil : CheckpointMap.foreignHint)
  }

  /// Layers of the model of which the checkpoint has nothing; `example` is one of their tensors.
  mutating func missingLayers(_ layers: [Int], example: String, at place: Place?) {
    let numbers = Self.ranges(layers)
    add("layers", [], at: place) { _ in
      "the checkpoint has nothing of \(layers.count == 1 ? "layer" : "the layers") \(numbers), such as '\(example)'"
    }
  }

  /// Layers that the checkpoint has and the model does not; `example` is one of their tensors.
  mutating func extraLayers(_ layers: [Int], example: String) {
    let numbers = Self.ranges(layers)
    add("extra layers", []) { _ in
      "the checkpoint has the \(layers.count == 1 ? "layer" : "layers") \(numbers), which the model does not have, such as '\(example)'"
    }
  }

  mutating func missing(_ tensor: PlannedTensor, _ name: String, at place: Place?) {
    add("missing", [tensor.name.text, name], at: place, hint: stored, word: name) { show in
      "'\(show(tensor.name.text))' \(tensor.shape) needs '\(show(name))', which the checkpoint does not have"
    }
  }

  mutating func incomplete(_ tensor: PlannedTensor, _ name: String) {
    add("incomplete", [tensor.name.text, name]) { show in
      "'\(show(tensor.name.text))' \(tensor.shape) would be in '\(show(name))', which also holds tensors that the model does not have"
    }
  }

  mutating func unmapped(_ tensor: PlannedTensor) {
    add("unmapped", [tensor.name.text]) { show in
      "the checkpoint's map has no rule for '\(show(tensor.name.text))' \(tensor.shape)"
    }
  }

  mutating func duplicate(_ tensor: PlannedTensor, _ names: [String]) {
    add("duplicate", [tensor.name.text] + names) { show in
      "'\(show(tensor.name.text))' \(tensor.shape) is stored more than once: \(names.map(show).joined(separator: ", "))"
    }
  }

  mutating func wrongShape(_ entry: StoredTensorEntry, _ wanted: [Int], _ tensors: [PlannedTensor], at place: Place?) {
    add("shape", [entry.name] + tensors.map(\.name.text), at: place) { show in
      let words = tensors.map { "'\(show($0.name.text))'" + ($0.shape == wanted ? "" : " \($0.shape)") }
        .joined(separator: ", ")
      return
        "'\(show(entry.name))' has shape \(entry.shape); \(words) \(tensors.count == 1 ? "needs" : "need") \(wanted)"
    }
  }

  mutating func wrongType(_ entry: StoredTensorEntry) {
    add("type", [entry.name]) { show in
      "'\(show(entry.name))' is stored as \(entry.typeName), which is not computed with"
    }
  }

  mutating func unused(_ entry: StoredTensorEntry, canonical: String?) {
    if let canonical {
      add("superfluous", [entry.name, canonical]) { show in
        "'\(show(entry.name))' \(entry.shape) would be '\(show(canonical))', which the model does not have"
      }
    } else {
      add("unused", [entry.name], hint: expected, word: entry.name) { show in
        "nothing uses '\(show(entry.name))' \(entry.shape)"
      }
    }
  }

  private mutating func add(
    _ kind: String, _ names: [String], at place: Place? = nil, hint others: [String] = [], word: String = "",
    _ sentence: @escaping (_ show: (String) -> String) -> String
  ) {
    let key = "\(kind) \(place?.line ?? 0) " + sentence { TensorNamePattern.generalizing($0).pattern }
    let index = places[key] ?? groups.count
    if index == groups.count {
      groups.append(Group(place: place, word: word, others: others, sentence: sentence))
      places[key] = index
    }
    for name in names {
      let (pattern, numbers) = TensorNamePattern.generalizing(name)
      groups[index].numbers[pattern, default: []].append(numbers)
    }
  }

  /// What was gathered.
  var problems: [Problem] {
    var hints = 0
    var problems = groups.prefix(Self.limit).map { group in
      var near: String?
      if !group.word.isEmpty, hints < Self.hintLimit {
        hints += 1
        near = nearestName(to: group.word, in: group.others)
      }
      let pattern = TensorNamePattern.generalizing(group.word).pattern
      let many = (group.numbers[pattern]?.count ?? 0) > 1
      // The same name in another layer says nothing new.
      if let name = near, TensorNamePattern.generalizing(name).pattern == pattern { near = nil }
      let hint = near.map { "the nearest name is '\(many ? TensorNamePattern.generalizing($0).pattern : $0)'" }
      return Problem(group.sentence { Self.name($0, group.numbers) }, at: group.place, hint: hint)
    }
    if groups.count > Self.limit {
      problems.append(Problem("and \(groups.count - Self.limit) more of the kind", at: nil))
    }
    return problems
  }

  /// `name` with all the numbers that names of its pattern had: `layers.0–3.attn.q`.
  private static func name(_ name: String, _ numbers: [String: [[Int]]]) -> String {
    let (pattern, own) = TensorNamePattern.generalizing(name)
    guard let all = numbers[pattern], all.count > 1 else { return name }
    var parts = pattern.split(separator: "*", omittingEmptySubsequences: false).makeIterator()
    var text = String(parts.next() ?? "")
    for slot in own.indices {
      text += ranges(Set(all.compactMap { $0.indices.contains(slot) ? $0[slot] : nil }).sorted())
      text += parts.next() ?? ""
    }
    return text
  }

  /// Sorted numbers as a person writes them: `0–3, 7`.
  private static func ranges(_ numbers: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for number in numbers {
      if let last = runs.last, number - 1 == last.upperBound {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }.joined(separator: ", ")
  }
}
