import Components

/// Reads the layers out of a merged tree: the model's components, then the variant that the pattern gives the layer,
/// then the overrides that match it, in the order of the file.
struct LayerReader {
  /// What is wrong so far.
  private(set) var problems: Problems

  private let tree: Setting

  /// The components of a layer, in the order of `LayerSpec.slots`; nil where nothing was written.
  private typealias Parts = [Setting.Entry?]

  /// A patch for the layers that it matches.
  private struct Override {
    var layers: [Int]
    var patch: Setting
  }

  /// How many times parts are merged at most; every layer with its own overrides stays far below.
  private static let mergeLimit = 50_000

  /// A reader of `tree` that adds to `problems`.
  init(_ tree: Setting, problems: Problems) {
    self.tree = tree
    self.problems = problems
  }

  /// The layers, and for each the number of its content; empty when their count is unclear.
  mutating func read() -> (specs: [LayerSpec], kinds: [Int]) {
    guard let layers = tree["layers"] else { return ([], []) }
    guard let entries = layers.entries else {
      problems.add(
        Problem(
          "'layers' takes a group of keys, not \(layers.kindInWords)", at: layers.place, hint: "write {count: 12}"))
      return ([], [])
    }
    for entry in entries where !ArchitectureKeys.layers.contains(entry.key) {
      problems.add(unknownKey(entry, in: "'layers'", among: ArchitectureKeys.layers))
    }
    if layers["count"] == nil {
      problems.add(
        Problem("the key 'count' is missing in 'layers'", at: layers.place, hint: "count: how many there are"))
    }
    let count = layers["count"].flatMap {
      wholeNumber($0, of: "count", limit: ArchitectureKeys.layerLimit, problems: &problems)
    }
    let variants = variants(layers["variants"])
    let pattern = pattern(layers["pattern"], variants: variants)
    let overrides = overrides(layers["overrides"], count: count)
    guard let count, problems.isEmpty else { return ([], []) }
    return resolve(count: count, variants: variants, pattern: pattern, overrides: overrides)
  }

  // MARK: What is written

  private mutating func variants(_ setting: Setting?) -> [Setting.Entry] {
    guard let setting else { return [] }
    guard let entries = setting.entries else {
      problems.add(
        Problem("'variants' takes a group of patches by name, not \(setting.kindInWords)", at: setting.place))
      return []
    }
    for entry in entries { checkPatch(entry.value, of: "the variant '\(entry.key.prefix(60))'", besides: nil) }
    return entries
  }

  /// The variant of each layer of a period, as a position in `variants`.
  private mutating func pattern(_ setting: Setting?, variants: [Setting.Entry]) -> [Int] {
    guard let setting else {
      if let first = variants.first {
        problems.add(
          Problem(
            "there are variants, but no pattern says which layer takes which", at: first.place,
            hint: "pattern: [\(variants.prefix(3).map(\.key).joined(separator: ", "))]"))
      }
      return []
    }
    var period: [Int] = []
    var used: Set<Int> = []
    var isClear = true
    for item in setting.list ?? [setting] {
      do throws(Problem) {
        let item = try PatternItem(item)
        guard let index = variants.firstIndex(where: { $0.key == item.name }) else {
          let near = nearestName(to: item.name, in: variants.map(\.key))
          throw Problem(
            "no variant is named '\(item.name.prefix(60))'", at: item.place,
            hint: near.map { "did you mean '\($0)'?" } ?? "describe it under 'variants'")
        }
        used.insert(index)
        period += repeatElement(index, count: min(item.count, ArchitectureKeys.layerLimit))
        if period.count > ArchitectureKeys.layerLimit {
          throw Problem("the pattern is longer than \(ArchitectureKeys.layerLimit) layers", at: item.place)
        }
      } catch {
        problems.add(error)
        isClear = false
        if period.count > ArchitectureKeys.layerLimit { break }
      }
    }
    if isClear, period.isEmpty {
      problems.add(Problem("the pattern is empty", at: setting.place, hint: "pattern: [3*local, global]"))
    }
    // A misspelt name in the pattern would make its variant look unused; a program's pattern may leave some out.
    if isClear, setting.place != nil {
      for index in variants.indices where !used.contains(index) {
        problems.add(
          Problem("the pattern does not use the variant '\(variants[index].key.prefix(60))'", at: variants[index].place)
        )
      }
    }
    return isClear ? period : []
  }

  private mutating func overrides(_ setting: Setting?, count: Int?) -> [Override] {
    guard let setting else { return [] }
    guard let items = setting.list else {
      problems.add(
        Problem(
          "'overrides' takes a list of patches, not \(setting.kindInWords)", at: setting.place,
          hint: "write - {layers: 0, …}"))
      return []
    }
    guard items.count <= ArchitectureKeys.overrideLimit else {
      problems.add(Problem("there are more than \(ArchitectureKeys.overrideLimit) overrides", at: setting.place))
      return []
    }
    return items.compactMap { item in
      checkPatch(item, of: "an override", besides: "layers")
      guard let entries = item.entries else { return nil }
      guard let slices = item["layers"], !slices.isNull else {
        problems.add(Problem("this override does not say for which layers", at: item.place, hint: "layers: \"0:2\""))
        return nil
      }
      if entries.count == 1 {
        problems.add(Problem("this override changes nothing", at: item.place))
      }
      guard let count else { return nil }
      do throws(Problem) {
        let layers = try LayerSlice.layers(slices, count: count)
        return Override(layers: layers, patch: Setting(.group(entries.filter { $0.key != "layers" }), at: item.place))
      } catch {
        problems.add(error)
        return nil
      }
    }
  }

