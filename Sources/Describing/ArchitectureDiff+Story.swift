import Components

extension ArchitectureDiff {
  /// How one part of a model became another, in a few words.
  public struct StoryLine: Sendable, Hashable {
    /// `sizes`, `costs`, or the part's group of facts.
    public let group: String
    /// What changed: `learned → rope`, `bias dropped`.
    public let changes: [String]
  }

  /// The rows as a story: parts first, then sizes, then what they cost. What follows from something else is left out.
  static func story(of rows: [Row], _ first: ModelSheet, _ second: ModelSheet) -> [StoryLine] {
    var groups: [String] = []
    for row in rows where !groups.contains(row.group) { groups.append(row.group) }
    let parts = groups.filter { !["sizes", "costs"].contains($0) }
    let lines = parts.map { group in
      let own = rows.filter { $0.group == group }
      let isReplaced = own.contains { $0.key.isEmpty }
      return StoryLine(group: group, changes: own.compactMap { change(in: $0, isReplaced: isReplaced) })
    }
    let sizes = StoryLine(
      group: "sizes",
      changes: rows.filter { $0.group == "sizes" }.map { "\($0.key) \($0.first ?? "–") → \($0.second ?? "–")" })
    return (lines + [sizes, costs(first, second)]).filter { !$0.changes.isEmpty }
  }

  /// What happened to one option; nil when it follows from what is told already.
  private static func change(in row: Row, isReplaced: Bool) -> String? {
    if row.key.isEmpty { return "\(row.first ?? "none") → \(row.second ?? "none")" }
    // A key such as `tied` says how the part is, one such as `bias` what it has.
    let isState = row.key.hasSuffix("ed")
    let (added, dropped) =
      isState ? ("now \(row.key)", "no longer \(row.key)") : ("\(row.key) added", "\(row.key) dropped")
    switch (row.first, row.second) {
    case ("true", "false"): return dropped
    // Flags of a part that is new come with it.
    case (nil, "false"), ("false", nil): return nil
    case ("false", "true"), (nil, "true"): return isReplaced && row.first == nil ? nil : added
    case ("true", nil): return isReplaced ? nil : dropped
    case (nil, let second?): return isReplaced || !row.isWritten ? nil : "\(row.key) \(second)"
    case (let first?, nil): return isReplaced || !row.isWritten ? nil : "\(row.key) \(first) → none"
    case (let first?, let second?):
      let isNumber = Double(first) != nil && Double(second) != nil
      return isNumber && !row.isWritten ? nil : "\(row.key) \(first) → \(second)"
    case (nil, nil): return nil
    }
  }

  private static func costs(_ first: ModelSheet, _ second: ModelSheet) -> StoryLine {
    let (a, b) = (first.footprint, second.footprint)
    let counts = [
      ("parameters", a.parameterCount, b.parameterCount, Quantity.short),
      ("FLOPs per token", a.flopsAtStart, b.flopsAtStart, Quantity.operations),
      (
        "KV cache per token", a.stateBytesPerToken(in: .bf16), b.stateBytesPerToken(in: .bf16), Quantity.bytes
      ),
    ]
    return StoryLine(
      group: "costs",
      changes: counts.filter { $0.1 != $0.2 }.map { name, a, b, inWords in
        let ratio = a > 0 && b > 0 ? Quantity.ratio(Double(b) / Double(a)) : ""
        return "\(name) \(inWords(a)) → \(inWords(b))" + (ratio.isEmpty ? "" : " (\(ratio))")
      })
  }
}
