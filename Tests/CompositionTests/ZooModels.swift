import Components
import Composition
import Describing
import Foundation
import Specification
import StandardComponents

/// The models that these tests compose: those of the zoo, and variants of them.
struct ZooModels: Sendable {
  let loader: SpecificationLoader
  let composer: Composer

  init() throws {
    var package = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { package.deleteLastPathComponent() }
    composer = Composer(try Registry(standardComponents, documentation: standardComponentDocumentation))
    loader = SpecificationLoader(catalog: Catalog(folders: [package.path + "/Architectures"]), for: composer)
  }

  /// The names of the zoo.
  static let names: [String] = ((try? ZooModels())?.loader.catalog.models() ?? []).map(\.name)

  /// One model of each family, and every one that stands alone: enough to try pairs of.
  static let differing: [String] = {
    let models = (try? ZooModels())?.loader.catalog.models() ?? []
    return Dictionary(grouping: models, by: \.family).values.flatMap { family in
      family.count > 8 ? family.map(\.name) : [family[0].name]
    }.sorted()
  }()

  /// The sheet of the model `name` with the changes of `--set`.
  func sheet(_ name: String, _ changes: String...) throws -> ModelSheet {
    let architecture = try loader.load(name, patches: try Overrides(changes).patches)
    let assembly = try composer.assemble(architecture)
    return ModelSheet(architecture, assembly.choices, try assembly.plan())
  }
}
