/// Makes the components that settings choose and gathers what is wrong with them.
public final class ComponentFactory {
  private let environment: Options.Environment
  private let shape: ModelShape

  /// A factory of the components of `registry` for models of `shape`.
  public init(_ registry: Registry, shape: ModelShape) {
    environment = Options.Environment(registry: registry)
    self.shape = shape
  }

  /// Everything found wrong so far.
  public var problems: Problems { environment.problems }

  /// What the component made last read: every option with the value that takes effect, those of its parts included.
  public var readings: [OptionReading] { environment.readings }

  /// The component that `setting` chooses for `slot`; nil when there is none, which is then among the problems.
  ///
  /// `inherited` is what parts of the component take from their layer.
  public func make<Wanted>(
    _ slot: Slot, _ setting: Setting, as: Wanted.Type = Wanted.self, inherited: [Slot: Setting] = [:]
  )
    -> Wanted?
  {
    environment.inherited = inherited
    environment.readings = []
    return environment.registry.make(
      setting.asComponent, fallback: nil, slot: slot, shape: shape, environment: environment) as? Wanted
  }
}
