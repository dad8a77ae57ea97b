import Components

extension Slot {
  /// Where a component is named that no model has a slot for, in a sentence; nil for those of models.
  public var namingSentence: String? {
    isOfModel ? nil : "Named by 'chimera train --\(rawValue)', and under 'train' in a study."
  }
}
