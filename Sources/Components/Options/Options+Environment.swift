extension Options {
  /// What the options of one composition share: what was found wrong, what was read, and what a description needs.
  final class Environment {
    let registry: Registry
    var problems = Problems()
    /// What stands in the slots of the layer that the component is part of: the layer's own norm, for the norms inside
    /// attention.
    var layer: [Slot: ComponentSpec] = [:]
    /// What the components made so far read, each option with the value that takes effect.
    var readings: [OptionReading] = []

    /// The stack that the components are for; nil for the text's.
    var stack: String?

    /// When set, options are being described: nothing is required.
    var describing = false
    /// Which of two descriptions is made: a default that differs between them follows from the sizes.
    var probe = 0
    var descriptions: [OptionDescription] = []
    /// The words that choices and flags take while a component is described, by path.
    var forced: [String: String] = [:]

    init(registry: Registry) { self.registry = registry }

    /// Notes an option once: a component is read several times while it is described.
    func describe(_ option: OptionDescription) {
      if !descriptions.contains(where: { $0.path == option.path }) { descriptions.append(option) }
    }
  }
}
