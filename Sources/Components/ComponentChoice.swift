/// A component that an architecture uses, and every option as it takes effect there, written or not.
public struct ComponentChoice: Sendable, Hashable {
  /// The slot.
  public let slot: Slot
  /// The component's name.
  public let name: String
  /// What it read, in the order it read.
  public let options: [OptionReading]

  /// The component `name` of `slot`, which read `options`.
  public init(slot: Slot, name: String, options: [OptionReading]) {
    self.slot = slot
    self.name = name
    self.options = options
  }

  /// The value of the option at `path`; nil when it is left out, or is no option of this component.
  public func value(_ path: String) -> Setting? {
    options.first { $0.path == path }?.value
  }

  /// Whether `other` is the same component with the same values, wherever they were written.
  public func isEquivalent(to other: ComponentChoice) -> Bool {
    slot == other.slot && name == other.name && taken == other.taken
  }

  /// The values that are there, by path.
  private var taken: [String: Setting] {
    Dictionary(options.compactMap { option in option.value.map { (option.path, $0) } }) { $1 }
  }

  /// The component itself and those that are part of it, as slots and names.
  public var used: [ComponentName] {
    [ComponentName(slot: slot, name: name)]
      + options.compactMap { option in
        guard let slot = option.slot, let name = option.value?.text else { return nil }
        return ComponentName(slot: slot, name: name)
      }
  }
}

/// What names a component: its slot, and its name in that slot.
public struct ComponentName: Sendable, Hashable {
  /// The slot.
  public let slot: Slot
  /// The name in that slot.
  public let name: String

  /// The component `name` of `slot`.
  public init(slot: Slot, name: String) {
    self.slot = slot
    self.name = name
  }
}
