import Components

/// A patch that gave a slot another component, and so dropped the options of the one before.
public struct TypeChange: Sendable, Hashable {
  /// The slot.
  public let slot: Slot
  /// The component that was there.
  public let from: String
  /// The component that is there now.
  public let to: String
  /// Where the new one was written.
  public let place: Place
  /// The options that went with the old one.
  public let dropped: [Setting.Entry]
}
