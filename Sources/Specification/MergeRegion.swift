import Components

/// The part of a tree that a merge stands in: it decides what `null`, a component's name and a changed `type` do there.
struct MergeRegion {
  private enum Kind {
    case root, layers, variants, component, stacks, stack, plain
  }

  private let kind: Kind
  /// The slot whose component is written here, in which a name stands for the group `{type: name}`.
  let slot: Slot?
  /// Whether this is part of a patch that layers are merged with later, so that a `null` in it is kept for them.
  let isLayerPatch: Bool

  /// Whether this is a variant itself, not something in one.
  var isWholeVariant: Bool { kind == .root && isLayerPatch }

  private init(_ kind: Kind, slot: Slot? = nil, isLayerPatch: Bool = false) {
    self.kind = kind
    self.slot = slot
    self.isLayerPatch = isLayerPatch
  }

  /// The whole of an architecture.
  static let root = MergeRegion(.root)
  /// A tree without slots, such as the map of a checkpoint.
  static let plain = MergeRegion(.plain)

  /// The region of what stands under `key`.
  func under(_ key: String) -> MergeRegion {
    switch kind {
    case .root, .stack:
      if let slot = Slot(rawValue: key) {
        // A stack that is like another is laid over it later, as a variant is over the model.
        MergeRegion(.component, slot: slot, isLayerPatch: isLayerPatch || kind == .stack)
      } else if key == "stacks", kind == .root, !isLayerPatch {
        MergeRegion(.stacks)
      } else {
        key == "layers" && !isLayerPatch ? MergeRegion(.layers) : .plain
      }
    case .stacks: MergeRegion(.stack)
    case .layers: key == "variants" ? MergeRegion(.variants) : .plain
    case .variants: MergeRegion(.root, isLayerPatch: true)
    case .component: MergeRegion(.component, slot: Slot(rawValue: key), isLayerPatch: isLayerPatch)
    case .plain: .plain
    }
  }

  /// `setting` as a group: it is one, or it is a component's name where one may stand.
  func group(_ setting: Setting) -> [Setting.Entry]? {
    if let entries = setting.entries { return entries }
    guard slot != nil, let name = setting.text, setting.flag == nil, setting.number == nil else { return nil }
    return [Setting.Entry("type", Setting(.scalar(name, quoted: false), at: setting.place), at: setting.place)]
  }

  /// Whether a group of type `old` loses its other keys when its type is set to `new`; nil is a type that is not
  /// written.
  ///
  /// A slot whose default component has the slot's own name has that type when none is written, except in a patch for
  /// layers, whose type is that of the model it will be merged with.
  func isChange(from old: String?, to new: String?) -> Bool {
    if let slot, slot.hasOwnComponent, !isLayerPatch {
      return (old ?? slot.rawValue) != (new ?? slot.rawValue)
    }
    guard let old, let new else { return false }
    return old != new
  }
}
