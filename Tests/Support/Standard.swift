import Components
import Conformance
import StandardComponents

/// This package's components and the kit that checks them.
public enum Standard {
  /// The kit for the components of this package.
  public static let kit: ConformanceKit = {
    guard let registry = try? Registry(standardComponents, documentation: standardComponentDocumentation) else {
      preconditionFailure("two components of this package have one name")
    }
    return ConformanceKit(registry)
  }()

  /// The components.
  public static let components = kit.registry.describe()

  /// Every component with nothing set, with each of its examples, and with each flag and choice of its own turned.
  public static let cases = components.flatMap(kit.cases)
}
