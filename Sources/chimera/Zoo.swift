import Components
import Composition
import Essentials
import Files
import Models
import Specification

/// What every command starts from: the zoo's folders and the components that files can name.
struct Zoo {
  let catalog: Catalog
  let registry: Registry
  /// Keys of configurations that may stay unread.
  var ignoredKeys: [String] = []

  init() throws {
    catalog = Catalog(folders: Zoo.folders("Architectures", variable: "CHIMERA_ARCHITECTURES"))
    registry = try Extensions.registry()
  }

  /// Reads and composes.
  var models: ModelLoader {
    ModelLoader(
      catalog: catalog, composer: Composer(registry), weightFolders: Zoo.folders("Models", variable: "CHIMERA_MODELS"),
      tokenizerFolders: Zoo.folders("Tokenizers", variable: nil), ignoredKeys: ignoredKeys)
  }

  /// The folders of a kind: those in an environment variable, then the one of the checkout or of the installation that
  /// the program stands in.
  private static func folders(_ name: String, variable: String?) -> [String] {
    let named =
      variable.map { ProcessInfo.processInfo.environment[$0, default: ""].split(separator: ":").map(String.init) } ?? []
    var place = URL(fileURLWithPath: executablePath).resolvingSymlinksInPath().deletingLastPathComponent()
    for _ in 0..<6 {
      for folder in [place.appending(path: name).path, place.appending(path: "share/chimera/\(name)").path]
      where kind(ofPath: folder) == .folder {
        return named + [folder]
      }
      place = place.deletingLastPathComponent()
    }
    return named
  }

  /// The checkout that the program stands in; nil elsewhere.
  static var checkout: String? {
    var place = URL(fileURLWithPath: executablePath).resolvingSymlinksInPath().deletingLastPathComponent()
    for _ in 0..<6 {
      if kind(ofPath: place.appending(path: "Package.swift").path) == .file,
        kind(ofPath: place.appending(path: "Plugins").path) == .folder
      {
        return place.path
      }
      place = place.deletingLastPathComponent()
    }
    return nil
  }

  /// Where the program is.
  static var executablePath: String { Essentials.executablePath() ?? CommandLine.arguments[0] }
}
