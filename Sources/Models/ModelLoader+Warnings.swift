import Checkpoints
import Components
import Composition
import Specification

/// What is no mistake, and yet may compute something else than was meant.
extension ModelLoader {
  /// A component in the place of another takes none of its options, by the rule; where it has options of the same names
  /// and takes its own defaults for them, that is easily missed.
  func typeChangeNotes(_ architecture: Architecture) -> [String] {
    var notes: [String] = []
    for change in architecture.typeChanges where isOfUser(change.place) {
      let specs = [architecture[change.slot]] + architecture.layers.map { $0[change.slot] }
      let taken = specs.compactMap(\.self).filter { ($0.type ?? $0.slot.rawValue) == change.to }
      guard !taken.isEmpty, let description = composer.registry.description(of: change.to, in: change.slot) else {
        continue
      }
      let lost = change.dropped.filter { entry in
        guard taken.contains(where: { $0.options[entry.key] == nil }) else { return false }
        let options = description.options.filter { $0.path == entry.key }
        return options.contains { $0.defaultText.map { Setting(text: $0).inFewWords } != entry.value.inFewWords }
      }
      if lost.isEmpty { continue }
      let written = lost.map { "\($0.key): \(YAMLWriter().flow($0.value))" }.joined(separator: ", ")
      let (slot, place) = (change.slot.rawValue, lost.first?.place ?? lost.first?.value.place)
      let note =
        "\(slot): '\(change.to)' takes the place of '\(change.from)' (\(change.place.source):\(change.place.line)) and drops "
        + "\(written)" + (place.map { " of \($0.source):\($0.line)" } ?? "")
        + ", which '\(change.to)' has too; this keeps them: \(slot): {type: \(change.to), …, \(written)}"
      if !notes.contains(note) { notes.append(note) }
    }
    return notes
  }

  /// Whether a user wrote what stands at `place`: on the command line, or in a file outside the zoo.
  private func isOfUser(_ place: Place) -> Bool {
    place.source == Overrides.source || !catalog.contains(place.source)
  }

  /// What `architecture`, whose plan is `plan`, computes in another way than `trained`, the wiring that its weights were trained with.
  func wiringNotes(_ architecture: Architecture, _ plan: Plan, trained: Architecture?) -> [String] {
    guard let trained, let own = try? composer.assemble(architecture).choices,
      let other = try? composer.assemble(trained).choices, own.kindOfLayer.count == other.kindOfLayer.count
    else { return [] }
    var changes: [String] = []
    for (before, after) in [(other.model, own.model)]
      + own.kindOfLayer.indices.map({ (other.layer($0), own.layer($0)) })
    {
      for slot in Slot.allCases {
        guard let a = before[slot], let b = after[slot], !a.isEquivalent(to: b) else { continue }
        for change in a.changes(to: b) where !changes.contains(change) { changes.append(change) }
      }
    }
    if changes.isEmpty { return [] }
    // A setting that is left out and one that spells the usual value differ as text alone.
    if let trained = try? composer.compose(trained), plan.difference(from: trained) == nil { return [] }
    let shown = changes.prefix(4).joined(separator: ", ") + (changes.count > 4 ? ", …" : "")
    return ["the weights were trained with another wiring, and were not made for this one: \(shown)"]
  }
}

extension ComponentChoice {
  /// What must change of this choice to make `other`, each in a few words.
  fileprivate func changes(to other: ComponentChoice) -> [String] {
    if name != other.name { return ["\(slot.rawValue) \(name) → \(other.name)"] }
    let paths = (options + other.options).map(\.path)
    return paths.compactMap { path in
      // What is left out and what is switched off read alike, and are.
      let (before, after) = (value(path)?.inFewWords ?? "none", other.value(path)?.inFewWords ?? "none")
      return before == after ? nil : "\(slot.rawValue).\(path) \(before) → \(after)"
    }
  }
}

extension Setting {
  /// The value on one line; numbers as `Float` has them, for GGUF files store them so.
  fileprivate var inFewWords: String {
    if let number { return String(Float(number)) }
    return text ?? YAMLWriter().flow(self)
  }
}
