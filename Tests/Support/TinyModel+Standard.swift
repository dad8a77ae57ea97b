import Components
import Conformance
import Specification
import StandardComponents

extension TinyModel {
  /// The tiny model of this package's components with `patches` such as `position=rope`.
  public init(_ patches: String...) throws { try self.init(patches: patches) }

  /// The tiny model of this package's components with `patches`.
  public init(patches: [String]) throws {
    var tree = try TinyModel.surroundings()
    for patch in try Overrides(patches).patches { tree = tree.merging(patch) }
    try self.init(tree, of: Registry(standardComponents))
  }
}
