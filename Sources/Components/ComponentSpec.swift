/// A component that was chosen for a slot, with the options that were set.
public struct ComponentSpec: Sendable, Hashable {
  /// The slot.
  public let slot: Slot
  /// The choice as a group: the options, and `type` where one was written. Its place is where the component was chosen.
  public let setting: Setting

  /// The component that the group `setting` chooses for `slot`; nothing written when it is left out.
  public init(slot: Slot, setting: Setting = Setting(.group([]))) {
    self.slot = slot
    self.setting = setting
  }

  /// The component's name; nil when none was written, which means what the slot holds then.
  public var type: String? { setting["type"]?.text }
  /// The options as a group, without `type`.
  public var options: Setting {
    Setting(.group((setting.entries ?? []).filter { $0.key != "type" }), at: setting.place)
  }
  /// Where the component was chosen; nil when nothing was written.
  public var place: Place? { setting.place }
}

extension Setting {
  /// A component's name as the group that it stands for.
  public var asComponent: Setting {
    guard case .scalar = content else { return self }
    return Setting(.group([Entry("type", self, at: place)]), at: place)
  }
}
