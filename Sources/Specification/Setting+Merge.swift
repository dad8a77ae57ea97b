import Components

extension Setting {
  /// This architecture with `patch` laid over it.
  ///
  /// Groups merge key by key, everything else is replaced; `null` deletes; a patch that changes a `type` drops the old
  /// group's other keys; a component's name stands for the group `{type: name}`. In `layers.variants` a `null` deletes
  /// what the variant says, and where the variant says nothing it stays, to delete what the model says.
  public func merging(_ patch: Setting) -> Setting {
    var merger = Merger(choosing: [:])
    return merger.merge(self, patch, .root)
  }
}

/// Merges settings, and notes the nulls that found nothing to delete.
struct Merger {
  /// A null that was written for a key which is not there, and the keys that are.
  struct EmptyDeletion {
    var key: String
    var place: Place
    var keys: [String]
  }

  /// The options by which components are chosen where no type is written, and the components.
  let choosing: [Slot: [String: String]]
  /// The nulls written in files and commands that found nothing to delete.
  private(set) var emptyDeletions: [EmptyDeletion] = []
  /// The changes of a component's type, which dropped the old type's other keys.
  private(set) var typeChanges: [TypeChange] = []
  /// How many entries of groups the merges wrote.
  private(set) var copied = 0

  /// A merger that treats a change of one of the options in `choosing` as a change of type.
  init(choosing: [Slot: [String: String]]) { self.choosing = choosing }

  /// `base` with `patch` laid over it, both standing in `region`.
  mutating func merge(_ base: Setting, _ patch: Setting, _ region: MergeRegion) -> Setting {
    guard let changes = region.group(patch) else { return patch }
    guard let entries = region.group(base) else { return inserted(patch, region) }
    let place = patch.place ?? base.place
    if let type = changes.first(where: { $0.key == "type" })?.value {
      let old = entries.first { $0.key == "type" }?.value.text
      if region.isChange(from: old, to: type.text) {
        noteTypeChange(in: region, from: old, to: type, entries, changes)
        return inserted(patch, region)
      }
      // Two names, and they are the same.
      if base.entries == nil, patch.entries == nil { return patch }
    }
    if isOtherChoice(changes, than: entries, in: region) { return inserted(patch, region) }
    var merged = KeyedEntries(entries, expecting: changes.count)
    for change in changes {
      let inner = region.under(change.key)
      guard let index = merged.index(of: change.key) else {
        if change.value.isNull, !inner.isKeptNull {
          noteEmptyDeletion(change, among: entries)
        } else {
          merged.append(Entry(change.key, inserted(change.value, inner), at: change.place))
        }
        continue
      }
      let old = merged[index]
      if change.value.isNull {
        // A null that waits for the model is not taken back by saying it again.
        if !old.value.isNull || !inner.isKeptNull { merged.remove(at: index) }
      } else {
        merged.replace(
          at: index, with: Entry(change.key, merge(old.value, change.value, inner), at: change.place ?? old.place))
      }
    }
    let result = merged.entries
    copied += result.count
    return Setting(.group(result), at: place)
  }

  private typealias Entry = Setting.Entry

  /// Whether `changes` set the option that chooses the component to something else than `entries`: what was written beside
  /// the old choice, as the scalars of a formula, belongs to that alone.
  private func isOtherChoice(_ changes: [Entry], than entries: [Entry], in region: MergeRegion) -> Bool {
    guard let names = region.slot.flatMap({ choosing[$0] }) else { return false }
    return changes.contains { change in
      guard names[change.key] != nil, !change.value.isNull else { return false }
      guard let old = entries.first(where: { $0.key == change.key })?.value, !old.isNull else { return false }
      return !old.isEquivalent(to: change.value)
    }
  }

  /// `setting` where nothing was before: its nulls have nothing to delete, and go.
  private mutating func inserted(_ setting: Setting, _ region: MergeRegion) -> Setting {
    guard let entries = setting.entries, setting.holdsNull else { return setting }
    var result: [Entry] = []
    result.reserveCapacity(entries.count)
    for entry in entries {
      let inner = region.under(entry.key)
      if entry.value.isNull, !inner.isKeptNull {
        noteEmptyDeletion(entry, among: entries)
      } else {
        result.append(Entry(entry.key, inserted(entry.value, inner), at: entry.place))
      }
    }
    copied += result.count
    return Setting(.group(result), at: setting.place)
  }

  private mutating func noteTypeChange(
    in region: MergeRegion, from old: String?, to type: Setting, _ entries: [Entry], _ changes: [Entry]
  ) {
    guard let slot = region.slot, let place = type.place, typeChanges.count < 100 else { return }
    let dropped = entries.filter { entry in
      entry.key != "type" && !entry.value.isNull && !changes.contains { $0.key == entry.key }
    }
    guard !dropped.isEmpty else { return }
    typeChanges.append(
      TypeChange(
        slot: slot, from: old ?? slot.rawValue, to: type.text ?? slot.rawValue, place: place, dropped: dropped))
  }

  private mutating func noteEmptyDeletion(_ entry: Entry, among entries: [Entry]) {
    guard let place = entry.place, emptyDeletions.count < 100 else { return }
    emptyDeletions.append(
      EmptyDeletion(key: entry.key, place: place, keys: entries.prefix(1000).map(\.key).filter { $0 != entry.key }))
  }
}

extension Setting {
  /// Whether a null stands in this group or a group in it.
  fileprivate var holdsNull: Bool {
    guard case .group(let entries) = content else { return false }
    return entries.contains { $0.value.isNull || $0.value.holdsNull }
  }
}

extension MergeRegion {
  /// Whether a null here is kept because there may be something to delete in the model.
  fileprivate var isKeptNull: Bool { isLayerPatch && !isWholeVariant }
}

/// Entries that are found by key without a search through all of them.
private struct KeyedEntries {
  private var slots: [Setting.Entry?]
  // Filled only for groups large enough that a search is slow.
  private var positions: [String: Int] = [:]
  private let isLarge: Bool

  init(_ entries: [Setting.Entry], expecting changes: Int) {
    slots = entries
    isLarge = max(entries.count, changes) > 16
    if isLarge {
      for (index, entry) in entries.enumerated() { positions[entry.key] = index }
    }
  }

  var entries: [Setting.Entry] { slots.compactMap { $0 } }

  func index(of key: String) -> Int? {
    isLarge ? positions[key] : slots.firstIndex { $0?.key == key }
  }

  subscript(index: Int) -> Setting.Entry {
    slots[index] ?? Setting.Entry("", .null)
  }

  mutating func append(_ entry: Setting.Entry) {
    if isLarge { positions[entry.key] = slots.count }
    slots.append(entry)
  }

  mutating func replace(at index: Int, with entry: Setting.Entry) {
    slots[index] = entry
  }

  mutating func remove(at index: Int) {
    if isLarge, let entry = slots[index] { positions[entry.key] = nil }
    slots[index] = nil
  }
}
