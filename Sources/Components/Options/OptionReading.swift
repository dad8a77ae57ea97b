/// An option as a component read it: the value that takes effect, whether it was written or not.
public struct OptionReading: Sendable, Hashable {
  /// The key, after those of the groups and components it stands in: `qk_norm.eps`.
  public let path: String
  /// The value; nil when the option is left out and nothing stands in for it.
  public let value: Setting?
  /// Whether it was written.
  public let isSet: Bool
  /// The slot that the value names a component of, when it names one.
  public let slot: Slot?

  /// The reading of `value` at `path`.
  public init(path: String, value: Setting?, isSet: Bool, slot: Slot? = nil) {
    self.path = path
    self.value = value
    self.isSet = isSet
    self.slot = slot
  }
}
