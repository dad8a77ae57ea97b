import Components

extension Setting {
  /// The smallest patch that makes `target` out of `base`: `base.merging(patch)` is equivalent to `target`.
  ///
  /// An empty group when the two are equivalent. What no patch can say is that a layer variant comes to delete an
  /// option of the model (`null`) which it set before, or no longer deletes it: a `null` only takes back what the
  /// variant set.
  public static func minimalPatch(from base: Setting, to target: Setting) -> Setting {
    difference(base, target, .root) ?? Setting(.group([]))
  }

  /// Whether this and `other` describe the same architecture, wherever and in whichever order it was written.
  ///
  /// A component's name equals the group with only that type, an absent key equals `null`, and numbers are compared as
  /// numbers.
  public func isEquivalent(to other: Setting) -> Bool {
    Self.difference(self, other, .root) == nil
  }

  /// What to lay over `base` to get `target`; nil when they are equivalent.
  private static func difference(_ base: Setting, _ target: Setting, _ region: MergeRegion) -> Setting? {
    guard let wanted = region.group(target) else { return sameContent(base, target) ? nil : target.withoutPlaces }
    guard let present = region.group(base) else { return target.withoutPlaces }
    let oldType = present.first { $0.key == "type" }?.value
    let newType = wanted.first { $0.key == "type" }?.value
    if oldType?.text != newType?.text, region.isChange(from: oldType?.text, to: newType?.text) {
      var patch = target.withoutPlaces
      if newType == nil { patch = Setting(.group([Entry("type", .null)] + (patch.entries ?? []))) }
      return patch
    }
    let old = Dictionary(present.map { ($0.key, $0.value) }) { first, _ in first }
    let keys = Set(wanted.map(\.key))
    var changes: [Entry] = []
    for entry in wanted {
      let inner = region.under(entry.key)
      let isAbsent = entry.value.isNull && !(inner.isLayerPatch && !inner.isWholeVariant)
      guard let value = old[entry.key] else {
        if !isAbsent { changes.append(Entry(entry.key, entry.value.withoutPlaces)) }
        continue
      }
      if isAbsent {
        if !value.isNull { changes.append(Entry(entry.key, .null)) }
      } else if let change = difference(value, entry.value, inner) {
        changes.append(Entry(entry.key, change))
      }
    }
    for entry in present where !keys.contains(entry.key) && !entry.value.isNull {
      changes.append(Entry(entry.key, .null))
    }
    return changes.isEmpty ? nil : Setting(.group(changes))
  }

  /// Whether two settings that are not both groups say the same.
  private static func sameContent(_ a: Setting, _ b: Setting) -> Bool {
    switch (a.content, b.content) {
    case (.scalar(let first, _), .scalar(let second, _)):
      if a.isNull || b.isNull { return a.isNull && b.isNull }
      if let first = a.number, let second = b.number { return first == second }
      if let first = a.flag, let second = b.flag { return first == second }
      return first == second && a.isWord == b.isWord
    case (.list(let first), .list(let second)):
      return first.count == second.count && zip(first, second).allSatisfy { difference($0, $1, .plain) == nil }
    default: return false
    }
  }

  /// Whether this is a text that is not null, a flag or a number.
  private var isWord: Bool { text != nil && flag == nil && number == nil }

  /// The same setting, as if a program had made it.
  public var withoutPlaces: Setting {
    switch content {
    case .scalar: Setting(content)
    case .list(let items): Setting(.list(items.map(\.withoutPlaces)))
    case .group(let entries): Setting(.group(entries.map { Entry($0.key, $0.value.withoutPlaces) }))
    }
  }
}
