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
  private let weightFolders: [String]
  /// Keys of configurations that may stay unread.
  var ignoredKeys: [String] = []

  /// Throws `Failure` for a folder in an environment variable that is not there: nothing of it would be found.
  init() throws {
    catalog = Catalog(folders: try Zoo.named("CHIMERA_ARCHITECTURES") + Zoo.own("Architectures"))
    weightFolders = try Zoo.named("CHIMERA_MODELS") + Zoo.own("Models")
    registry = try Extensions.registry()
  }

  /// Reads and composes.
  var models: ModelLoader {
    ModelLoader(
      catalog: catalog, composer: Composer(registry), weightFolders: weightFolders,
      tokenizerFolders: Zoo.own("Tokenizers"), ignoredKeys: ignoredKeys)
  }

  /// The folders that an environment variable lists, with colons between them.
  private static func named(_ variable: String) throws -> [String] {
    let folders = ProcessInfo.processInfo.environment[variable, default: ""].split(separator: ":").map(String.init)
    for folder in folders where kind(ofPath: folder) != .folder {
      throw Failure(.notFound, "\(variable) names '\(folder)', which is no folder")
    }
    return folders
  }

  /// The folder of the checkout or of the installation that the program stands in, if it is there.
  private static func own(_ name: String) -> [String] {
    var place = URL(fileURLWithPath: executablePath).resolvingSymlinksInPath().deletingLastPathComponent()
    for _ in 0..<6 {
      for folder in [place.appending(path: name).path, place.appending(path: "share/chimera/\(name)").path]
      where kind(ofPath: folder) == .folder {
        return [folder]
      }
      place = place.deletingLastPathComponent()
    }
    return []
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
