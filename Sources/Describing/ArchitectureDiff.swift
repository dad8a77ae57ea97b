import Components
import Specification

/// What differs between two models, and what of a specification makes one of the other.
public struct ArchitectureDiff: Sendable {
  /// A fact that the two do not share.
  public struct Row: Sendable, Hashable {
    /// The group it belongs to.
    public let group: String
    /// Its key; empty for the component that fills a slot.
    public let key: String
    /// Its value in the first model; nil when there is none.
    public let first: String?
    /// Its value in the second model; nil when there is none.
    public let second: String?
    /// Whether either file says it, rather than a default or what follows from sizes.
    public let isWritten: Bool
  }

  /// What differs in a few words, part by part.
  public let story: [StoryLine]
  /// What differs, in the order of the facts; costs too.
  public let rows: [Row]
  /// Whether both compose the same model, whatever it is called.
  public let composesTheSame: Bool

  /// The differences between `first` and `second`.
  public init(_ first: ModelSheet, _ second: ModelSheet) {
    // What one of them tells apart is told of the other too, lest it look new where it has been all along.
    let told = Set((first.facts + second.facts).map(\.group))
    let (left, right) = (first.facts(with: told), second.facts(with: told))
    composesTheSame =
      first.plan.shape == second.plan.shape && first.choices.isEquivalent(to: second.choices)
    var rows: [Row] = []
    var groups: [String] = []
    for fact in left + right where !groups.contains(fact.group) { groups.append(fact.group) }
    // Costs come last, whatever groups only the second has.
    for group in groups.filter({ $0 != "costs" }) + ["costs"] {
      let inGroup = { (facts: [ArchitectureFact]) in facts.filter { $0.group == group } }
      let (left, right) = (inGroup(left), inGroup(right))
      let keys = Self.merged(left.map(\.key), right.map(\.key))
      for key in keys {
        let a = left.first { $0.key == key }
        let b = right.first { $0.key == key }
        guard a?.value != b?.value, !Self.isSame(a?.layers ?? [], b?.layers ?? []) else { continue }
        let isWritten = a?.isWritten == true || b?.isWritten == true
        rows.append(Row(group: group, key: key, first: a?.value, second: b?.value, isWritten: isWritten))
      }
    }
    self.rows = rows
    story = Self.story(of: rows, first, second)
  }

  /// Whether an option has the same value wherever a layer of either model has it: what it is told of are then other
  /// layers, and that is the change of their components, not of the option.
  private static func isSame(_ first: [String?], _ second: [String?]) -> Bool {
    let values = Set((first + second).compactMap { $0 })
    let isSomewhere = { (layers: [String?]) in layers.contains { $0 != nil } }
    guard isSomewhere(first), isSomewhere(second) else { return false }
    if values.count == 1 { return true }
    return first.count == second.count && zip(first, second).allSatisfy { $0 == nil || $1 == nil || $0 == $1 }
  }

  /// Both lists in one, each key of the second after the one that it follows there and after what only the first has.
  private static func merged(_ first: [String], _ second: [String]) -> [String] {
    var keys = first
    var place = 0
    for key in second {
      if let index = keys.firstIndex(of: key) {
        place = index + 1
      } else {
        while place < keys.count, !second.contains(keys[place]) { place += 1 }
        keys.insert(key, at: place)
        place += 1
      }
    }
    return keys
  }

  /// The keys of a specification that decide what is composed.
  private static let shapingKeys =
    ["vocab_size", "context_length", "hidden_size"] + Slot.ofModels.map(\.rawValue) + ["layers", "stacks"]

  /// The patch that makes the architecture of `target` out of that of `base`, as their files say it.
  ///
  /// What a default or a size already gives may still stand in it: `base` may write what `target` leaves out.
  public static func patch(from base: Architecture, to target: Architecture) -> Setting {
    Setting.minimalPatch(from: shaping(base.resolved), to: shaping(target.resolved))
  }

  /// The rest of what differs: facts, tokenizer, names of tensors.
  public static func otherPatch(from base: Architecture, to target: Architecture) -> Setting {
    Setting.minimalPatch(from: besides(base.resolved), to: besides(target.resolved))
  }

  private static func shaping(_ tree: Setting) -> Setting {
    Setting(.group((tree.entries ?? []).filter { shapingKeys.contains($0.key) }))
  }

  private static func besides(_ tree: Setting) -> Setting {
    Setting(.group((tree.entries ?? []).filter { !shapingKeys.contains($0.key) && $0.key != "name" }))
  }
}
