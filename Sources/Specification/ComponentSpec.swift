import Components

/// A component that a file chose for a slot, and the options it set.
public struct ComponentSpec: Sendable, Hashable {
  /// The slot.
  public let slot: Slot
  /// The component's name; nil when none was written, which means the component named like the slot.
  public let type: String?
  /// The options as a group, without `type`.
  public let options: Setting
  /// Where the component was chosen; nil when nothing was written.
  public let place: Place?

  /// The component `type` for `slot`, with `options`.
  public init(slot: Slot, type: String? = nil, options: Setting = Setting(.group([])), place: Place? = nil) {
    self.slot = slot
    self.type = type
    self.options = options
    self.place = place
  }
}
