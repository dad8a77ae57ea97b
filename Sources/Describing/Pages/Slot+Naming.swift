import Components

extension Slot {
  /// Where a component is named that no model has a slot for, in a sentence; nil for those of models.
  public var namingSentence: String? {
    if isOfModel { return nil }
    // How training begins is the model's to say, although it is no part of it.
    if self == .initialization { return "Named by a model's key '\(rawValue)'." }
    return "Named by 'chimera train --\(rawValue)', and under 'train' in a study."
  }
}
