import Components
import Composition
import Foundation
import Models
import Specification
import StandardComponents

/// What every command starts from: the zoo's folders and the components that files can name.
struct Zoo {
  let catalog: Catalog
  let registry: Registry

  init() throws {
    catalog = Catalog(folders: Zoo.folders())
    registry = try Registry(standardComponents, documentation: standardComponentDocumentation)
  }

  /// Reads and composes.
  var models: ModelLoader { ModelLoader(catalog: catalog, composer: Composer(registry)) }

  /// The folders that hold the zoo: those in CHIMERA_ARCHITECTURES, and the `Architectures` folder of the checkout or
  /// of the installation that the program stands in.
  private static func folders() -> [String] {
    var folders = ProcessInfo.processInfo.environment["CHIMERA_ARCHITECTURES", default: ""]
      .split(separator: ":").map(String.init)
    var place = URL(fileURLWithPath: executablePath).resolvingSymlinksInPath().deletingLastPathComponent()
    for _ in 0..<6 {
      for name in ["Architectures", "share/chimera/Architectures"] {
        let folder = place.appending(path: name).path
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue {
          return folders + [folder]
        }
      }
      place = place.deletingLastPathComponent()
    }
    return folders
  }

  private static var executablePath: String {
    Bundle.main.executablePath ?? CommandLine.arguments[0]
  }
}
