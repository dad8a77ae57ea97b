import Components
import Composition
import Specification
import StandardComponents
import TestSupport

/// The zoo of this package.
enum PackageZoo {
  static let catalog = Catalog(folders: [Here.architectures])
  /// The names of all models.
  static let names = catalog.models().map(\.name)
  private static let loader = SpecificationLoader(catalog: catalog, for: Composer(Standard.kit.registry))

  /// The architecture of `name`, with changes such as `position=rope`.
  static func load(_ name: String, _ changes: [String] = []) throws -> Architecture {
    try loader.load(name, patches: try Overrides(changes).patches)
  }

  /// The plan of `architecture`.
  static func plan(_ architecture: Architecture) throws -> Plan {
    try Composer(try Registry(standardComponents)).compose(architecture)
  }

  /// How many parameters `name` has, with changes.
  static func count(_ name: String, _ changes: String...) throws -> Int {
    try plan(try load(name, changes)).parameterCount
  }
}
