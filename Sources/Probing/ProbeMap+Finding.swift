import Components

extension ProbeMap {
  /// The heads, sublayers, layers or values that `pattern` names: a name, in which a `*` stands for one word.
  ///
  /// Of a part and a value of one name it is the part. Throws `ProbeProblem.unknown` when nothing has such a name.
  public func parts(named pattern: String) throws(ProbeProblem) -> [ProbedPart] {
    let found = Self.matching(pattern, parts)
    if !found.isEmpty { return found }
    let values = Self.matching(pattern, values)
    if values.isEmpty { throw unknown(pattern, among: parts + self.values) }
    return values
  }

  /// The values that `pattern` names; throws `ProbeProblem.unknown` when nothing has such a name. Attention weights are none:
  /// those are `attentionSteps(named:)`.
  public func values(named pattern: String) throws(ProbeProblem) -> [ProbedPart] {
    let found = Self.matching(pattern, values)
    if found.isEmpty, attentionSteps(named: pattern).isEmpty {
      // A head has no step of its own, and can be recorded like any other.
      let parts = Self.matching(pattern, parts)
      if parts.isEmpty { throw unknown(pattern, among: self.parts.filter { $0.kind == .head } + values) }
      return parts
    }
    return found
  }

  /// The steps of attention whose weights `pattern` names.
  func attentionSteps(named pattern: String) -> [(name: String, step: Int)] {
    attention.filter { Self.matches(pattern, $0.name) }
  }

  /// All parts of `kind`; throws `ProbeProblem.none` when there are none.
  public func parts(of kind: ProbedPart.Kind) throws(ProbeProblem) -> [ProbedPart] {
    let found = kind == .value ? values : parts.filter { $0.kind == kind }
    if found.isEmpty {
      let others = ProbedPart.Kind.allCases.filter { kind in kind != .value && parts.contains { $0.kind == kind } }
      throw .none(plan.name, kind, others: others)
    }
    return found
  }

  /// Names with `*` for the layers' numbers and the heads', each once: what there is, in short.
  public static func patterns(of parts: [ProbedPart]) -> [String] {
    var seen: Set<String> = []
    return parts.map { pattern(of: $0.name) }.filter { seen.insert($0).inserted }
  }

  private static func pattern(of name: String) -> String {
    var words = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    for index in words.indices.dropFirst()
    where ["layers", "head"].contains(words[index - 1]) && Int(words[index]) != nil {
      words[index] = "*"
    }
    return words.joined(separator: ".")
  }

  private func unknown(_ name: String, among parts: [ProbedPart]) -> ProbeProblem {
    let weights = attention.map(\.name)
    return .unknown(
      name, nearest: nearestName(to: name, in: parts.map(\.name) + weights),
      existing: Self.patterns(of: parts) + (weights.isEmpty ? [] : Array(Set(weights.map(Self.pattern))).sorted()))
  }

  private static func matching(_ pattern: String, _ parts: [ProbedPart]) -> [ProbedPart] {
    parts.filter { matches(pattern, $0.name) }
  }

  private static func matches(_ pattern: String, _ name: String) -> Bool {
    if pattern == name { return true }
    guard pattern.contains("*") else { return false }
    let (wanted, words) = (pattern.split(separator: "."), name.split(separator: "."))
    return wanted.count == words.count && zip(wanted, words).allSatisfy { $0 == "*" || $0 == $1 }
  }
}
