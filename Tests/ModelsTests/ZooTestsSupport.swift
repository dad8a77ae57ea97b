import Components
import Composition
import Files
import Foundation
import Models
import Specification
import StandardComponents

/// The zoo of this package.
enum PackageZoo {
  /// The package's folder.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  static let catalog = Catalog(folders: [root + "/Architectures"])
  static let loader = SpecificationLoader(catalog: catalog)
  /// The names of all models.
  static let names = catalog.models().map(\.name)

  /// The folder of test data beside the package; nil when it is not there, and the tests that need it say so and pass.
  static let data: String? = {
    let folder = URL(fileURLWithPath: root).deletingLastPathComponent().appending(path: "shared/data").path
    if kind(ofPath: folder) == .folder { return folder }
    print("skipped: the families on real checkpoints, for \(folder) is not there")
    return nil
  }()

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

  /// What composes and loads models.
  static func models() throws -> ModelLoader {
    ModelLoader(catalog: catalog, composer: Composer(try Registry(standardComponents)))
  }
}