  /// Checks that `patch` changes only what may differ from layer to layer.
  private mutating func checkPatch(_ patch: Setting, of owner: String, besides extra: String?) {
    guard let entries = patch.entries else {
      problems.add(Problem("\(owner) takes a group of keys, not \(patch.kindInWords)", at: patch.place))
      return
    }
    let keys = LayerSpec.slots.map(\.rawValue)
    for entry in entries where entry.key != extra {
      guard let slot = Slot(rawValue: entry.key), LayerSpec.slots.contains(slot) else {
        if ArchitectureKeys.root.contains(entry.key) || Slot(rawValue: entry.key) != nil {
          problems.add(
            Problem(
              "'\(entry.key)' cannot differ from layer to layer", at: entry.place,
              hint: "only \(keys.dropLast().joined(separator: ", ")) and \(keys.last ?? "") can"))
        } else {
          problems.add(unknownKey(entry, in: owner, among: keys + (extra.map { [$0] } ?? [])))
        }
        continue
      }
      if entry.value.isNull, !slot.hasComponentOfItsName {
        problems.add(Problem("'\(entry.key)' cannot be deleted: every layer needs one", at: entry.value.place))
      } else if !entry.value.isNull {
        _ = ComponentSpec(slot, entry, problems: &problems)
      }
    }
  }

  // MARK: Layer by layer

  private mutating func resolve(
    count: Int, variants: [Setting.Entry], pattern: [Int], overrides: [Override]
  ) -> (specs: [LayerSpec], kinds: [Int]) {
    // Layers that went the same way so far share a state, so each way is merged once however many layers take it.
    var states: [Parts] = [LayerSpec.slots.map { slot in tree.entries?.first { $0.key == slot.rawValue } }]
    let base = states[0]
    states += variants.map { merge(base, $0.value) }
    var stateOf = (0..<count).map { pattern.isEmpty ? 0 : pattern[$0 % pattern.count] + 1 }
    for override in overrides {
      var next: [Int: Int] = [:]
      for layer in override.layers {
        let state = stateOf[layer]
        if next[state] == nil {
          guard states.count < Self.mergeLimit else {
            problems.add(
              Problem("the overrides make more than \(Self.mergeLimit) different layers", at: override.patch.place))
            return ([], [])
          }
          next[state] = states.count
          states.append(merge(states[state], override.patch))
        }
        stateOf[layer] = next[state] ?? state
      }
    }
    return specs(
      states: states, stateOf: stateOf,
      variantOf: (0..<count).map { layer in
        pattern.isEmpty ? nil : variants[pattern[layer % pattern.count]].key
      })
  }

  private func merge(_ parts: Parts, _ patch: Setting) -> Parts {
    var merger = Merger()
    return zip(LayerSpec.slots, parts).map { slot, part in
      guard let change = patch.entries?.first(where: { $0.key == slot.rawValue }) else { return part }
      if change.value.isNull { return nil }
      let merged = merger.merge(
        part?.value ?? Setting(.group([])), change.value, MergeRegion.root.under(slot.rawValue))
      return Setting.Entry(slot.rawValue, merged, at: change.place ?? part?.place)
    }
  }

  private mutating func specs(
    states: [Parts], stateOf: [Int], variantOf: [String?]
  ) -> (specs: [LayerSpec], kinds: [Int]) {
    var specs: [LayerSpec] = []
    var kinds: [Int] = []
    var kindOfContent: [[Setting?]: Int] = [:]
    var made: [Int: (spec: LayerSpec, kind: Int)] = [:]
    for (layer, state) in stateOf.enumerated() {
      if made[state] == nil {
        let content = states[state].map { $0?.value.withoutPlaces }
        let kind = kindOfContent[content] ?? kindOfContent.count
        kindOfContent[content] = kind
        made[state] = (spec(states[state], variant: variantOf[layer]), kind)
      }
      // A state belongs to one variant, for every layer starts in its variant's own.
      if let (spec, kind) = made[state] {
        specs.append(spec)
        kinds.append(kind)
      }
    }
    return (specs, kinds)
  }

  private mutating func spec(_ parts: Parts, variant: String?) -> LayerSpec {
    func component(_ index: Int) -> ComponentSpec {
      let slot = LayerSpec.slots[index]
      guard let entry = parts[index] else { return ComponentSpec(slot: slot) }
      return ComponentSpec(slot, entry, problems: &problems)
    }
    return LayerSpec(
      position: component(0), norm: component(1), block: component(2), attention: component(3), mlp: component(4),
      variant: variant)
  }
}
