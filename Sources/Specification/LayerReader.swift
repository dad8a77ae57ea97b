import Components

/// Reads the layers out of a merged tree: the model's components, then the variant that the pattern gives the layer,
/// then the overrides that match it, in the order of the file.
struct LayerReader {
  /// What is wrong so far.
  private(set) var problems: Problems
  /// The changes of a component's type by variants and overrides.
  private(set) var typeChanges: [TypeChange] = []

  private let tree: Setting
  /// The words of the field that are written in other words.
  private let terms: FieldTerms
  private let choosing: [Slot: [String: String]]

  /// A patch for the layers that it matches.
  private struct Override {
    var layers: [Int]
    var patch: Setting
  }

  /// A reader of `tree` that adds to `problems`.
  init(_ tree: Setting, problems: Problems, terms: FieldTerms, choosing: [Slot: [String: String]]) {
    self.choosing = choosing
    self.tree = tree
    self.terms = terms
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
        Problem("the key 'count' is missing in 'layers'", at: layers.place, hint: "count: the number of layers"))
    }
    let count = layers["count"].flatMap {
      wholeNumber($0, of: "count", limit: ArchitectureKeys.layerLimit, problems: &problems)
    }
    let before = problems.list.count
    let variants = variants(layers["variants"])
    let (pattern, kinds) = pattern(layers["pattern"], variants: variants)
    let overrides = overrides(layers["overrides"], count: count)
    guard let count, problems.list.count == before else { return ([], []) }
    var table = LayerTable(tree, count: count, choosing: choosing)
    let resolved = kinds.map { table.row(of: variants[$0[0]].value) }
    for layer in 0..<count where !pattern.isEmpty { table.start(layer, with: resolved[pattern[layer % pattern.count]]) }
    // What further variants of an item say lies over the first.
    for (kind, parts) in kinds.enumerated() where parts.count > 1 {
      let own = (0..<count).filter { pattern[$0 % pattern.count] == kind }
      for part in parts.dropFirst() { table.change(own, by: variants[part].value) }
    }
    for override in overrides {
      table.change(override.layers, by: override.patch)
      if table.isTooLarge {
        problems.add(Problem("the layers differ in more ways than can be kept apart", at: override.patch.place))
        return ([], [])
      }
    }
    let names = pattern.map { kinds[$0].map { variants[$0].key }.joined(separator: "+") }
    typeChanges = table.typeChanges
    return table.specs(variants: names, problems: &problems)
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

  /// The kind of each layer of a period, and for each kind the positions in `variants` of what lies over one another.
  private mutating func pattern(
    _ setting: Setting?, variants: [Setting.Entry]
  ) -> (period: [Int], kinds: [[Int]]) {
    guard let setting else {
      if let first = variants.first {
        problems.add(
          Problem(
            "there are variants, but no pattern says which layer takes which", at: first.place,
            hint: "pattern: [\(variants.prefix(3).map(\.key).joined(separator: ", "))]"))
      }
      return ([], [])
    }
    var period: [Int] = []
    var kinds: [[Int]] = []
    var numbers: [[Int]: Int] = [:]
    var used: Set<Int> = []
    var mistakes = 0
    let positions = Dictionary(variants.indices.map { (variants[$0].key, $0) }) { first, _ in first }
    for item in setting.list ?? [setting] {
      do throws(Problem) {
        let item = try PatternItem(item)
        var parts: [Int] = []
        for name in item.names {
          guard let index = positions[name] else {
            let near = nearestName(to: name, in: variants.map(\.key))
            throw Problem(
              "no variant is named '\(name.prefix(60))'", at: item.place,
              hint: near.map { "did you mean '\($0)'?" } ?? "describe it under 'variants'")
          }
          parts.append(index)
        }
        used.formUnion(parts)
        let kind = numbers[parts] ?? kinds.count
        if kind == kinds.count {
          kinds.append(parts)
          numbers[parts] = kind
        }
        period += repeatElement(kind, count: min(item.count, ArchitectureKeys.layerLimit))
        if period.count > ArchitectureKeys.layerLimit {
          throw Problem("the pattern is longer than \(ArchitectureKeys.layerLimit) layers", at: item.place)
        }
      } catch {
        problems.add(error)
        mistakes += 1
        // Looking for the nearest name takes its time.
        if period.count > ArchitectureKeys.layerLimit || mistakes == 20 { break }
      }
    }
    if mistakes == 0, period.isEmpty {
      problems.add(Problem("the pattern is empty", at: setting.place, hint: "pattern: [3*local, global]"))
    }
    // A misspelt name in the pattern would make its variant look unused; a program's pattern may leave some out.
    if mistakes == 0, setting.place != nil {
      for index in variants.indices where !used.contains(index) {
        problems.add(
          Problem("the pattern does not use the variant '\(variants[index].key.prefix(60))'", at: variants[index].place)
        )
      }
    }
    return mistakes == 0 ? (period, kinds) : ([], [])
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
    let keys = Slot.ofLayers.map(\.rawValue)
    for entry in entries where entry.key != extra {
      guard let slot = Slot(rawValue: entry.key), slot.isInLayers else {
        if ArchitectureKeys.root.contains(entry.key) || Slot(rawValue: entry.key) != nil {
          problems.add(
            Problem(
              "'\(entry.key)' cannot differ from layer to layer", at: entry.place,
              hint: "only \(keys.dropLast().joined(separator: ", ")) and \(keys.last ?? "") can"))
        } else {
          problems.add(unknownKey(entry, in: owner, among: keys + (extra.map { [$0] } ?? []), terms: terms))
        }
        continue
      }
      if entry.value.isNull, slot.whenUnwritten == .required {
        problems.add(Problem("'\(entry.key)' cannot be deleted: every layer needs one", at: entry.value.place))
      } else if !entry.value.isNull {
        _ = ComponentSpec(slot, entry, problems: &problems)
      }
    }
  }
}
