/// Makes the components that settings choose and gathers what is wrong with them.
public final class ComponentFactory {
  private let environment: Options.Environment
  private let shape: ModelShape

  /// A factory of the components of `registry` for models of `shape`, or for a stack of that shape beside the text's.
  public init(_ registry: Registry, shape: ModelShape, stack: String? = nil) {
    environment = Options.Environment(registry: registry)
    environment.stack = stack
    self.shape = shape
  }

  /// Everything found wrong so far.
  public var problems: Problems { environment.problems }

  /// The component that `spec` chooses, and every option as it takes effect, those of its parts included; nil when there
  /// is none, which is then among the problems.
  ///
  /// `layer` is what stands in the other slots of its layer, from which its parts may take over.
  public func make<Wanted>(
    _ spec: ComponentSpec, as: Wanted.Type = Wanted.self, in layer: [Slot: ComponentSpec] = [:]
  ) -> (component: Wanted, choice: ComponentChoice)? {
    environment.layer = layer
    environment.readings = []
    guard let made = environment.registry.make(spec, shape: shape, environment: environment),
      let component = made as? Wanted
    else { return nil }
    let choice = ComponentChoice(slot: spec.slot, name: type(of: made).name, options: environment.readings)
    return (component, choice)
  }
}
