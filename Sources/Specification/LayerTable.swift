import Components

/// The layers while they are made: which part each layer has in each slot.
///
/// A part is what was written for a slot, after some merges; layers that went the same way share it, so each way is
/// merged once however many layers take it.
struct LayerTable {
  /// How many settings all merges together may copy; every layer with its own overrides stays far below.
  private static let copyLimit = 2_000_000
  private static let slots = Slot.ofLayers

  private var parts: [Setting.Entry?]
  private var rows: [Int]  // [layers, slots], positions in `parts`
  private var copied = 0
  private let choosing: [Slot: [String: String]]
  /// The changes of a component's type by variants and overrides, which dropped the old type's options.
  private(set) var typeChanges: [TypeChange] = []

  /// `count` layers as the model of `tree` describes them.
  init(_ tree: Setting, count: Int, choosing: [Slot: [String: String]]) {
    self.choosing = choosing
    parts = Self.slots.map { slot in tree.entries?.first { $0.key == slot.rawValue } }
    let first = Array(Self.slots.indices)
    rows = (0..<count).flatMap { _ in first }
  }

  /// Whether the merges copied more than a table may hold.
  var isTooLarge: Bool { copied > Self.copyLimit }

  /// The parts of a layer of the model after `patch`, as positions in `parts`.
  mutating func row(of patch: Setting) -> [Int] {
    Self.slots.indices.map { slot in
      change(of: slot, in: patch).map { merge(slot, $0, into: slot) } ?? slot
    }
  }

  /// Gives `layer` the parts of `row`.
  mutating func start(_ layer: Int, with row: [Int]) {
    for (slot, part) in row.enumerated() { rows[layer * Self.slots.count + slot] = part }
  }

  /// Lays `patch` over `layers`.
  mutating func change(_ layers: [Int], by patch: Setting) {
    for slot in Self.slots.indices {
      guard let change = change(of: slot, in: patch) else { continue }
      var made: [Int: Int] = [:]
      for layer in layers where !isTooLarge {
        let index = layer * Self.slots.count + slot
        let old = rows[index]
        let new = made[old] ?? merge(old, change, into: slot)
        made[old] = new
        rows[index] = new
      }
    }
  }

  private func change(of slot: Int, in patch: Setting) -> Setting.Entry? {
    patch.entries?.first { $0.key == Self.slots[slot].rawValue }
  }

  /// The position of a new part: `change` over the part at `position`.
  private mutating func merge(_ position: Int, _ change: Setting.Entry, into slot: Int) -> Int {
    let part = parts[position]
    if change.value.isNull {
      parts.append(nil)
    } else {
      var merger = Merger(choosing: choosing)
      let base = part?.value ?? Setting(.group([]))
      let merged = merger.merge(base, change.value, MergeRegion.root.under(Self.slots[slot].rawValue))
      copied += merger.copied
      for change in merger.typeChanges where !typeChanges.contains(change) && typeChanges.count < 100 {
        typeChanges.append(change)
      }
      parts.append(Setting.Entry(change.key, merged, at: change.place ?? part?.place))
    }
    return parts.count - 1
  }

  /// The layers, and for each the number of its content; `variants` are the names of a period.
  func specs(variants: [String], problems: inout Problems) -> (specs: [LayerSpec], kinds: [Int]) {
    var components: [Int: ComponentSpec] = [:]
    var contents: [Int: Int] = [:]
    var numbers: [Setting: Int] = [:]
    var kindOfContent: [[Int]: Int] = [:]
    var specs: [LayerSpec] = []
    var kinds: [Int] = []
    var firstWith: [[Int]: Int] = [:]
    // What all layers have distinguishes none, and to compare trees is slow.
    let isShared = Self.slots.indices.map { slot in
      stride(from: slot, to: rows.count, by: Self.slots.count).allSatisfy { rows[$0] == rows[slot] }
    }
    for layer in 0..<rows.count / Self.slots.count {
      let row = Self.slots.indices.map { rows[layer * Self.slots.count + $0] }
      let variant = variants.isEmpty ? nil : layer % variants.count
      if let first = firstWith[row + [variant ?? -1]] {
        specs.append(specs[first])
        kinds.append(kinds[first])
        continue
      }
      firstWith[row + [variant ?? -1]] = layer
      for (index, part) in row.enumerated() where components[part] == nil {
        let (slot, entry) = (Self.slots[index], parts[part])
        components[part] = ComponentSpec(slot, entry, problems: &problems)
        guard let entry, !isShared[index] else { continue }
        let content = entry.value.withoutPlaces
        let number = numbers[content] ?? numbers.count + 1
        numbers[content] = number
        contents[part] = number
      }
      let content = row.map { contents[$0] ?? 0 }
      let kind = kindOfContent[content] ?? kindOfContent.count
      kindOfContent[content] = kind
      kinds.append(kind)
      let chosen = zip(Self.slots, row).compactMap { slot, part in components[part].map { (slot, $0) } }
      specs.append(
        LayerSpec(
          components: Dictionary(uniqueKeysWithValues: chosen), variant: variant.map { variants[$0] }))
    }
    return (specs, kinds)
  }
}
